#include "nat/mappings.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>
#include <set>
#include <tuple>
#include <vector>

namespace uct::core {
namespace {

constexpr HashKey kKey{1, 2};

Address v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  Address address;
  address.bytes = {a, b, c, d};
  return address;
}

ParsedPacket udp(const Address& from, std::uint16_t from_port, const Address& to,
                 std::uint16_t to_port) {
  ParsedPacket packet;
  packet.kind = Kind::udp;
  packet.protocol = 17;
  std::memcpy(packet.source, from.bytes.data(), sizeof(packet.source));
  std::memcpy(packet.destination, to.bytes.data(), sizeof(packet.destination));
  packet.source_port = from_port;
  packet.destination_port = to_port;
  return packet;
}

Translation tuple_of(const ParsedPacket& packet) {
  Translation tuple;
  std::memcpy(tuple.source, packet.source, sizeof(tuple.source));
  std::memcpy(tuple.destination, packet.destination, sizeof(tuple.destination));
  tuple.source_port = packet.source_port;
  tuple.destination_port = packet.destination_port;
  return tuple;
}

NatSpec spec_of(NatFiltering filtering, std::uint16_t first, std::uint16_t last) {
  NatSpec spec;
  spec.source = NatRange{v4(203, 0, 113, 8), v4(203, 0, 113, 9), first, last};
  spec.mapping.emplace();
  spec.mapping->filtering = filtering;
  spec.mapping->inside = {{v4(10, 0, 0, 0), v4(10, 255, 255, 255)}};
  spec.mapping->hold_down = Duration(0);
  return spec;
}

const Address kInside = v4(10, 0, 0, 1);
const Address kOther = v4(10, 0, 0, 2);
const Address kRemote = v4(198, 51, 100, 1);

class Table {
 public:
  explicit Table(const NatSpec& spec, std::uint32_t capacity = 1 << 20) {
    auto made = Mappings::make(spec, kKey, capacity);
    EXPECT_TRUE(made.ok()) << describe(made.error());
    mappings = std::move(made.value());
  }

  Reason open(const ParsedPacket& packet, MappingUse& use, std::uint64_t now_ms = 0) {
    tuple = tuple_of(packet);
    NatRandom random(kKey, ++nonce);
    return mappings->open({packet, 0, false, false}, now_ms, random, tuple, use);
  }

