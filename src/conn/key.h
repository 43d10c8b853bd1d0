/// The packed key of a connection: one form for both directions.
///
/// Relies on packet (ParsedPacket); used by table, tracker and frag. The two ends are put in an
/// order that does not depend on who speaks, so one index entry serves both directions, and the
/// direction of a packet is which end sent it:
///   - TCP, UDP and everything else with ports: the lower (address, port) is end 0;
///   - ICMP queries: the asking host is end 0, whatever the addresses, because a query from the
///     other side with the same id is another connection;
///   - other protocols: the lower address is end 0, the protocol number stands in the ports.
/// Threads   pure functions.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <uct/key.h>
#include <uct/zone.h>

#include "packet/parsed_packet.h"

namespace uct::core {

/// Bytes on which nothing depends but equality: none is padding. The last one is the record's: how
/// often its place was used, which a handle remembers. It is neither hashed nor compared.
struct KeyV4 {
  static constexpr Family kFamily = Family::ipv4;
  static constexpr std::size_t kWords = 2;
  static constexpr std::size_t kAddressWords = 1;

  std::uint32_t address[2][1];  ///< of end 0 and end 1, network order
  std::uint16_t port[2];        ///< of end 0 and end 1; ICMP: id and type; other: protocol and 0
  Zone zone;
  Kind kind;
  std::uint8_t generation;
};
static_assert(sizeof(KeyV4) == KeyV4::kWords * 8, "the key is hashed as whole words, no padding");

struct KeyV6 {
  static constexpr Family kFamily = Family::ipv6;
  static constexpr std::size_t kWords = 5;
  static constexpr std::size_t kAddressWords = 4;

  std::uint32_t address[2][4];
  std::uint16_t port[2];
  Zone zone;
  Kind kind;
  std::uint8_t generation;
};
static_assert(sizeof(KeyV6) == KeyV6::kWords * 8, "the key is hashed as whole words, no padding");

/// The bits of a key's last word that count: all but the generation's byte.
inline constexpr std::uint64_t kComparedBits =
    std::endian::native == std::endian::little ? ~std::uint64_t{0} >> 8 : ~std::uint64_t{0xff};

/// Gives     the words that are hashed and compared.
template <typename Key>
inline void key_words(const Key& key, std::uint64_t (&words)[Key::kWords]) {
  static_assert(offsetof(Key, generation) == sizeof(Key) - 1);
  std::memcpy(words, &key, sizeof(Key));
  words[Key::kWords - 1] &= kComparedBits;
}

template <typename Key>
inline bool equal(const Key& a, const Key& b) {
  std::uint64_t x[Key::kWords];
  std::uint64_t y[Key::kWords];
  key_words(a, x);
  key_words(b, y);
  std::uint64_t difference = 0;
  for (std::size_t i = 0; i < Key::kWords; ++i) difference |= x[i] ^ y[i];
  return difference == 0;
}

/// Fills `key` from a parsed packet.
///
/// Gives     which end sent the packet: 0 or 1. For equal ends always 0 (rule U3: a packet to
///           itself is of the original direction for ever).
template <typename Key>
unsigned make_key(const ParsedPacket& packet, Zone zone, Key& key);

/// Gives     the tuple of packets that end `from` sends.
template <typename Key>
Tuple make_tuple(const Key& key, unsigned from);

/// Gives     the packet that would carry `tuple`, as far as keys go; for look-ups by tuple.
ParsedPacket packet_of(const Tuple& tuple);

/// ICMP message types of queries that are tracked, with their replies.
bool is_icmp_query(Kind kind, std::uint8_t type);
std::uint8_t icmp_reply_type(Kind kind, std::uint8_t query_type);

/// Gives     the query type that a message of `type` belongs to (itself, for a query).
std::uint8_t icmp_query_type(Kind kind, std::uint8_t type);

Protocol protocol_of(Kind kind, std::uint16_t other_protocol);

}  // namespace uct::core
