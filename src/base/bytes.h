/// Loads of big-endian numbers from raw bytes, at any alignment.
///
/// Included wherever bytes off the wire are read. None checks bounds: who calls knows the size.
/// Threads   pure functions.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace uct::core {

inline std::uint8_t load_u8(const std::byte* bytes) { return static_cast<std::uint8_t>(*bytes); }

/// Gives     a number with its bytes in network order, or back: the same on either way.
inline std::uint16_t big_endian(std::uint16_t value) {
  return std::endian::native == std::endian::little ? __builtin_bswap16(value) : value;
}

inline std::uint32_t big_endian(std::uint32_t value) {
  if constexpr (std::endian::native == std::endian::little) value = __builtin_bswap32(value);
  return value;
}

inline std::uint16_t load_be16(const std::byte* bytes) {
  std::uint16_t value;
  std::memcpy(&value, bytes, sizeof(value));
  if constexpr (std::endian::native == std::endian::little) value = __builtin_bswap16(value);
  return value;
}

inline std::uint32_t load_be32(const std::byte* bytes) {
  std::uint32_t value;
  std::memcpy(&value, bytes, sizeof(value));
  if constexpr (std::endian::native == std::endian::little) value = __builtin_bswap32(value);
  return value;
}

}  // namespace uct::core
