/// Numbers out of a file written in this machine's byte order or in the other one.
///
/// Included by the file formats. A capture is written in its writer's order and says so by a magic
/// number; one well-predicted branch a number costs less than a second copy of each parser.
/// Threads   pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace uct::capture {

class ByteOrder {
 public:
  constexpr ByteOrder() = default;
  explicit constexpr ByteOrder(bool swapped) : swapped_(swapped) {}

  std::uint16_t u16(const std::byte* at) const {
    std::uint16_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return swapped_ ? __builtin_bswap16(value) : value;
  }
  std::uint32_t u32(const std::byte* at) const {
    std::uint32_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return swapped_ ? __builtin_bswap32(value) : value;
  }
  std::uint64_t u64(const std::byte* at) const {
    std::uint64_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return swapped_ ? __builtin_bswap64(value) : value;
  }

 private:
  bool swapped_ = false;  ///< the writer's order is not this machine's
};

}  // namespace uct::capture
