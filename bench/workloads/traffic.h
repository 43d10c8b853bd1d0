/// Packets of numbered connections, built as bytes.
///
/// Connection i has a tuple of its own, spread over the address space by an odd multiplier, and
/// initial sequence numbers that follow from i: nothing about a connection is kept, so that the
/// driver's memory does not compete with the tracker's. Clients have addresses of every kind, the
/// odd ones too: no tracker asks. Building a packet writes what differs into a frame that has the
/// rest already; checksums are left out and marked good, as a NIC would.
///
/// Relies on <uct/packet.h>; used by every workload.
/// Threads   one Burst a thread.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <uct/packet.h>

namespace uct::bench {

inline constexpr std::size_t kBurst = 32;

/// TCP flags by their names in the header.
inline constexpr std::uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAck = 0x10;

enum class Side : std::uint8_t { client, server };

/// One segment, in numbers relative to the two initial sequence numbers.
struct Segment {
  Side from = Side::client;
  std::uint8_t flags = kAck;
  std::uint32_t seq = 1;
  std::uint32_t ack = 1;
  std::uint32_t payload = 0;  ///< at most kPayloadMax bytes
};
inline constexpr std::uint32_t kPayloadMax = 64;

/// A Weyl sequence, mixed by two multiplications: enough to pick connections, and 1 ns a number.
class Random {
 public:
  /// The seed is mixed, so that neighbouring seeds do not give one sequence a step apart.
  explicit Random(std::uint64_t seed) : state_(mix(seed + 1)) {}

  std::uint64_t next() { return mix(state_ += 0x9e3779b97f4a7c15U); }

  /// Gives     a number below `bound`, by D. Lemire, "Fast random integer generation in an
  ///           interval", 2019, without his correction: the bias is below bound / 2^32.
  ///
  /// Requires  bound <= 2^32
  std::uint64_t below(std::uint64_t bound) { return (next() >> 32) * bound >> 32; }

 private:
  static std::uint64_t mix(std::uint64_t x) {
    x = (x ^ x >> 32) * 0xd6e8feb86659fd93U;
    x = (x ^ x >> 32) * 0xd6e8feb86659fd93U;
    return x ^ x >> 32;
  }

  std::uint64_t state_;
};

struct TrafficShape {
  bool ipv6 = false;
  bool udp = false;
};

/// Up to kBurst packets and their bytes, in the first-level cache.
class Burst {
 public:
  explicit Burst(TrafficShape shape);

  std::span<Packet> packets(std::size_t count) { return {packets_.data(), count}; }

  /// Builds the TCP segment, or a datagram of its direction, at `place`.
  void put(std::size_t place, std::uint64_t connection, const Segment& segment) {
    if (shape_.ipv6) {
      put_v6(place, connection, segment);
    } else {
      put_v4(place, connection, segment);
    }
  }

  std::byte* bytes(std::size_t place) { return frames_[place].data(); }

 private:
  static constexpr std::size_t kFrame = 192;  ///< headers of IPv6 and TCP, and kPayloadMax
  static constexpr std::uint32_t kEthernet = 14;

  /// What the sender has, and what the other side has.
  struct Pair {
    std::uint32_t sender, receiver;
  };
  /// Which side sends is not to be foreseen, and the driver should not pay for that: no branch.
  static Pair ordered(Side from, std::uint32_t client, std::uint32_t server) {
    const std::uint32_t swap = (client ^ server) & (0U - static_cast<std::uint32_t>(from));
    return {client ^ swap, server ^ swap};
  }

  /// The client's address of connection i: 32 bits that are i's alone.
  static std::uint32_t spread(std::uint64_t i) {
    return static_cast<std::uint32_t>(i) * 0x9e3779b1U;
  }
  static Pair initial_numbers(Side from, std::uint64_t i) {
    const auto low = static_cast<std::uint32_t>(i);
    return ordered(from, low * 0x85ebca6bU, low * 0xc2b2ae35U);
  }

  void put_v4(std::size_t place, std::uint64_t connection, const Segment& segment);
  void put_v6(std::size_t place, std::uint64_t connection, const Segment& segment);
  void put_transport(std::size_t place, std::uint32_t network_size, std::uint64_t connection,
                     const Segment& segment);

  static void store16(std::byte* to, std::uint16_t value) {
    value = __builtin_bswap16(value);
    std::memcpy(to, &value, sizeof(value));
  }
  static void store32(std::byte* to, std::uint32_t value) {
    value = __builtin_bswap32(value);
    std::memcpy(to, &value, sizeof(value));
  }

  TrafficShape shape_;
  std::array<Packet, kBurst> packets_;
  alignas(64) std::array<std::array<std::byte, kFrame>, kBurst> frames_;
};

// ---- inline, because it is the driver's inner loop ----------------------------------------------

inline void Burst::put_transport(std::size_t place, std::uint32_t network_size,
                                 std::uint64_t connection, const Segment& segment) {
  std::byte* transport = frames_[place].data() + kEthernet + network_size;
  // Bits of the number above 32 go on in the client's port.
  const auto client_port = 1024 + static_cast<std::uint32_t>(connection >> 32);
  const Pair ports = ordered(segment.from, client_port, 443);
  store32(transport, ports.sender << 16 | ports.receiver);
  const std::uint32_t header = shape_.udp ? 8 : 20;
  if (shape_.udp) {
    store16(transport + 4, static_cast<std::uint16_t>(header + segment.payload));
  } else {
    const Pair initial = initial_numbers(segment.from, connection);
    const std::uint32_t has_ack = (segment.flags & kAck) / kAck;
    store32(transport + 4, initial.sender + segment.seq);
    store32(transport + 8, (initial.receiver + segment.ack) & (0U - has_ack));
    transport[13] = static_cast<std::byte>(segment.flags);
  }
  packets_[place].size = kEthernet + network_size + header + segment.payload;
}

inline void Burst::put_v4(std::size_t place, std::uint64_t connection, const Segment& segment) {
  std::byte* ip = frames_[place].data() + kEthernet;
  const std::uint32_t client = spread(connection);
  const Pair addresses = ordered(segment.from, client, 0xc6336400U | (client >> 3 & 0xff));
  store32(ip + 12, addresses.sender);
  store32(ip + 16, addresses.receiver);
  const std::uint32_t header = shape_.udp ? 8 : 20;
  store16(ip + 2, static_cast<std::uint16_t>(20 + header + segment.payload));
  put_transport(place, 20, connection, segment);
}

inline void Burst::put_v6(std::size_t place, std::uint64_t connection, const Segment& segment) {
  std::byte* ip = frames_[place].data() + kEthernet;
  // 2001:db8:1::/96 for clients, 2001:db8:2::/120 for servers; what they have in common stands in
  // the frame.
  const Pair networks = ordered(segment.from, 1, 2);
  ip[8 + 5] = static_cast<std::byte>(networks.sender);
  ip[24 + 5] = static_cast<std::byte>(networks.receiver);
  const std::uint32_t client = spread(connection);
  const Pair hosts = ordered(segment.from, client, client >> 3 & 0xff);
  store32(ip + 8 + 12, hosts.sender);
  store32(ip + 24 + 12, hosts.receiver);
  const std::uint32_t header = shape_.udp ? 8 : 20;
  store16(ip + 4, static_cast<std::uint16_t>(header + segment.payload));
  put_transport(place, 40, connection, segment);
}

}  // namespace uct::bench
