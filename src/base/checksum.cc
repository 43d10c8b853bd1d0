// The Internet checksum of what is longer than a header is summed by vectors. That is written once,
// in the compiler's vector types, and compiled for AVX-512, AVX2 and the baseline, each with its
// own width: GCC 12 takes a wider vector apart by way of memory. The processor is asked once, at
// the first call.
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

/// Gives     the last byte of an odd range as the 16-bit word that it is the first byte of.
inline std::uint16_t last_word(std::byte last) {
  const std::byte bytes[2] = {last, std::byte{0}};
  std::uint16_t word;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

template <class Word>
inline std::uint64_t load_word(const std::byte* p) {
  Word word;
  std::memcpy(&word, p, sizeof(word));
  return word;
}

using Lanes2 = std::uint64_t __attribute__((vector_size(16)));
using Lanes4 = std::uint64_t __attribute__((vector_size(32)));
using Lanes8 = std::uint64_t __attribute__((vector_size(kOnesSumVector)));

/// Loaded so that it ends n bytes behind the middle, it is a mask that keeps a vector's last n.
constexpr auto kKeepLast = [] {
  std::array<std::uint8_t, 2 * kOnesSumVector> mask{};
  for (std::size_t i = kOnesSumVector; i < mask.size(); ++i) mask[i] = 0xff;
  return mask;
}();

/// Sums vectors, each 64-bit lane as its two halves: 2^31 times are possible before a lane is full.
/// What does not fill a vector is read with bytes before it, those masked away: no loop and no
/// branch depend on how many are left.
template <class Lanes>
[[gnu::always_inline]] inline std::uint64_t sum_lanes(Bytes bytes) {
  constexpr std::size_t kSize = sizeof(Lanes);
  const std::byte* p = bytes.data();
  const std::byte* const end = p + (bytes.size() & ~std::size_t{1});
  Lanes sums{};
  Lanes words;
  auto left = static_cast<std::size_t>(end - p);
  for (; left >= kSize; p += kSize, left -= kSize) {
    std::memcpy(&words, p, kSize);
    sums += (words & 0xffffffff) + (words >> 32);
  }
  Lanes mask;
  std::memcpy(&words, end - kSize, kSize);
  std::memcpy(&mask, kKeepLast.data() + kOnesSumVector - kSize + left, kSize);
  words &= mask;
  sums += (words & 0xffffffff) + (words >> 32);
  std::uint64_t sum = bytes.size() % 2 != 0 ? last_word(*end) : 0;
  for (std::size_t i = 0; i < kSize / 8; ++i) sum += sums[i];
  return sum;
}

std::uint64_t sum_baseline(Bytes bytes) { return sum_lanes<Lanes2>(bytes); }

#if defined(__x86_64__)
[[gnu::target("avx2")]] std::uint64_t sum_avx2(Bytes bytes) { return sum_lanes<Lanes4>(bytes); }

[[gnu::target("avx512f,avx512dq,avx512vl")]] std::uint64_t sum_avx512(Bytes bytes) {
  return sum_lanes<Lanes8>(bytes);
}
#endif

/// The plain way, for what is shorter than a vector: headers, mostly.
inline std::uint64_t sum_short(Bytes bytes) {
  const std::byte* p = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t sum = 0;
  for (; left >= 8; p += 8, left -= 8) {
    const std::uint64_t word = load_word<std::uint64_t>(p);
    sum += (word & 0xffffffff) + (word >> 32);
  }
  if ((left & 4) != 0) sum += load_word<std::uint32_t>(p);
  p += left & 4;
  if ((left & 2) != 0) sum += load_word<std::uint16_t>(p);
  p += left & 2;
  return (left & 1) != 0 ? sum + last_word(*p) : sum;
}

/// Gives     the sum folded to 16 bits, 0 only for 0. Of a number added to itself with its halves
///           exchanged, the upper half is the sum of both halves with the carry around.
inline std::uint16_t fold(std::uint64_t sum) {
  const auto words = static_cast<std::uint32_t>((sum + std::rotl(sum, 32)) >> 32);
  return static_cast<std::uint16_t>((words + std::rotl(words, 16)) >> 16);
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

std::span<const OnesSumVectors> ones_sum_vectors() {
#if defined(__x86_64__)
  static constexpr OnesSumVectors kWidestFirst[] = {sum_avx512, sum_avx2, sum_baseline};
  const std::span<const OnesSumVectors> all(kWidestFirst);
  if (__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) return all;
  return all.subspan(__builtin_cpu_supports("avx2") ? 1 : 2);
#else
  static constexpr OnesSumVectors kOnly[] = {sum_baseline};
  return kOnly;
#endif
}

std::uint16_t ones_sum(Bytes bytes, std::uint64_t start) {
  if (bytes.size() < kOnesSumVector) return fold(add_around(sum_short(bytes), start));
  static const OnesSumVectors sum_fastest = ones_sum_vectors().front();
  return fold(add_around(sum_fastest(bytes), start));
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
