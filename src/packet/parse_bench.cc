/// What reading a packet costs, layer by layer, with its checksum verified or trusted.
///
/// Question   nanoseconds a packet by family, protocol and size of the payload.
/// Setup      32 packets in the first-level cache.
/// Cheating   would be one packet: its branches would be foreseen all the way.
#include <benchmark/benchmark.h>

#include <vector>

#include "packet/parse.h"
#include "tests/support/packet_maker.h"

namespace uct::core::test {
namespace {

constexpr std::size_t kPackets = 32;

void parse_all(benchmark::State& state, const std::vector<Bytes>& all, ChecksumStatus checksums) {
  std::vector<Packet> packets;
  for (const Bytes& bytes : all) {
    packets.push_back(packet_of(bytes));
    packets.back().ip_checksum = packets.back().transport_checksum = checksums;
  }
  for (auto _ : state) {
    for (const Packet& packet : packets) {
      ParsedPacket parsed;
      parse(packet, {}, parsed);
      benchmark::DoNotOptimize(parsed);
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * packets.size()));
}

template <Family kFamily>
void ParseTcp(benchmark::State& state) {
  const auto payload = static_cast<std::size_t>(state.range(0));
  const std::vector<Bytes> all(kPackets, ip(kFamily, 6, tcp(kFamily, 0x10, {}, payload)));
  parse_all(state, all, state.range(1) != 0 ? ChecksumStatus::unknown : ChecksumStatus::good);
}

template <Family kFamily>
void ParseUdp(benchmark::State& state) {
  const auto payload = static_cast<std::size_t>(state.range(0));
  const std::vector<Bytes> all(kPackets, ip(kFamily, 17, udp(kFamily, payload)));
  parse_all(state, all, state.range(1) != 0 ? ChecksumStatus::unknown : ChecksumStatus::good);
}

void arguments(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"payload", "verify"})->Args({0, 0})->Args({0, 1})->Args({1400, 1});
}

BENCHMARK(ParseTcp<Family::ipv4>)->Apply(arguments);
BENCHMARK(ParseTcp<Family::ipv6>)->Apply(arguments);
BENCHMARK(ParseUdp<Family::ipv4>)->Apply(arguments);
BENCHMARK(ParseUdp<Family::ipv6>)->Apply(arguments);

}  // namespace
}  // namespace uct::core::test
