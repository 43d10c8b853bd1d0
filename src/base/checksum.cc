#include "base/checksum.h"

#include <array>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace uct::core {

namespace {

/// Adds with the carry around, on 64 bits: 2^64 - 1 is a multiple of 2^16 - 1, so that nothing is
/// lost.
inline std::uint64_t add_around(std::uint64_t sum, std::uint64_t word) {
  sum += word;
  return sum + (sum < word ? 1 : 0);
}

constexpr std::uint32_t kCastagnoli = 0x82f63b78;  // reflected polynomial

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value & 1) != 0 ? value >> 1 ^ kCastagnoli : value >> 1;
    }
    table[i] = value;
  }
  return table;
}

constexpr std::array<std::uint32_t, 256> kTable = make_table();

#if defined(__x86_64__)
[[gnu::target("sse4.2")]] std::uint32_t crc32c_sse42(std::uint32_t crc, Bytes bytes) {
  const std::byte* p = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t wide = crc;
  for (; left >= 8; p += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, p, sizeof(word));
    wide = _mm_crc32_u64(wide, word);
  }
  auto narrow = static_cast<std::uint32_t>(wide);
  for (; left > 0; ++p, --left) narrow = _mm_crc32_u8(narrow, static_cast<std::uint8_t>(*p));
  return narrow;
}
#endif

}  // namespace

std::uint16_t ones_sum(Bytes bytes, std::uint64_t start) {
  const std::byte* p = bytes.data();
  const std::size_t words = bytes.size() / 4;
  std::uint64_t sum = 0;  // 2^32 words fit; a plain loop, so that the compiler makes vectors of it
  for (std::size_t i = 0; i < words; ++i) {
    std::uint32_t word;
    std::memcpy(&word, p + 4 * i, sizeof(word));
    sum += word;
  }
  std::uint32_t rest = 0;
  if (bytes.size() % 4 != 0) std::memcpy(&rest, p + 4 * words, bytes.size() % 4);
  sum = add_around(sum + rest, start);
  sum = (sum >> 32) + (sum & 0xffffffff);
  sum = (sum >> 16 & 0xffff) + (sum & 0xffff) + (sum >> 32);
  sum = (sum >> 16) + (sum & 0xffff);
  return static_cast<std::uint16_t>((sum >> 16) + sum);
}

std::uint64_t pseudo_header_sum(Bytes addresses, std::uint8_t protocol, std::uint32_t length) {
  // Protocol and length in the places of an IPv6 pseudo header; in one's complement it is the same
  // sum as IPv4's.
  const std::uint8_t tail[8] = {static_cast<std::uint8_t>(length >> 24),
                                static_cast<std::uint8_t>(length >> 16),
                                static_cast<std::uint8_t>(length >> 8),
                                static_cast<std::uint8_t>(length),
                                0,
                                0,
                                0,
                                protocol};
  std::uint64_t word;
  std::memcpy(&word, tail, sizeof(word));
  std::uint64_t sum = word;
  for (std::size_t i = 0; i + 8 <= addresses.size(); i += 8) {
    std::memcpy(&word, addresses.data() + i, sizeof(word));
    sum = add_around(sum, word);
  }
  return sum;
}

std::uint32_t crc32c_table(std::uint32_t crc, Bytes bytes) {
  for (const std::byte byte : bytes) {
    crc = kTable[(crc ^ static_cast<std::uint8_t>(byte)) & 0xff] ^ crc >> 8;
  }
  return crc;
}

std::uint32_t crc32c(std::uint32_t crc, Bytes bytes) {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  if (has_instruction) return crc32c_sse42(crc, bytes);
#endif
  return crc32c_table(crc, bytes);
}

std::uint32_t sctp_crc32c(Bytes bytes, std::size_t zeroed) {
  constexpr std::byte kZeros[4] = {};
  std::uint32_t crc = crc32c(0xffffffff, bytes.first(zeroed));
  crc = crc32c(crc, kZeros);
  return ~crc32c(crc, bytes.subspan(zeroed + sizeof(kZeros)));
}

}  // namespace uct::core
