/// Fragments of UDP datagrams over IPv4 as bare bytes, for tests that send many.
///
/// Threads   values.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <uct/packet.h>

#include "tests/support/udp_frames.h"

namespace uct::test {

/// Which part of a datagram, in bytes.
struct Part {
  std::uint32_t offset = 0;
  std::uint32_t size = 16;
  bool more = true;
};

inline constexpr Part kFirst{0, 16, true};
inline constexpr Part kLast{16, 8, false};

class FragmentFrame {
 public:
  /// Requires  a first part to have the eight bytes of UDP's header.
  FragmentFrame(const End& from, const End& to, std::uint16_t id, const Part& part)
      : bytes_(20 + part.size) {
    UdpFrame whole(from, to);
    const Packet packet = whole.packet();
    const std::size_t copied = part.offset == 0 ? packet.size : 20;
    std::copy(packet.data, packet.data + copied, bytes_.begin());
    put16(2, static_cast<unsigned>(bytes_.size()));
    put16(4, id);
    put16(6, (part.more ? 0x2000U : 0U) | part.offset / 8);
  }

  Packet packet(std::uint64_t user = 0) {
    Packet packet;
    packet.data = bytes_.data();
    packet.size = static_cast<std::uint32_t>(bytes_.size());
    packet.link = LinkType::raw_ip;
    packet.ip_checksum = ChecksumStatus::good;
    packet.user = user;
    return packet;
  }

 private:
  void put16(std::size_t at, unsigned value) {
    bytes_[at] = static_cast<std::byte>(value >> 8 & 0xff);
    bytes_[at + 1] = static_cast<std::byte>(value & 0xff);
  }

  std::vector<std::byte> bytes_;
};

}  // namespace uct::test
