/// The record of a connection, as the packet path reads and writes it.
///
/// Relies on conn/key.h; used by proto (the body), table (the pool) and tracker. What every packet
/// touches fills exactly one cache line for IPv4 and lies in two for IPv6; what is rarely needed
/// stands apart under the same number (Cold).
///
///   IPv4, 64 bytes:  | key 16 | deadline 4 | timeout 4 | counters 8 | protocol 28 | small 4 |
///
/// A translated connection has two places, the second right behind the first: what its packets get
/// is then on the same page, and comes with the record.
///
///   IPv4, 128 bytes:  | record 64 | no key 16 | hash, sides, steps 16 | reply tuple 16 | 16 free |
///
/// Threads   guarded by the lock of the shard that owns the record.
#pragma once

#include <cstddef>
#include <cstdint>

#include <uct/connection.h>

#include "conn/key.h"

namespace uct::core {

/// Status bits of a connection.
namespace status {
inline constexpr std::uint8_t kSeenReply = 0x01;    ///< the responder sent an accepted packet
inline constexpr std::uint8_t kAssured = 0x02;      ///< the exchange completed
inline constexpr std::uint8_t kPickedUp = 0x04;     ///< TCP: opened by a segment without SYN
inline constexpr std::uint8_t kOriginIsOne = 0x08;  ///< the originator is end 1 of the key
inline constexpr std::uint8_t kHasMark = 0x10;      ///< Cold::mark is not 0
inline constexpr std::uint8_t kHasLabel = 0x20;     ///< Cold::label_number names a label
inline constexpr std::uint8_t kTranslated = 0x40;   ///< replies carry another tuple: see Translated
}  // namespace status

/// Packets and bytes of one direction in 32 bits: 12 bits of packets, 20 of bytes. What overflows
/// is carried to Cold, every 4096 packets or 1 MiB, so that the common packet touches one line
/// only.
inline constexpr std::uint32_t kPacketBits = 12;
inline constexpr std::uint32_t kByteBits = 20;

/// A TCP window scale that was not offered. RFC 7323 section 2.3 allows shifts of 0 to 14.
inline constexpr std::uint8_t kScaleUnknown = 15;
inline constexpr std::uint8_t kScaleMax = 14;

/// What TCP tracking keeps, by Direction of the side it is about. Windows are in units of that
/// side's scale, so that 16 bits hold the largest.
struct TcpBody {
  std::uint32_t end[2];      ///< sequence number after the highest byte sent
  std::uint32_t max_end[2];  ///< right edge: the highest it may send up to
  std::uint32_t max_ack[2];  ///< highest acknowledgement it sent
  std::uint16_t max_window[2];
};

/// What SCTP tracking keeps: the verification tag that packets of each direction must carry.
struct SctpBody {
  std::uint32_t tag[2];
  std::uint8_t tag_known[2];  ///< 0, or from what it was learned (proto/sctp.cc)
};

/// What the other tuple of a connection is to its own.
class Sides {
 public:
  /// The bits of StateFlags::snat and dnat.
  static constexpr std::uint8_t kSource = 0x40;  ///< the originator has another address or port
  static constexpr std::uint8_t kDestination = 0x80;  ///< likewise the responder
  static constexpr std::uint8_t kBoth = kSource | kDestination;

  /// own      the end of the connection's own key that stands for the originator
  /// reply    likewise of the reply tuple's
  /// changed  of the bits above
  static constexpr Sides of(unsigned own, unsigned reply, std::uint8_t changed) {
    Sides sides;
    sides.bits_ =
        static_cast<std::uint8_t>(changed | own | (1 - reply) << 1 | reply << 2 | (1 - own) << 3);
    return sides;
  }

  unsigned origin() const { return bits_ >> 2 & 1; }  ///< of the reply tuple's key
  bool source() const { return (bits_ & kSource) != 0; }
  bool destination() const { return (bits_ & kDestination) != 0; }
  std::uint8_t changed() const { return bits_ & kBoth; }

  /// Gives     the end that sends packets which carry the connection's own tuple, as those of the
  ///           originator do, or (1) the reply tuple, as those of the responder.
  unsigned sender(unsigned by_reply) const { return bits_ >> by_reply & 1; }

  /// Gives     the end that sends them once they have the other tuple.
  unsigned sender_of_other(unsigned by_reply) const { return bits_ >> (2 + by_reply) & 1; }

 private:
  std::uint8_t bits_;
};

/// Everything but the key; the same for both families, so that protocols need no templates.
struct Body {
  std::uint32_t deadline;  ///< Tick from which the connection is not found any more
  std::uint32_t timeout;   ///< milliseconds; deadline - timeout is the last accepted packet's time
  std::uint32_t counters[2];  ///< by Direction, see kPacketBits
  union {
    TcpBody tcp;
    SctpBody sctp;
  };
  std::uint8_t state;   ///< low four bits the protocol's state, high four its flags (proto/*.h)
  std::uint8_t status;  ///< status:: bits
  std::uint8_t policy;  ///< TimeoutPolicyId
  std::uint8_t scales;  ///< TCP: window scale of original (low) and reply (high four bits)
};
static_assert(sizeof(Body) == 48, "key and body of an IPv4 connection fill one cache line");

/// The other tuple of a translated connection, beside its record.
///
/// Tuple and hash are what the index says of the reply tuple, in whichever shard that lies: they
/// are written before its entry is made and stay until that is gone, so that either shard's lock is
/// enough to read them. The rest, but for is_entered, needs the lock of the connection's own.
template <typename Key>
struct Translated {
  std::uint64_t hash;       ///< of the connection's own key; read without a lock as a guess
  std::uint8_t is_entered;  ///< 0 while the connection is about to be; see set_entered()
  Sides sides;
  std::uint16_t nat;  ///< the spec whose mappings the connection holds; 0 for none
  /// What a packet's checksums change by when it gets the reply tuple instead of the connection's
  /// own: those that cover addresses, and addresses and ports. See ChecksumStep.
  std::uint16_t addresses_step;
  std::uint16_t tuple_step;
  Key reply;  ///< key of the packets that the responder sends and receives; the generation is that
              ///< of the connection's record
};
static_assert(sizeof(Sides) == 1);

template <typename Key>
struct alignas(64) Record {
  /// Of IPv6 the second line begins here, so that all of a Translated comes with it.
  static constexpr std::size_t kBodyAlignment = sizeof(Key) <= 16 ? 16 : 64;

