/// What it costs to translate a packet in place.
///
/// Question   nanoseconds a packet by protocol and family; does an SCTP packet's size matter?
/// Setup      32 packets in the first-level cache, parsed before; two translations in turn, so that
///            bytes change each time.
/// Cheating   would be one packet, whose loads wait for the stores of the turn before.
#include <benchmark/benchmark.h>

#include <vector>

#include "nat/rewrite.h"
#include "nat/rewrite_tcp.h"
#include "tests/support/packet_maker.h"

namespace uct::core::test {
namespace {

constexpr std::size_t kPackets = 32;

struct Parsed {
  std::vector<std::byte> frame;
  ParsedPacket packet;
};

std::vector<Parsed> copies_of(const Bytes& bytes) {
  Parsed one;
  const auto* data = reinterpret_cast<const std::byte*>(bytes.data());
  one.frame.assign(data, data + bytes.size());
  one.packet = parsed(bytes);
  return std::vector<Parsed>(kPackets, one);
}

Translation translation(std::uint32_t number) {
  return {{number, 2, 3, 4}, {5, 6, 7, number}, 1024, static_cast<std::uint16_t>(number)};
}

void rewrite_all(benchmark::State& state, const Bytes& bytes) {
  std::vector<Parsed> all = copies_of(bytes);
  const Translation to[2] = {translation(0x11223344), translation(0x55667788)};
  std::size_t turn = 0;
  for (auto _ : state) {
    for (Parsed& one : all) {
      const RewriteRefusal refusal = rewrite(one.frame, one.packet, to[turn]);
      benchmark::DoNotOptimize(refusal);
    }
    turn ^= 1;
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kPackets));
}

template <Family kFamily>
void RewriteTcp(benchmark::State& state) {
  rewrite_all(state, ip(kFamily, 6, tcp(kFamily, 0x10, {}, 64)));
}

/// As the express lane does it: from one tuple to the other, and back.
template <typename Key>
void RewriteTcpOfTheLane(benchmark::State& state) {
  constexpr Family kFamily = Key::kFamily;
  std::vector<Parsed> all = copies_of(ip(kFamily, 6, tcp(kFamily, 0x10, {}, 64)));
  Key keys[2] = {};
  for (std::uint32_t i = 0; i < 2; ++i) {
    keys[i].address[0][0] = 0x11223344 * (i + 1);
    keys[i].port[0] = static_cast<std::uint16_t>(1024 + i);
  }
  const TupleSteps steps = steps_between(keys[0], keys[1]);
  unsigned turn = 0;
  for (auto _ : state) {
    for (Parsed& one : all) {
      rewrite_tcp(one.frame.data(), keys[turn], turn, steps, turn == 0);
    }
    turn ^= 1;
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kPackets));
}

template <Family kFamily>
void RewriteUdp(benchmark::State& state) {
  rewrite_all(state, ip(kFamily, 17, udp(kFamily, 64)));
}

void RewriteTcpBehindOptions(benchmark::State& state) {
  const Bytes router_alert = Bytes().u8(0x94).u8(4).u16(0);
  rewrite_all(state, ipv4(6, tcp(Family::ipv4, 0x10, {}, 64), 0, router_alert));
}

void RewriteSctp(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  rewrite_all(state, ipv4(132, sctp(Bytes().u8(0).u8(3).u16(size).zeros(size - 4))));
}

template <Family kFamily>
void RewriteEcho(benchmark::State& state) {
  const bool v4 = kFamily == Family::ipv4;
  rewrite_all(state,
              v4 ? ipv4(1, icmp(8, 0, echo_body(1))) : ipv6(58, icmpv6(128, 0, echo_body(1))));
}

void RewriteError(benchmark::State& state) {
  Bytes quote = ipv4(6, tcp(Family::ipv4, 0x10, {}, 64));
  quote.set(12, host(Family::ipv4, 2));
  std::vector<Parsed> all = copies_of(ipv4(1, icmp(3, 1, Bytes().u32(0).append(quote))));
  const Translation to[2] = {translation(0x11223344), translation(0x55667788)};
  std::size_t turn = 0;
  for (auto _ : state) {
    for (Parsed& one : all) {
      const RewriteRefusal refusal =
          rewrite_error(one.frame, one.packet, to[turn], to[turn].destination, to[turn].source);
      benchmark::DoNotOptimize(refusal);
    }
    turn ^= 1;
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kPackets));
}

BENCHMARK(RewriteTcp<Family::ipv4>);
BENCHMARK(RewriteTcp<Family::ipv6>);
BENCHMARK(RewriteTcpOfTheLane<KeyV4>);
BENCHMARK(RewriteTcpOfTheLane<KeyV6>);
BENCHMARK(RewriteUdp<Family::ipv4>);
BENCHMARK(RewriteUdp<Family::ipv6>);
BENCHMARK(RewriteTcpBehindOptions);
BENCHMARK(RewriteSctp)->ArgName("chunk")->Arg(64)->Arg(1400);
BENCHMARK(RewriteEcho<Family::ipv4>);
BENCHMARK(RewriteEcho<Family::ipv6>);
BENCHMARK(RewriteError);

}  // namespace
}  // namespace uct::core::test
