// Question  What do keys cost that an attacker chose to fall into one place?
// Setup     `connections` TCP SYNs over IPv4 whose 12 bytes of addresses and ports all have the
//           same low 20 bits of CRC-32C, the unkeyed hash that many tables use, because processors
//           have an instruction for it. Such keys are had by linear algebra: CRC is linear over
//           GF(2), so the differences between keys that leave those bits alone form a space, of
//           2^36 keys within 10/8, one /15 of servers and half of the ports. The same number of
//           ordinary keys of the same networks is opened before each run (`plain_`), in a table of
//           its own. One thread, whatever `threads` says; `ipv6` and `udp` are not looked at.
// Cheating would be  to look for these keys in the target, or to use fewer. The driver walks
//           through either set by a Gray code, at one exclusive-or a key; it keeps a basis of a
//           few dozen keys.
#include <array>
#include <bit>
#include <cstring>
#include <memory>
#include <vector>

#include "base/checksum.h"
#include "bench/workloads/first_packets.h"
#include "bench/workloads/harness.h"
#include "bench/workloads/workload.h"

namespace uct::bench {

namespace {

/// Bits of the hash that all keys share: a table of a million buckets takes 20.
constexpr std::uint32_t kSharedBits = (1U << 20) - 1;

/// The 12 bytes of a frame's addresses and ports, as numbers. Keys and their differences.
struct Key {
  std::uint32_t client = 0;
  std::uint32_t server = 0;
  std::uint32_t ports = 0;

  Key& operator^=(const Key& other) {
    client ^= other.client;
    server ^= other.server;
    ports ^= other.ports;
    return *this;
  }
  friend Key operator^(Key a, const Key& b) { return a ^= b; }

  /// Writes them where they stand in a frame, at its IPv4 source address.
  void store(std::byte* to) const {
    const std::array<std::uint32_t, 3> big = {__builtin_bswap32(client), __builtin_bswap32(server),
                                              __builtin_bswap32(ports)};
    std::memcpy(to, big.data(), sizeof(big));
  }
};

constexpr std::size_t kTupleOffset = 14 + 12;  ///< behind Ethernet, in the IPv4 header

/// From 10.0.0.0, port 32768, to 198.18.0.0 (RFC 2544), port 443. The differences below reach no
/// other networks, and no port of zero.
constexpr Key kBase{.client = 0x0a000000, .server = 0xc6120000, .ports = 0x8000'01bb};

/// The bits in which keys may differ, each alone: of the client's address, then of its port, then
/// of the server's address.
std::vector<Key> free_bits() {
  std::vector<Key> bits;
  for (unsigned bit = 0; bit < 24; ++bit) bits.push_back({.client = 1U << bit});
  for (unsigned bit = 16; bit < 31; ++bit) bits.push_back({.ports = 1U << bit});
  for (unsigned bit = 0; bit < 17; ++bit) bits.push_back({.server = 1U << bit});
  return bits;
}

std::uint32_t shared_bits_of(const Key& key) {
  std::array<std::byte, 12> bytes;
  key.store(bytes.data());
  return core::crc32c(0, bytes) & kSharedBits;
}

/// Gives     a basis of the differences that leave the shared bits as they are.
///
/// Elimination: each free bit's effect is reduced by those before it. Where nothing of it is left,
/// the bits that were added up on the way cancel each other out.
std::vector<Key> invisible_differences() {
  struct Pivot {
    std::uint32_t effect = 0;
    Key difference;
  };
  std::array<Pivot, 32> pivots;  // by the highest bit of the effect
  std::vector<Key> basis;
  const std::uint32_t base = shared_bits_of(kBase);
  for (Key difference : free_bits()) {
    std::uint32_t effect = shared_bits_of(kBase ^ difference) ^ base;
    while (effect != 0) {
      Pivot& pivot = pivots[static_cast<unsigned>(std::bit_width(effect)) - 1];
      if (pivot.effect == 0) {
        pivot = {effect, difference};
        break;
      }
      effect ^= pivot.effect;
      difference ^= pivot.difference;
    }
    if (effect == 0) basis.push_back(difference);
  }
  return basis;
}

/// Opens a connection for each of the first `count` keys that the basis spans.
///
/// Gives     how many were not admitted.
std::uint64_t open_keys(Target& target, std::span<const Key> basis, std::uint64_t count) {
  Burst burst(TrafficShape{});
  for (std::size_t i = 0; i < kBurst; ++i) burst.put(i, 0, kFirstSegment);
  std::array<Verdict, kBurst> verdicts;
  const Request request{.commit = true};
  std::uint64_t refused = 0;
  Key key = kBase;
  for (std::uint64_t opened = 0; opened < count;) {
    std::size_t size = 0;
    for (; size < kBurst && opened < count; ++size) {
      key.store(burst.bytes(size) + kTupleOffset);
      key ^= basis[static_cast<std::size_t>(std::countr_zero(++opened))];
    }
    target.process(burst.packets(size), request, kStart, verdicts);
    for (std::size_t i = 0; i < size; ++i) refused += is_admitted(verdicts[i]) ? 0 : 1;
  }
  return refused;
}

/// One run's cost a connection, or -1 when not all were admitted.
double time_keys(const Options& options, std::span<const Key> basis) {
  const auto target = make_target(options, options.connections);
  if (!target) return -1;
  const double start = thread_ns();
  const std::uint64_t refused = open_keys(*target, basis, options.connections);
  const double elapsed = thread_ns() - start;
  if (refused != 0 || target->connection_count() != options.connections) return -1;
  return elapsed / static_cast<double>(options.connections);
}

double time_driver(std::span<const Key> basis, std::uint64_t count) {
  NullTarget nothing;
  const double start = thread_ns();
  open_keys(nothing, basis, count);
  return (thread_ns() - start) / static_cast<double>(count);
}

}  // namespace

Result run_collide(const Options& asked) {
  Result result;
  Options options = asked;
  options.threads = 1;
  const std::vector<Key> plain_basis = free_bits();
  const std::vector<Key> basis = invisible_differences();
  for (const Key& difference : basis) {
    if (shared_bits_of(kBase ^ difference) != shared_bits_of(kBase)) {
      result.wrong = "the keys do not collide";
      return result;
    }
  }
  std::vector<double> plain, colliding, driver;
  for (unsigned run = 0; run < options.runs; ++run) {
    driver.push_back(time_driver(basis, options.connections));
    plain.push_back(time_keys(options, plain_basis));
    colliding.push_back(time_keys(options, basis));
    if (plain.back() < 0 || colliding.back() < 0) {
      result.wrong = "not all connections were admitted";
      return result;
    }
  }
  result.ns_per_connection = median(colliding);
  result.driver_ns_per_connection = median(driver);
  result.connections_per_second = 1e9 / median(colliding);
  result.extra = {{"plain_ns_per_connection", median(plain)},
                  {"colliding_to_plain_ratio", median(colliding) / median(plain)}};
  return result;
}

}  // namespace uct::bench
