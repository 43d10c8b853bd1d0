/// Bytes of packets in the making: big-endian fields, checksums.
///
/// Written apart from the library's own code on purpose: a mistake there must not hide here.
/// Threads   none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <uct/key.h>

namespace uct::scenario {

class Bytes {
 public:
  Bytes() = default;
  explicit Bytes(std::size_t size) : all_(size) {}

  std::size_t size() const { return all_.size(); }
  const std::uint8_t* data() const { return all_.data(); }
  std::uint8_t* data() { return all_.data(); }
  std::uint8_t at(std::size_t offset) const { return all_.at(offset); }

  Bytes& u8(std::uint64_t value);
  Bytes& u16(std::uint64_t value);
  Bytes& u32(std::uint64_t value);
  Bytes& zeros(std::size_t count);
  Bytes& append(const Bytes& other);
  Bytes& append(const Address& address);
  Bytes& pattern(std::size_t count);  ///< 0, 1, 2, ... as payload

  /// Overwrites, as far as the bytes are there.
  void set_u8(std::size_t offset, std::uint64_t value);
  void set_u16(std::size_t offset, std::uint64_t value);
  void set_u32(std::size_t offset, std::uint64_t value);
  void set(std::size_t offset, const Address& address);

  void resize(std::size_t size) { all_.resize(size); }
  Bytes slice(std::size_t from, std::size_t to) const;

 private:
  std::vector<std::uint8_t> all_;
};

/// The sum of RFC 1071 over `bytes` from `from` to `to`, on top of `sum`; not complemented.
std::uint32_t add_to_sum(std::uint32_t sum, const Bytes& bytes, std::size_t from, std::size_t to);

/// Gives     the checksum that a sum amounts to.
std::uint16_t finish_sum(std::uint32_t sum);

/// The sum of the pseudo-header of RFC 9293 section 3.1 or RFC 8200 section 8.1.
std::uint32_t pseudo_header_sum(const Address& source, const Address& destination,
                                std::uint8_t protocol, std::size_t length);

/// CRC32c of RFC 9260 appendix A.
std::uint32_t crc32c(const Bytes& bytes);

}  // namespace uct::scenario