  std::unique_ptr<Mappings> mappings;
  Translation tuple;
  std::uint64_t nonce = 0;
};

void expect_balanced(const NatStats& stats) {
  EXPECT_EQ(stats.used + stats.held + stats.free, stats.ports);
}

TEST(Mappings, RefusedSpecsSayWhy) {
  const auto error_of = [](auto&& change) {
    NatSpec spec = spec_of(NatFiltering::endpoint_independent, 1024, 65535);
    change(spec);
    return Mappings::make(spec, kKey, 100).error();
  };
  const auto blocks = [](NatSpec& spec) -> NatBlocks& { return spec.mapping->blocks.emplace(); };
  EXPECT_EQ(error_of([](NatSpec&) {}), Error::none);
  EXPECT_EQ(error_of([&](NatSpec& spec) { blocks(spec).ports = 100; }), Error::nat_block_size);
  EXPECT_EQ(error_of([&](NatSpec& spec) { blocks(spec).deterministic = true; }),
            Error::nat_blocks_too_few);
  EXPECT_EQ(error_of([&](NatSpec& spec) {
              blocks(spec).deterministic = true;
              spec.mapping->inside.clear();
            }),
            Error::nat_blocks_too_few)
      << "nobody inside would have a block";
  EXPECT_EQ(error_of([&](NatSpec& spec) {
              blocks(spec).deterministic = true;
              spec.mapping->inside = {{v4(0, 0, 0, 0), v4(255, 255, 255, 255)}};
            }),
            Error::nat_blocks_too_few);
  EXPECT_EQ(error_of([](NatSpec& spec) {
              spec.mapping->more = {{v4(203, 0, 113, 9), v4(203, 0, 113, 10)}};
            }),
            Error::nat_ranges_overlap);
  EXPECT_EQ(error_of([](NatSpec& spec) { spec.source->first = v4(203, 0, 0, 1); }), Error::none);
  EXPECT_EQ(error_of([](NatSpec& spec) { spec.source->first = v4(202, 0, 0, 1); }),
            Error::nat_pool_too_large);
}

TEST(Mappings, InsideAndExemptAreAnyRangesOfTheFamily) {
  for (auto ranges : {&NatMapping::inside, &NatMapping::exempt}) {
    const auto error_of = [&](std::vector<AddressRange> wanted) {
      NatSpec spec = spec_of(NatFiltering::endpoint_independent, 1024, 65535);
      (*spec.mapping).*ranges = std::move(wanted);
      return Mappings::make(spec, kKey, 100).error();
    };
    EXPECT_EQ(error_of({}), Error::none);
    EXPECT_EQ(error_of({{v4(0, 0, 0, 0), v4(255, 255, 255, 255)}}), Error::none);
    EXPECT_EQ(error_of({{v4(10, 0, 0, 0), v4(10, 9, 0, 0)}, {v4(10, 1, 0, 0), v4(11, 0, 0, 0)}}),
              Error::none);
    EXPECT_EQ(error_of({{v4(10, 0, 0, 1), v4(10, 0, 0, 0)}}), Error::nat_address_range);
    Address v6 = v4(32, 1, 13, 184);
    v6.family = Family::ipv6;
    EXPECT_EQ(error_of({{v6, v6}}), Error::nat_family);
    EXPECT_EQ(error_of({{v4(10, 0, 0, 1), v6}}), Error::nat_address_range);
  }
}

TEST(Mappings, MemoryOfOneIsUsedAgain) {
  Table table(spec_of(NatFiltering::address_dependent, 1024, 65535), 1);
  for (std::uint16_t i = 0; i < 1000; ++i) {
    MappingUse use;
    ASSERT_EQ(table.open(udp(kInside, i, kRemote, 53), use), Reason::none);
    table.mappings->close(use, 0, Hold::rest);
  }
  EXPECT_EQ(table.mappings->stats().mappings, 0U);
}

TEST(Mappings, NoRoomForOneMoreIsRefusedAndTakesNoPort) {
  Table table(spec_of(NatFiltering::address_dependent, 1024, 65535), 1);
  std::vector<MappingUse> uses(100'000);
  std::size_t count = 0;
  std::uint16_t port = 0;
  while (count < uses.size() &&
         table.open(udp(kInside, ++port, kRemote, 53), uses[count]) == Reason::none) {
    ++count;
  }
  ASSERT_LT(count, 60'000U) << "the page that was reserved ends somewhere";
  EXPECT_EQ(table.mappings->stats().used, count);
  EXPECT_TRUE(uses[count].empty());
  for (std::size_t i = 0; i < count; ++i) table.mappings->close(uses[i], 0, Hold::rest);
  EXPECT_EQ(table.mappings->stats().used, 0U);
  expect_balanced(table.mappings->stats());
}

TEST(Mappings, FilteredPacketHoldsNothing) {
  Table table(spec_of(NatFiltering::address_and_port_dependent, 1024, 65535));
  MappingUse use;
  ASSERT_EQ(table.open(udp(kInside, 5, kRemote, 53), use), Reason::none);
  Address external = v4(0, 0, 0, 0);
  std::memcpy(external.bytes.data(), table.tuple.source, sizeof(table.tuple.source));
  const std::uint16_t port = table.tuple.source_port;
  MappingUse refused;
  EXPECT_EQ(table.open(udp(kRemote, 54, external, port), refused), Reason::nat_filtered);
  EXPECT_TRUE(refused.empty());
  // Hairpinning holds the sender's mapping until the filter has spoken.
  EXPECT_EQ(table.open(udp(kOther, 6, external, port), refused), Reason::nat_filtered);
  EXPECT_TRUE(refused.empty());
  EXPECT_EQ(table.mappings->stats().mappings, 1U);
  table.mappings->close(use, 0, Hold::rest);
  EXPECT_EQ(table.mappings->stats().mappings, 0U);
}

TEST(Mappings, PortsOfBlocksAreCountedAgainstTheQuota) {
  NatSpec spec = spec_of(NatFiltering::endpoint_independent, 1024, 65535);
  spec.mapping->blocks = NatBlocks{64, 2, 100, false};
  Table table(spec);
  std::vector<MappingUse> uses;
  std::set<std::pair<std::uint32_t, std::uint16_t>> blocks;
  for (std::uint16_t port = 1; port <= 100; ++port) {
    ASSERT_EQ(table.open(udp(kInside, port, kRemote, 53), uses.emplace_back()), Reason::none);
    blocks.insert(
        {table.tuple.source[0], static_cast<std::uint16_t>((table.tuple.source_port - 1024) / 64)});
  }
  EXPECT_EQ(blocks.size(), 2U) << "64 and 36";
  MappingUse none;
  EXPECT_EQ(table.open(udp(kInside, 101, kRemote, 53), none), Reason::nat_quota);
  EXPECT_EQ(table.open(udp(kOther, 1, kRemote, 53), uses.emplace_back()), Reason::none);
  const NatStats stats = table.mappings->stats();
  EXPECT_EQ(stats.blocks_assigned, 3U);
  EXPECT_EQ(stats.subscribers, 2U);
  EXPECT_EQ(stats.used, 101U);
  expect_balanced(stats);
}

TEST(Mappings, DeterministicBlocksAreOnlyForThoseInside) {
  NatSpec spec = spec_of(NatFiltering::endpoint_independent, 1024, 65535);
  spec.mapping->inside = {{v4(10, 0, 0, 0), v4(10, 0, 0, 99)}};
  spec.mapping->blocks = NatBlocks{512, 1, 512, true};
  Table table(spec);
  MappingUse use;
  // Number 3 of the inside has block 3 of the first address: RFC 7422 section 2.
  ASSERT_EQ(table.open(udp(v4(10, 0, 0, 3), 7, kRemote, 53), use), Reason::none);
  EXPECT_EQ(table.tuple.source[0], [] {
    std::uint32_t word;
    std::memcpy(&word, v4(203, 0, 113, 8).bytes.data(), sizeof(word));
    return word;
  }());
  EXPECT_EQ((table.tuple.source_port - 1024) / 512, 3);
  // An address beyond the list counts as outside, and its packets as none of the spec's.
  MappingUse other;
  EXPECT_EQ(table.open(udp(v4(10, 0, 0, 100), 7, kRemote, 53), other), Reason::none);
  EXPECT_TRUE(other.empty());
}

/// What is open, as a map would keep it.
struct Naive {
  using Internal = std::tuple<std::uint32_t, std::uint16_t>;
  struct Open {
    MappingUse use;
    Internal internal;
    std::uint32_t remote;
  };
  std::vector<Open> open;
  std::map<Internal, std::pair<std::uint32_t, std::uint16_t>> external;
  std::map<Internal, unsigned> uses;
};

/// Opens and closes at random. The same internal endpoint always has the same external one, no two
/// have the same, what is used is counted, and a refusal comes only when nothing is free.
void run_random(const NatSpec& spec, unsigned seed, int steps) {
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  Table table(spec);
  Naive naive;
  std::set<std::pair<std::uint32_t, std::uint16_t>> taken;
  for (int step = 0; step < steps; ++step) {
    const auto now = static_cast<std::uint64_t>(step);
    if (random() % 2 == 0 || naive.open.empty()) {
      Naive::Open one;
      const auto host = static_cast<std::uint8_t>(random() % 8);
      const ParsedPacket packet =
          udp(v4(10, 0, 0, host), static_cast<std::uint16_t>(random() % 64),
              v4(198, 51, 100, static_cast<std::uint8_t>(random() % 4)), 53);
      one.internal = {packet.source[0], packet.source_port};
      const Reason reason = table.open(packet, one.use, now);
      const auto known = naive.external.find(one.internal);
      if (reason != Reason::none) {
        ASSERT_EQ(reason, Reason::nat_exhausted);
        ASSERT_EQ(known, naive.external.end()) << "its mapping was there";
        ASSERT_EQ(table.mappings->stats().used, taken.size());
        continue;
      }
      const std::pair external{table.tuple.source[0], table.tuple.source_port};
      if (known != naive.external.end()) {
        ASSERT_EQ(external, known->second);
      } else {
        ASSERT_TRUE(taken.insert(external).second) << "two mappings share it";
        naive.external[one.internal] = external;
      }
      ++naive.uses[one.internal];
      naive.open.push_back(one);
    } else {
      const std::size_t which = random() % naive.open.size();
      const Naive::Open one = naive.open[which];
      naive.open[which] = naive.open.back();
      naive.open.pop_back();
      table.mappings->close(one.use, now, Hold::rest);
      if (--naive.uses[one.internal] == 0) {
        taken.erase(naive.external[one.internal]);
        naive.external.erase(one.internal);
      }
    }
    const NatStats stats = table.mappings->stats();
    ASSERT_EQ(stats.mappings, naive.external.size());
    ASSERT_EQ(stats.used, taken.size());
    ASSERT_EQ(stats.used + stats.held + stats.free, stats.ports);
  }
}

TEST(Mappings, RandomOperationsKeepThePromises) {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    NatSpec spec = spec_of(NatFiltering::address_dependent, 2000, 2099);  // fewer than 8 x 64
    spec.mapping->overflow = seed % 2 == 0;
    spec.mapping->keep_port = seed == 3;
    spec.mapping->hold_down = Duration(seed == 4 ? 50 : 0);
    run_random(spec, seed, 50'000);
  }
}

}  // namespace
}  // namespace uct::core
