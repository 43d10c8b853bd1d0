#include "tests/support/scenario_bytes.h"

#include <algorithm>

namespace uct::scenario {

namespace {

std::size_t size_of(const Address& address) { return address.family == Family::ipv4 ? 4 : 16; }

}  // namespace

Bytes& Bytes::u8(std::uint64_t value) {
  all_.push_back(static_cast<std::uint8_t>(value & 0xff));
  return *this;
}

Bytes& Bytes::u16(std::uint64_t value) { return u8(value >> 8).u8(value); }

Bytes& Bytes::u32(std::uint64_t value) { return u16(value >> 16).u16(value); }

Bytes& Bytes::zeros(std::size_t count) {
  all_.resize(all_.size() + count);
  return *this;
}

Bytes& Bytes::append(const Bytes& other) {
  all_.insert(all_.end(), other.all_.begin(), other.all_.end());
  return *this;
}

Bytes& Bytes::append(const Address& address) {
  for (std::size_t i = 0; i < size_of(address); ++i) u8(address.bytes[i]);
  return *this;
}

Bytes& Bytes::pattern(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) u8(i);
  return *this;
}

void Bytes::set_u8(std::size_t offset, std::uint64_t value) {
  if (offset < size()) all_[offset] = static_cast<std::uint8_t>(value & 0xff);
}

void Bytes::set_u16(std::size_t offset, std::uint64_t value) {
  set_u8(offset, value >> 8);
  set_u8(offset + 1, value);
}

void Bytes::set_u32(std::size_t offset, std::uint64_t value) {
  set_u16(offset, value >> 16);
  set_u16(offset + 2, value);
}

void Bytes::set(std::size_t offset, const Address& address) {
  for (std::size_t i = 0; i < size_of(address); ++i) set_u8(offset + i, address.bytes[i]);
}

Bytes Bytes::slice(std::size_t from, std::size_t to) const {
  to = std::min(to, size());
  Bytes part;
  for (std::size_t i = from; i < to; ++i) part.u8(all_[i]);
  return part;
}

std::uint32_t add_to_sum(std::uint32_t sum, const Bytes& bytes, std::size_t from, std::size_t to) {
  to = std::min(to, bytes.size());
  for (std::size_t i = from; i < to; ++i) {
    const std::uint32_t byte = bytes.at(i);
    sum += (i - from) % 2 == 0 ? byte << 8 : byte;
  }
  return sum;
}

std::uint16_t finish_sum(std::uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum & 0xffff);
}

std::uint32_t pseudo_header_sum(const Address& source, const Address& destination,
                                std::uint8_t protocol, std::size_t length) {
  Bytes header;
  header.append(source).append(destination).u32(length).u32(protocol);
  return add_to_sum(0, header, 0, header.size());
}

std::uint32_t crc32c(const Bytes& bytes) {
  std::uint32_t crc = 0xffffffff;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    crc ^= bytes.at(i);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
  }
  return ~crc;
}

}  // namespace uct::scenario
