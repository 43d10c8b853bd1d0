#include "bench/peers/rte_hash/table.h"

#include <rte_errno.h>
#include <rte_hash_crc.h>

#include <bit>
#include <stdexcept>
#include <string>

namespace uct::bench::rte_hash {

Table::Table(std::uint64_t entries, std::size_t key_bytes, int socket) {
  rte_hash_parameters parameters{};
  parameters.name = "connections";
  parameters.entries = static_cast<std::uint32_t>(entries);
  parameters.key_len = static_cast<std::uint32_t>(key_bytes);
  parameters.hash_func = rte_hash_crc;
  parameters.socket_id = socket;
  table_ = rte_hash_create(&parameters);
  if (table_ == nullptr) {
    throw std::runtime_error(std::string("DPDK makes no table: ") + rte_strerror(rte_errno));
  }
}

double load(std::uint64_t entries) {
  return static_cast<double>(entries) / static_cast<double>(std::bit_ceil(entries));
}

std::size_t heap_bytes(std::uint64_t entries, std::size_t key_bytes) {
  // DPDK rounds places and free numbers up to a power of two. A place is an eighth of a bucket of
  // 64 bytes; a free number has 4 bytes; a key is stored behind 16 bytes of its own.
  constexpr std::size_t kPlace = 64 / 8 + 4;
  constexpr std::size_t kStored = 16;
  constexpr std::size_t kSlack = std::size_t{32} << 20;  // what else it asks for, and gaps
  return std::bit_ceil(entries) * kPlace + entries * (kStored + key_bytes) + kSlack;
}

}  // namespace uct::bench::rte_hash
