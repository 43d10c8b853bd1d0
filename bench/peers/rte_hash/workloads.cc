// Question  What does a connection tracker built on DPDK's rte_hash cost at the very least?
// Setup     established: as many keys as the table was made for are entered. Then each packet of a
//           burst of 32 has a random connection's key, which is looked up with those of its burst;
//           the records found are prefetched, then one line of each is updated.
//           setup: connections are entered one by one, in an empty table, and their records made.
//           The driver is the making of keys: 16 bytes, 40 with IPv6. No packet is parsed, no state
//           machine is asked, nothing expires: what a tracker does besides is a gift to the rival.
// Cheating would be  to look up what is not there, to make it wait for memory that huge pages would
//           spare (table and records are in them), to let records fault in while they are timed, or
//           to choose a hash or locks that it does better without: CRC, and no flags.
#include "bench/peers/rte_hash/workloads.h"

#include <array>
#include <bit>
#include <memory>

#include "bench/peers/huge_pages.h"
#include "bench/peers/rte_hash/table.h"
#include "bench/workloads/harness.h"
#include "bench/workloads/traffic.h"

namespace uct::bench::rte_hash {

namespace {

static_assert(Table::kBurst == kBurst);

constexpr std::uint64_t kPackets = 8'000'000;

/// A connection's state: one line, as the library's own has it.
struct alignas(64) Record {
  std::uint64_t last_seen;
  std::uint64_t packets;
  std::uint64_t bytes;
  std::uint64_t state;
};

template <typename Key>
using Keys = std::array<Key, kBurst>;

/// The keys count as used, so that making them is not optimised away.
template <typename Key>
void use(const Keys<Key>& keys) {
  asm volatile("" : : "g"(keys.data()) : "memory");
}

template <typename Key>
void make_keys(std::span<const std::uint32_t> picks, Keys<Key>& keys) {
  for (std::size_t i = 0; i < kBurst; ++i) make_key(picks[i], keys[i]);
  use(keys);
}

/// Gives     how many keys found no place.
template <typename Key>
std::uint64_t enter(Table& table, Record* records, std::uint64_t count) {
  std::uint64_t refused = 0;
  Keys<Key> keys;
  for (std::uint64_t i = 0; i < count; ++i) {
    Key& key = keys[i % kBurst];
    make_key(i, key);
    refused += table.add(key, i) ? 0 : 1;
    records[i] = {.last_seen = i, .packets = 1, .bytes = 64, .state = 1};
  }
  return refused;
}

template <typename Key>
void only_make_keys(std::uint64_t count) {
  Keys<Key> keys;
  for (std::uint64_t i = 0; i < count; ++i) {
    make_key(i, keys[i % kBurst]);
    use(keys);
  }
}

/// Gives     how many packets met no connection.
template <typename Key>
std::uint64_t send(const Table& table, Record* records, std::span<const std::uint32_t> picks) {
  Keys<Key> keys;
  std::array<const void*, kBurst> places;
  for (std::size_t i = 0; i < kBurst; ++i) places[i] = &keys[i];
  std::array<void*, kBurst> values;
  std::uint64_t missing = 0;
  for (std::size_t at = 0; at + kBurst <= picks.size(); at += kBurst) {
    make_keys(picks.subspan(at, kBurst), keys);
    const std::uint64_t found = table.find(places, values);
    missing += kBurst - static_cast<std::uint64_t>(std::popcount(found));
    std::array<Record*, kBurst> hits;
    for (std::size_t i = 0; i < kBurst; ++i) {
      const bool hit = (found >> i & 1) != 0;
      hits[i] = &records[hit ? reinterpret_cast<std::uintptr_t>(values[i]) : 0];
      __builtin_prefetch(hits[i], 1, 3);
    }
    for (Record* record : hits) {
      record->last_seen = at;
      record->packets += 1;
      record->bytes += 64;
    }
  }
  return missing;
}

template <typename Key>
void only_make_keys(std::span<const std::uint32_t> picks) {
  Keys<Key> keys;
  for (std::size_t at = 0; at + kBurst <= picks.size(); at += kBurst) {
    make_keys(picks.subspan(at, kBurst), keys);
  }
}

std::vector<std::uint32_t> random_picks(const Options& options) {
  const std::uint64_t count = options.packets != 0 ? options.packets : kPackets;
  std::vector<std::uint32_t> picks(count / kBurst * kBurst);
  Random random(1);
  for (std::uint32_t& pick : picks) {
    pick = static_cast<std::uint32_t>(random.below(options.connections));
  }
  return picks;
}

/// Takes the time of one section on this thread.
template <typename Body>
void time(Timings& timings, std::uint64_t units, Body&& body) {
  timings.add(run_threads(1, [&](unsigned) { body(); }), static_cast<double>(units));
}

template <typename Key>
Result established(const Options& options, int socket) {
  Table table(options.connections, sizeof(Key), socket);
  const HugePages memory(options.connections * sizeof(Record));
  auto* const records = memory.as<Record>();
  Result result;
  if (enter<Key>(table, records, options.connections) != 0) {
    result.wrong = "the table has no place for as many keys as it was made for";
    return result;
  }
  const std::vector<std::uint32_t> picks = random_picks(options);
  Timings driver, all;
  for (unsigned run = 0; run < options.runs; ++run) {
    std::uint64_t missing = 0;
    time(driver, picks.size(), [&] { only_make_keys<Key>(picks); });
    time(all, picks.size(), [&] { missing = send<Key>(table, records, picks); });
    if (missing != 0) result.wrong = "connections were not found";
  }
  result.ns_per_packet = all.ns_per_unit();
  result.driver_ns_per_packet = driver.ns_per_unit();
  return result;
}

template <typename Key>
Result setup(const Options& options, int socket) {
  const HugePages memory(options.connections * sizeof(Record));
  auto* const records = memory.as<Record>();
  Result result;
  Timings driver, all;
  for (unsigned run = 0; run < options.runs; ++run) {
    Table table(options.connections, sizeof(Key), socket);
    std::uint64_t refused = 0;
    time(driver, options.connections, [&] { only_make_keys<Key>(options.connections); });
    time(all, options.connections,
         [&] { refused = enter<Key>(table, records, options.connections); });
    if (refused != 0) result.wrong = "connections found no place";
  }
  result.ns_per_connection = all.ns_per_unit();
  result.driver_ns_per_connection = driver.ns_per_unit();
  result.connections_per_second = all.per_second();
  return result;
}

}  // namespace

std::size_t key_bytes(const Options& options) {
  return options.ipv6 ? sizeof(KeyV6) : sizeof(KeyV4);
}

Result run_established(const Options& options, int socket) {
  return options.ipv6 ? established<KeyV6>(options, socket) : established<KeyV4>(options, socket);
}

Result run_setup(const Options& options, int socket) {
  return options.ipv6 ? setup<KeyV6>(options, socket) : setup<KeyV4>(options, socket);
}

}  // namespace uct::bench::rte_hash
