/// Which of 32 bytes are equal to one: how a block is sorted by shard without a branch a packet.
///
/// Included by pipeline.cc and its test.
/// Threads   pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace uct::core {

using Bytes32 = std::array<std::uint8_t, 32>;

/// The plain version, compiled and tested beside the other one everywhere.
inline std::uint32_t same_byte_scalar(const Bytes32& bytes, std::uint8_t wanted) {
  std::uint32_t bits = 0;
  for (unsigned i = 0; i < 32; ++i) bits |= static_cast<std::uint32_t>(bytes[i] == wanted) << i;
  return bits;
}

#if defined(__SSE2__)
inline std::uint32_t same_byte(const Bytes32& bytes, std::uint8_t wanted) {
  const __m128i all = _mm_set1_epi8(static_cast<char>(wanted));
  __m128i half[2];
  std::memcpy(half, bytes.data(), sizeof(half));
  const auto low = static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(half[0], all)));
  const auto high = static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(half[1], all)));
  return low | high << 16;
}
#else
inline std::uint32_t same_byte(const Bytes32& bytes, std::uint8_t wanted) {
  return same_byte_scalar(bytes, wanted);
}
#endif

}  // namespace uct::core