  Key key;  ///< of Kind::none where no connection is
  union alignas(kBodyAlignment) {
    Body body;
    Translated<Key> beside;  ///< in the second place of a translated connection
  };
};
static_assert(sizeof(Record<KeyV4>) == 64, "one cache line");
static_assert(sizeof(Record<KeyV6>) == 128, "two cache lines");
static_assert(offsetof(Record<KeyV6>, body) == 64, "one line has all of what is beside a record");

/// The part of a connection that few packets touch, under the same number.
struct Cold {
  std::uint64_t start_ms;           ///< tracker time of the first packet
  std::uint32_t packet_carries[2];  ///< by Direction, in units of 2^kPacketBits packets
  std::uint32_t byte_carries[2];    ///< in units of 2^kByteBits bytes
  std::uint32_t mark;
  std::uint32_t label_number;  ///< place in the shard's label pool
};
static_assert(sizeof(Cold) == 32, "two to a cache line");

inline std::uint8_t state_of(const Body& body) { return body.state & 0x0f; }
inline void set_state(Body& body, std::uint8_t state) {
  body.state = static_cast<std::uint8_t>((body.state & 0xf0) | state);
}

/// From here on packets of the reply tuple find the connection. Who has read that it is entered and
/// then takes its shard's lock finds it there.
template <typename Key>
inline void set_entered(Translated<Key>& other) {
  __atomic_store_n(&other.is_entered, std::uint8_t{1}, __ATOMIC_RELEASE);
}
template <typename Key>
inline bool is_entered(const Translated<Key>& other) {
  return __atomic_load_n(&other.is_entered, __ATOMIC_ACQUIRE) != 0;
}

/// The hash, without a lock: another one's when the number was used again meanwhile.
template <typename Key>
inline std::uint64_t guess_hash(const Translated<Key>& other) {
  return __atomic_load_n(&other.hash, __ATOMIC_RELAXED);
}
template <typename Key>
inline void set_hash(Translated<Key>& other, std::uint64_t hash) {
  __atomic_store_n(&other.hash, hash, __ATOMIC_RELAXED);
}

/// Gives     the direction of a packet that end `from` sent; without a branch, because packets come
///           from either end as they please.
inline Direction direction_of(const Body& body, unsigned from) {
  static_assert(static_cast<unsigned>(Direction::original) == 0);
  const unsigned origin = (body.status & status::kOriginIsOne) / status::kOriginIsOne;
  return static_cast<Direction>(from ^ origin);
}

/// Gives     the end that sends packets of `direction`.
inline unsigned end_of(const Body& body, Direction direction) {
  const unsigned origin = (body.status & status::kOriginIsOne) != 0 ? 1 : 0;
  return direction == Direction::original ? origin : 1 - origin;
}

/// Counts one packet of `bytes` bytes (at most 65,575: a whole IPv6 packet). Inlined by force: the
/// end of the express lane lost 4 % to the call.
[[gnu::always_inline]] inline void count_packet(Body& body, Cold& cold, Direction direction,
                                                std::uint32_t bytes) {
  const auto d = static_cast<unsigned>(direction);
  const std::uint64_t before = body.counters[d];
  const std::uint64_t amount = 1U << kByteBits | bytes;
  const std::uint64_t after = before + amount;
  // What differs from adding without carries is the carries: out of the bytes, out of the packets.
  constexpr std::uint64_t kByteCarry = 1U << kByteBits;
  constexpr std::uint64_t kPacketCarry = std::uint64_t{1} << (kByteBits + kPacketBits);
  const std::uint64_t carries = (before ^ amount ^ after) & (kByteCarry | kPacketCarry);
  body.counters[d] = static_cast<std::uint32_t>(after);
  if (carries != 0) [[unlikely]] {
    const std::uint32_t byte_carry = (carries & kByteCarry) != 0 ? 1 : 0;
    const auto packets = static_cast<std::uint32_t>(before >> kByteBits) + 1;
    cold.byte_carries[d] += byte_carry;
    cold.packet_carries[d] += packets >> kPacketBits;
    const std::uint32_t low_packets = packets & ((1U << kPacketBits) - 1);
    body.counters[d] =
        low_packets << kByteBits | (static_cast<std::uint32_t>(after) & (kByteCarry - 1));
  }
}
static_assert(kByteBits + kPacketBits == 32, "both halves of a counter fill its word");

/// Gives     the whole count of one direction.
inline Counters counters_of(const Body& body, const Cold& cold, Direction direction) {
  const auto d = static_cast<unsigned>(direction);
  const std::uint64_t packets = body.counters[d] >> kByteBits;
  const std::uint64_t bytes = body.counters[d] & ((1U << kByteBits) - 1);
  return {packets + (std::uint64_t{cold.packet_carries[d]} << kPacketBits),
          bytes + (std::uint64_t{cold.byte_carries[d]} << kByteBits)};
}

}  // namespace uct::core
