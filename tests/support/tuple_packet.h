/// Small packets made from tuples, for tests that need many of them and no wire oddities.
///
/// The bytes are raw IP (no link header) and said to have good checksums; packets with every oddity
/// are made by scenario_packet.h.
/// Threads   values only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <uct/tracker.h>

namespace uct::test {

/// One packet that owns its bytes. packet() is good while this one stays where it is.
class TuplePacket {
 public:
  Packet packet() const;
  std::uint32_t size() const { return size_; }

  void append(const Address& address);
  void u8(std::uint32_t value) { bytes_.at(size_++) = static_cast<std::byte>(value & 0xff); }
  void u16(std::uint32_t value) { u8(value >> 8), u8(value); }
  void u32(std::uint32_t value) { u16(value >> 16), u16(value); }
  void append(const TuplePacket& other);

  /// Gives     the same packet with another byte at `offset`.
  TuplePacket with_byte(std::uint32_t offset, std::uint8_t value) const {
    TuplePacket other = *this;
    other.bytes_.at(offset) = std::byte{value};
    return other;
  }

 private:
  std::array<std::byte, 192> bytes_{};
  std::uint32_t size_ = 0;
};

/// What a TCP segment says beside its tuple.
struct TcpSegment {
  std::uint8_t flags = 0x02;  ///< SYN
  std::uint32_t seq = 1000;
  std::uint32_t ack = 0;
};

inline constexpr std::uint8_t kSyn = 0x02, kAck = 0x10, kSynAck = 0x12, kRst = 0x04, kFin = 0x01;

/// Gives     a packet that carries `tuple`; `payload` bytes (at most 32) follow its headers.
TuplePacket make_packet(const Tuple& tuple, std::uint32_t payload = 0,
                        const TcpSegment& segment = {});

/// Gives     an ICMP error of the family of `quoted` that quotes a packet with that tuple.
TuplePacket make_error(const Address& router, const Tuple& quoted, const TcpSegment& segment = {});

/// Gives     the tuple of the packets that answer `tuple`.
Tuple reversed(const Tuple& tuple);

/// Gives     10.x.y.z or 2001:db8::x:y:z with the lowest 24 bits of `number`.
Address numbered_address(Family family, std::uint32_t number);

/// Gives     a UDP tuple of its own for each number; bit 0 chooses the family when `mixed`.
Tuple numbered_udp(std::uint32_t number, bool mixed = false);

/// Hands in one packet. Gives its verdict.
Verdict send(Tracker& tracker, const TuplePacket& packet, const Request& request, Timestamp now);

/// Gives     `ms` milliseconds after the zero point.
Timestamp at_ms(std::int64_t ms);

/// Gives     every live connection, by as many calls as `piece` needs.
std::vector<ConnectionInfo> dump_all(const Tracker& tracker, Timestamp now, std::size_t piece = 64);

}  // namespace uct::test
