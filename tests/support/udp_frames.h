/// UDP packets over IPv4 as bare bytes, for tests that send many.
///
/// Included by tests of translation: they write addresses and ports, and read what became of them.
/// Threads   values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <uct/tracker.h>

namespace uct::test {

/// An address and a port.
struct End {
  std::uint32_t address = 0;
  std::uint16_t port = 0;

  auto operator<=>(const End&) const = default;
};

/// An IPv4 address from its number, and back.
inline Address address_of(std::uint32_t number) {
  Address address;
  for (unsigned i = 0; i < 4; ++i) {
    address.bytes[i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  }
  return address;
}
inline std::uint32_t number_of(const Address& address) {
  std::uint32_t number = 0;
  for (unsigned i = 0; i < 4; ++i) number = number << 8 | address.bytes[i];
  return number;
}

/// IPv4 and UDP headers without payload and without UDP checksum.
class UdpFrame {
 public:
  UdpFrame() = default;
  UdpFrame(const End& from, const End& to) {
    put8(0, 0x45);
    put8(3, kSize);
    put8(8, 64);
    put8(9, 17);
    put32(12, from.address);
    put32(16, to.address);
    put16(20, from.port);
    put16(22, to.port);
    put8(25, 8);
  }

  End source() const { return {get32(12), get16(20)}; }
  End destination() const { return {get32(16), get16(22)}; }

  /// A view; what is translated is written through it.
  Packet packet() {
    Packet packet;
    packet.data = bytes_.data();
    packet.size = kSize;
    packet.link = LinkType::raw_ip;
    packet.ip_checksum = ChecksumStatus::good;
    return packet;
  }

 private:
  static constexpr std::uint8_t kSize = 28;

  void put8(std::size_t at, unsigned value) { bytes_[at] = static_cast<std::byte>(value); }
  void put16(std::size_t at, unsigned value) {
    put8(at, value >> 8 & 0xff);
    put8(at + 1, value & 0xff);
  }
  void put32(std::size_t at, std::uint32_t value) {
    put16(at, value >> 16);
    put16(at + 2, value & 0xffff);
  }
  std::uint16_t get16(std::size_t at) const {
    return static_cast<std::uint16_t>(static_cast<unsigned>(bytes_[at]) << 8 |
                                      static_cast<unsigned>(bytes_[at + 1]));
  }
  std::uint32_t get32(std::size_t at) const {
    return std::uint32_t{get16(at)} << 16 | get16(at + 2);
  }

  std::array<std::byte, kSize> bytes_{};
};

inline Verdict process_one(Tracker& tracker, UdpFrame& frame, const Request& request,
                           Timestamp now) {
  Packet packet = frame.packet();
  Verdict verdict;
  tracker.process({&packet, 1}, request, now, {&verdict, 1});
  return verdict;
}

}  // namespace uct::test
