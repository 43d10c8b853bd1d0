/// DPDK's hash table of connections: keys, what they are made of, and the table's owner.
///
/// Relies on libdpdk; used by workloads.cc and main.cc.
/// Threads   one.
#pragma once

#include <rte_hash.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace uct::bench::rte_hash {

/// A connection's key as a program would lay it out: two addresses, then ports, protocol and zone.
struct KeyV4 {
  std::uint32_t addresses[2];
  std::uint16_t ports[2];
  std::uint16_t protocol;
  std::uint16_t zone;
};
struct KeyV6 {
  std::uint64_t addresses[4];
  std::uint16_t ports[2];
  std::uint16_t protocol;
  std::uint16_t zone;
};
static_assert(sizeof(KeyV4) == 16 && sizeof(KeyV6) == 40, "without padding, which would be hashed");

/// Gives     64 bits that are i's alone. CRC is linear: numbers in sequence would fall on buckets
///           more evenly than keys do, or less.
inline std::uint64_t spread(std::uint64_t i) {
  std::uint64_t x = (i + 1) * 0x9e3779b97f4a7c15U;
  x = (x ^ x >> 32) * 0xd6e8feb86659fd93U;
  return x ^ x >> 32;
}

inline void make_key(std::uint64_t connection, KeyV4& key) {
  const std::uint64_t bits = spread(connection);
  key = {{static_cast<std::uint32_t>(bits), static_cast<std::uint32_t>(bits >> 32)},
         {static_cast<std::uint16_t>(connection), 443},
         6,
         0};
}

inline void make_key(std::uint64_t connection, KeyV6& key) {
  const std::uint64_t bits = spread(connection);
  key = {{0x20010db800010000U, bits, 0x20010db800020000U, bits >> 48},
         {static_cast<std::uint16_t>(connection), 443},
         6,
         0};
}

/// A table for one thread, without locks, hashed by CRC; memory comes from the heap `socket`.
class Table {
 public:
  /// What rte_hash_lookup_bulk_data takes at once, at most 64: as many as our own bursts.
  static constexpr std::size_t kBurst = 32;

  /// Errors    std::runtime_error.
  Table(std::uint64_t entries, std::size_t key_bytes, int socket);
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  ~Table() { rte_hash_free(table_); }

  /// Gives     false when there is no place.
  template <typename Key>
  bool add(const Key& key, std::uint64_t record) {
    return rte_hash_add_key_data(table_, &key, reinterpret_cast<void*>(record)) == 0;
  }

  /// Gives     a bit for each key that was found; `records` has its value there.
  std::uint64_t find(std::span<const void*, kBurst> keys, std::span<void*, kBurst> records) const {
    std::uint64_t found = 0;
    rte_hash_lookup_bulk_data(table_, keys.data(), kBurst, &found, records.data());
    return found;
  }

 private:
  struct ::rte_hash* table_;
};

/// Gives     the part of a table's places that `entries` keys fill, when it is made for as many.
double load(std::uint64_t entries);

/// Gives     what a heap must have for a table of so many entries.
std::size_t heap_bytes(std::uint64_t entries, std::size_t key_bytes);

}  // namespace uct::bench::rte_hash
