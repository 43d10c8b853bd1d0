/// Checksums that follow a change of what they cover, without reading the rest of it.
///
/// An Internet checksum follows by RFC 1624 equation 3: HC' = ~(~HC + ~m + m'). A CRC is linear: it
/// changes by the CRC of the change alone, whatever the other bytes are. Both keep what they found:
/// a checksum that was right stays right, and one that was wrong stays wrong by as much.
///
/// Included by nat. Numbers are taken as they stand in memory, as in checksum.h.
/// Threads   pure functions, and values.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/checksum.h"

namespace uct::core {

/// Changes of bytes that an Internet checksum covers, collected and then applied to it, or to all
/// that cover them.
class ChecksumUpdate {
 public:
  /// Each of the two may be called 2^30 times.
  void replace16(std::uint16_t old, std::uint16_t now) {
    sum_ += static_cast<std::uint16_t>(~old) + std::uint64_t{now};
  }
  void replace32(std::uint32_t old, std::uint32_t now) { sum_ += std::uint64_t{~old} + now; }

  /// Replaces a range by another.
  ///
  /// Requires  both of one size; they begin at an even offset from where the checksum's cover
  ///           begins. The last byte of an odd size is half of a word whose other half stays.
  void replace(Bytes old, Bytes now) {
    std::size_t at = 0;
    for (; at + 2 <= old.size(); at += 2) replace16(word_at(old, at), word_at(now, at));
    if (at < old.size()) replace16(half_word(old[at]), half_word(now[at]));
  }

  void add(const ChecksumUpdate& other) { sum_ += other.sum_; }

  /// Gives     all of it in 16 bits: 0 only when nothing was replaced.
  std::uint16_t folded() const { return static_cast<std::uint16_t>(~apply(0xffff)); }

  /// Gives     the checksum behind the changes that was `checksum` before them: 0, never 0xffff,
  ///           where the two are the same number, unless nothing was replaced or all that is
  ///           covered is zero.
  std::uint16_t apply(std::uint16_t checksum) const {
    const std::uint64_t sum = sum_ + static_cast<std::uint16_t>(~checksum);
    // Of a number added to itself with its halves exchanged, the upper half is the sum of both
    // halves with the carry around; it is 0 only for 0.
    const auto words = static_cast<std::uint32_t>((sum + std::rotl(sum, 32)) >> 32);
    return static_cast<std::uint16_t>(~((words + std::rotl(words, 16)) >> 16));
  }

 private:
  static std::uint16_t word_at(Bytes bytes, std::size_t at) {
    std::uint16_t word;
    std::memcpy(&word, bytes.data() + at, sizeof(word));
    return word;
  }
  static std::uint16_t half_word(std::byte first) {
    const std::byte both[2] = {first, std::byte{0}};
    return word_at(both, 0);
  }

  std::uint64_t sum_ = 0;
};

/// A change that many packets have in common, folded to 16 bits; or the way back. For a checksum it
/// does what the ChecksumUpdate does that it was folded from, unless that replaced nothing but ones
/// by nothing but zeros: ports are in every tuple, and never 0.
class ChecksumStep {
 public:
  /// Requires  `step` is not 0: something was replaced
  ChecksumStep(std::uint16_t step, bool back)
      : step_(step ^ (0xffff & (0U - std::uint32_t{back}))) {}

  std::uint16_t apply(std::uint16_t checksum) const {
    // ~checksum, and once more 0xffff, which changes nothing but a sum of 0 on the way back.
    const std::uint32_t sum = step_ + (0x1fffe - checksum);
    return static_cast<std::uint16_t>(~((sum + std::rotl(sum, 16)) >> 16));
  }

 private:
  std::uint32_t step_;  ///< the way back is what is missing to 0xffff
};

namespace detail {

/// Multiplies polynomials modulo Castagnoli's, in the reflected order of CRC32c: the top bit is 1.
constexpr std::uint32_t crc32c_multiply(std::uint32_t a, std::uint32_t b) {
  constexpr std::uint32_t kCastagnoli = 0x82f63b78;
  std::uint32_t product = 0;
  for (; a != 0; a <<= 1) {
    product ^= b & (0 - (a >> 31));
    b = b >> 1 ^ (kCastagnoli & (0 - (b & 1)));
  }
  return product;
}

/// At [n][v] the polynomial by which v * 256^n bytes of zeros multiply: x to the power of 8 times
/// that.
inline constexpr auto kCrc32cZeros = [] {
  std::array<std::array<std::uint32_t, 256>, 2> powers{};
  std::uint32_t step = 0x00800000;  // x^8
  for (auto& row : powers) {
    row[0] = 0x80000000;  // 1
    for (std::size_t v = 1; v < row.size(); ++v) row[v] = crc32c_multiply(row[v - 1], step);
    step = crc32c_multiply(row[255], step);
  }
  return powers;
}();

}  // namespace detail

/// Gives     the bits in which the CRC32c of `size` bytes changes when their first four change in
///           the bits `changed`; both as little-endian numbers, as SCTP stores its checksum.
///
/// Requires  4 <= size <= 65535
/// Cost      at most two multiplications of 32 steps, 30 ns each, whatever the size: no payload is
///           read.
constexpr std::uint32_t crc32c_change(std::uint32_t changed, std::uint32_t size) {
  for (const auto& row : detail::kCrc32cZeros) {
    const std::uint32_t digit = size & 0xff;
    if (digit != 0) changed = detail::crc32c_multiply(row[digit], changed);
    size >>= 8;
  }
  return changed;
}

}  // namespace uct::core
