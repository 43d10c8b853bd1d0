/// The packed key of a connection: one form for both directions.
///
/// Relies on packet (ParsedPacket); used by table, tracker and frag. The two ends are put in an
/// order that does not depend on who speaks, so one index entry serves both directions, and the
/// direction of a packet is which end sent it:
///   - TCP, UDP and everything else with ports: the lower (address, port) is end 0, as numbers in
///     memory compare;
///   - ICMP queries: the asking host is end 0, whatever the addresses, because a query from the
///     other side with the same id is another connection;
///   - other protocols: the lower address is end 0, the protocol number stands in the ports.
/// Threads   pure functions.
#pragma once

#include <array>
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

  using Address = std::array<std::uint32_t, kAddressWords>;

  Address address[2];     ///< of end 0 and end 1, network order
  std::uint16_t port[2];  ///< of end 0 and end 1, network order; ICMP: id and type; other: protocol
                          ///< and 0, in host order
  Zone zone;
  Kind kind;
  std::uint8_t generation;
};
static_assert(sizeof(KeyV4) == KeyV4::kWords * 8, "the key is hashed as whole words, no padding");

struct KeyV6 {
  static constexpr Family kFamily = Family::ipv6;
  static constexpr std::size_t kWords = 5;
  static constexpr std::size_t kAddressWords = 4;

  using Address = std::array<std::uint32_t, kAddressWords>;

  Address address[2];
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

/// Gives     whether key_words(key) would be `words`.
template <typename Key>
inline bool has_words(const Key& key, const std::uint64_t (&words)[Key::kWords]) {
  std::uint64_t own[Key::kWords];
  key_words(key, own);
  std::uint64_t difference = 0;
  for (std::size_t i = 0; i < Key::kWords; ++i) difference |= own[i] ^ words[i];
  return difference == 0;
}

template <typename Key>
inline bool equal(const Key& a, const Key& b) {
  std::uint64_t words[Key::kWords];
  key_words(b, words);
  return has_words(a, words);
}

/// Ports of a packet as they stand in memory (network order).
struct Ports {
  std::uint16_t source;
  std::uint16_t destination;
};

namespace detail {

/// Gives     1 when end a comes behind end b, else 0. Any order will do that does not depend on who
///           speaks: numbers are compared as they lie in memory.
inline unsigned is_behind(const KeyV4::Address& a, std::uint16_t a_port, const KeyV4::Address& b,
                          std::uint16_t b_port) {
  const std::uint64_t x = std::uint64_t{a[0]} << 16 | a_port;
  const std::uint64_t y = std::uint64_t{b[0]} << 16 | b_port;
  return static_cast<unsigned>(x > y);
}

inline unsigned is_behind(const KeyV6::Address& a, std::uint16_t a_port, const KeyV6::Address& b,
                          std::uint16_t b_port) {
  const auto x = std::bit_cast<std::array<std::uint64_t, 2>>(a);
  const auto y = std::bit_cast<std::array<std::uint64_t, 2>>(b);
  const auto behind = [](auto p, auto q) { return static_cast<unsigned>(p > q); };
  const auto same = [](auto p, auto q) { return static_cast<unsigned>(p == q); };
  return behind(x[1], y[1]) |
         (same(x[1], y[1]) & (behind(x[0], y[0]) | (same(x[0], y[0]) & behind(a_port, b_port))));
}

}  // namespace detail

/// Fills `key` for a protocol with ports, without branches: which end is the lower one is as good
/// as random, and a branch mispredicted costs more than all of this.
///
/// Gives     as make_key().
template <typename Key>
inline unsigned make_ported_key(const typename Key::Address& source,
                                const typename Key::Address& destination, Ports ports, Zone zone,
                                Kind kind, Key& key) {
  const unsigned from = detail::is_behind(source, ports.source, destination, ports.destination);
  const std::uint32_t swap = 0U - from;  // all bits when the ends change places
  for (std::size_t i = 0; i < Key::kAddressWords; ++i) {
    const std::uint32_t change = (source[i] ^ destination[i]) & swap;
    key.address[0][i] = source[i] ^ change;
    key.address[1][i] = destination[i] ^ change;
  }
  const std::uint32_t change = (ports.source ^ ports.destination) & swap;
  key.port[0] = static_cast<std::uint16_t>(ports.source ^ change);
  key.port[1] = static_cast<std::uint16_t>(ports.destination ^ change);
  key.zone = zone;
  key.kind = kind;
  key.generation = 0;
  return from;
}

/// The same for IPv4 from raw bytes to the words that are hashed and compared, in half of the
/// instructions: `addresses` and `ports` are source and destination as they stand behind each other
/// in the packet, `tail` the last word of a key without ports (last_word()).
inline unsigned make_ported_words(std::uint64_t addresses, std::uint32_t ports, std::uint64_t tail,
                                  std::uint64_t (&words)[KeyV4::kWords]) {
  constexpr bool kLittle = std::endian::native == std::endian::little;
  const std::uint64_t one = addresses << 32 >> 16 | (ports & 0xffff);
  const std::uint64_t other = addresses >> 32 << 16 | ports >> 16;
  const auto from = static_cast<unsigned>(kLittle ? one > other : other > one);
  words[0] = std::rotl(addresses, static_cast<int>(32 * from));
  const std::uint64_t ordered = std::rotl(ports, static_cast<int>(16 * from));
  words[1] = tail | (kLittle ? ordered : ordered << 32);
  return from;
}

/// Gives     the last word of the keys of a zone and a protocol, their ports left 0.
inline std::uint64_t last_word(Zone zone, Kind kind) {
  KeyV4 key{};
  key.zone = zone;
  key.kind = kind;
  std::uint64_t words[KeyV4::kWords];
  key_words(key, words);
  return words[1];
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
