#include "conn/key.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "tests/support/addresses.h"

namespace uct::core {
namespace {

using uct::test::address;

Tuple ported(Protocol protocol, std::string_view from, std::uint16_t from_port, std::string_view to,
             std::uint16_t to_port) {
  Tuple tuple;
  tuple.source = address(from);
  tuple.destination = address(to);
  tuple.protocol = protocol;
  tuple.source_port = from_port;
  tuple.destination_port = to_port;
  return tuple;
}

Tuple query(Protocol protocol, std::string_view from, std::string_view to, std::uint8_t type,
            std::uint16_t id) {
  Tuple tuple = ported(protocol, from, 0, to, 0);
  tuple.icmp_type = type;
  tuple.icmp_id = id;
  return tuple;
}

Tuple reversed(const Tuple& tuple) {
  Tuple result = tuple;
  std::swap(result.source, result.destination);
  std::swap(result.source_port, result.destination_port);
  return result;
}

template <typename Key>
struct Made {
  Key key;
  unsigned from;
};

template <typename Key>
Made<Key> make(const Tuple& tuple, Zone zone = 0) {
  Made<Key> made;
  made.from = make_key(packet_of(tuple), zone, made.key);
  return made;
}

template <typename Key>
void expect_one_key(const Tuple& there, const Tuple& back) {
  const Made<Key> a = make<Key>(there);
  const Made<Key> b = make<Key>(back);
  EXPECT_TRUE(equal(a.key, b.key));
  EXPECT_EQ(a.from, 1 - b.from);
  EXPECT_EQ(make_tuple(a.key, a.from), there);
  EXPECT_EQ(make_tuple(a.key, 1 - a.from), back);
}

constexpr Protocol kPorted[] = {Protocol::tcp, Protocol::udp, Protocol::udplite, Protocol::sctp,
                                Protocol::dccp};

}  // namespace

TEST(Key, BothDirectionsGiveOneKeyAndOppositeEnds) {
  for (const Protocol protocol : kPorted) {
    const Tuple v4 = ported(protocol, "10.0.0.1", 40'000, "10.0.0.2", 80);
    expect_one_key<KeyV4>(v4, reversed(v4));
    const Tuple v6 = ported(protocol, "fc00::1", 40'000, "fc00::2", 80);
    expect_one_key<KeyV6>(v6, reversed(v6));
  }
}

TEST(Key, EndsOfOneHostAreOrderedByPort) {
  const Tuple tuple = ported(Protocol::udp, "10.0.0.1", 2000, "10.0.0.1", 1000);
  expect_one_key<KeyV4>(tuple, reversed(tuple));
}

TEST(Key, WordsMadeAtOnceAreThoseOfTheKey) {
  std::mt19937_64 random(1);
  for (int run = 0; run < 10'000; ++run) {
    // Few different numbers, so that addresses and ports are often equal.
    const auto pick = [&] { return static_cast<std::uint32_t>(random() % 3 * 0x01000001); };
    const KeyV4::Address source = {pick()};
    const KeyV4::Address destination = {pick()};
    const Ports ports = {static_cast<std::uint16_t>(pick()), static_cast<std::uint16_t>(pick())};
    const auto zone = static_cast<Zone>(random());
    KeyV4 key;
    const unsigned from = make_ported_key(source, destination, ports, zone, Kind::tcp, key);
    std::uint64_t words[2];
    key_words(key, words);
    std::uint64_t addresses;
    std::uint32_t both_ports;
    const KeyV4::Address both[2] = {source, destination};
    std::memcpy(&addresses, both, sizeof(addresses));
    std::memcpy(&both_ports, &ports, sizeof(both_ports));
    std::uint64_t at_once[2];
    ASSERT_EQ(make_ported_words(addresses, both_ports, last_word(zone, Kind::tcp), at_once), from);
    ASSERT_EQ(at_once[0], words[0]);
    ASSERT_EQ(at_once[1], words[1]);
  }
}

TEST(Key, PacketToItselfIsAlwaysFromEndZero) {
  const Tuple v4 = ported(Protocol::udp, "10.0.0.1", 1000, "10.0.0.1", 1000);
  EXPECT_EQ(make<KeyV4>(v4).from, 0U);
  const Tuple v6 = ported(Protocol::tcp, "fc00::1", 7, "fc00::1", 7);
  EXPECT_EQ(make<KeyV6>(v6).from, 0U);
}

TEST(Key, PortsStayWithTheirAddresses) {
  // Sorting addresses and ports apart would make one key of these two connections.
  const Tuple a = ported(Protocol::tcp, "10.0.0.1", 1, "10.0.0.2", 2);
  const Tuple b = ported(Protocol::tcp, "10.0.0.1", 2, "10.0.0.2", 1);
  EXPECT_FALSE(equal(make<KeyV4>(a).key, make<KeyV4>(b).key));
}

TEST(Key, EveryPartOfATupleTellsKeysApart) {
  const Tuple base = ported(Protocol::tcp, "10.0.0.1", 1000, "10.0.0.9", 80);
  Tuple others[6] = {base, base, base, base, base, base};
  others[0].source = address("10.0.0.2");
  others[1].destination = address("10.0.1.9");
  others[2].source_port = 1001;
  others[3].destination_port = 81;
  others[4].protocol = Protocol::udp;
  others[5].protocol = Protocol::gre;
  for (const Tuple& other : others) {
    EXPECT_FALSE(equal(make<KeyV4>(base).key, make<KeyV4>(other).key)) << &other - others;
  }
  EXPECT_FALSE(equal(make<KeyV4>(base, 1).key, make<KeyV4>(base, 2).key));
}

TEST(Key, GenerationIsNeitherComparedNorHashed) {
  Made<KeyV4> a = make<KeyV4>(ported(Protocol::tcp, "10.0.0.1", 1, "10.0.0.2", 2));
  Made<KeyV4> b = a;
  b.key.generation = 200;
  EXPECT_TRUE(equal(a.key, b.key));
  std::uint64_t words_a[KeyV4::kWords];
  std::uint64_t words_b[KeyV4::kWords];
  key_words(a.key, words_a);
  key_words(b.key, words_b);
  EXPECT_TRUE(std::equal(std::begin(words_a), std::end(words_a), std::begin(words_b)));
}

TEST(IcmpKey, ReplyBelongsToItsQueryFromTheOtherEnd) {
  constexpr std::uint8_t kPairs[][2] = {{8, 0}, {13, 14}, {15, 16}, {17, 18}};
  for (const auto& pair : kPairs) {
    expect_one_key<KeyV4>(query(Protocol::icmp, "10.0.0.9", "10.0.0.1", pair[0], 77),
                          query(Protocol::icmp, "10.0.0.1", "10.0.0.9", pair[1], 77));
  }
  for (const auto& pair : {std::pair{128, 129}, std::pair{139, 140}}) {
    const auto asked = static_cast<std::uint8_t>(pair.first);
    const auto replied = static_cast<std::uint8_t>(pair.second);
    expect_one_key<KeyV6>(query(Protocol::icmpv6, "fc00::9", "fc00::1", asked, 77),
                          query(Protocol::icmpv6, "fc00::1", "fc00::9", replied, 77));
  }
}

TEST(IcmpKey, WhoAsksIsEndZeroWhateverTheAddresses) {
  EXPECT_EQ(make<KeyV4>(query(Protocol::icmp, "10.0.0.9", "10.0.0.1", 8, 1)).from, 0U);
  EXPECT_EQ(make<KeyV4>(query(Protocol::icmp, "10.0.0.1", "10.0.0.9", 8, 1)).from, 0U);
  EXPECT_EQ(make<KeyV4>(query(Protocol::icmp, "10.0.0.1", "10.0.0.9", 0, 1)).from, 1U);
}

TEST(IcmpKey, QueriesOfBothSidesWithOneIdAreTwoConnections) {
  const Made<KeyV4> a = make<KeyV4>(query(Protocol::icmp, "10.0.0.1", "10.0.0.2", 8, 5));
  const Made<KeyV4> b = make<KeyV4>(query(Protocol::icmp, "10.0.0.2", "10.0.0.1", 8, 5));
  EXPECT_FALSE(equal(a.key, b.key));
}

TEST(IcmpKey, IdsAndTypesAreTwoConnections) {
  const Made<KeyV4> echo = make<KeyV4>(query(Protocol::icmp, "10.0.0.1", "10.0.0.2", 8, 5));
  const Made<KeyV4> other = make<KeyV4>(query(Protocol::icmp, "10.0.0.1", "10.0.0.2", 8, 6));
  const Made<KeyV4> time = make<KeyV4>(query(Protocol::icmp, "10.0.0.1", "10.0.0.2", 13, 5));
  EXPECT_FALSE(equal(echo.key, other.key));
  EXPECT_FALSE(equal(echo.key, time.key));
}

TEST(IcmpKey, EveryTypeIsAQueryAReplyOrNeither) {
  for (const Kind kind : {Kind::icmp, Kind::icmpv6}) {
    for (unsigned type = 0; type < 256; ++type) {
      const auto t = static_cast<std::uint8_t>(type);
      const std::uint8_t asked = icmp_query_type(kind, t);
      EXPECT_EQ(is_icmp_query(kind, t), icmp_reply_type(kind, t) != t) << type;
      if (asked != t) {
        EXPECT_TRUE(is_icmp_query(kind, asked) && icmp_reply_type(kind, asked) == t) << type;
      }
    }
  }
}

TEST(OtherKey, IsTheAddressPairAndTheProtocol) {
  const Tuple gre = ported(Protocol::gre, "10.0.0.9", 0, "10.0.0.1", 0);
  expect_one_key<KeyV4>(gre, reversed(gre));
  const Tuple esp = ported(Protocol::esp, "10.0.0.9", 0, "10.0.0.1", 0);
  EXPECT_FALSE(equal(make<KeyV4>(gre).key, make<KeyV4>(esp).key));
}

/// Found by parse_fuzz: the packet was tracked by its addresses, and looked up as ICMP.
TEST(OtherKey, IcmpOfTheOtherFamilyIsFoundByItsTuple) {
  ParsedPacket packet;
  packet.kind = Kind::other;
  packet.family = Family::ipv6;
  packet.protocol = 1;
  packet.source[0] = 9;
  KeyV6 key;
  const unsigned from = make_key(packet, 0, key);
  const Made<KeyV6> found = make<KeyV6>(make_tuple(key, from));
  EXPECT_TRUE(equal(found.key, key));
  EXPECT_EQ(found.from, from);
}

}  // namespace uct::core
