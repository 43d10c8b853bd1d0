#include "conn/record.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace uct::core {
namespace {

constexpr std::uint32_t kLargestPacket = 65'575;  // IPv6: a header and 65,535 bytes

/// The packed counters of a connection and plain ones beside them.
struct Pair {
  Body body{};
  Cold cold{};
  std::array<Counters, 2> plain{};

  void count(Direction direction, std::uint32_t bytes) {
    count_packet(body, cold, direction, bytes);
    ++plain[static_cast<unsigned>(direction)].packets;
    plain[static_cast<unsigned>(direction)].bytes += bytes;
  }
  bool agree(Direction direction) const {
    const Counters packed = counters_of(body, cold, direction);
    const Counters& wanted = plain[static_cast<unsigned>(direction)];
    return packed.packets == wanted.packets && packed.bytes == wanted.bytes;
  }
  bool agree() const { return agree(Direction::original) && agree(Direction::reply); }
};

/// Counts a packet in this direction for which the low halves are as told.
Pair pair_with(Direction direction, std::uint32_t low_packets, std::uint32_t low_bytes) {
  Pair pair;
  const auto d = static_cast<unsigned>(direction);
  pair.body.counters[d] = low_packets << kByteBits | low_bytes;
  pair.plain[d] = {low_packets, low_bytes};
  return pair;
}

TEST(RecordCounters, AMillionRandomPacketsAgreeWithPlainCounters) {
  std::mt19937 random(20260706);
  Pair pair;
  for (int i = 0; i < 1'000'000; ++i) {
    std::uint32_t bytes = static_cast<std::uint32_t>(random()) % (kLargestPacket + 1);
    if (random() % 4 == 0) bytes = kLargestPacket * (random() % 2);
    pair.count(random() % 3 == 0 ? Direction::reply : Direction::original, bytes);
    ASSERT_TRUE(pair.agree()) << "packet " << i << " of " << bytes << " bytes";
  }
}

TEST(RecordCounters, MillionsOfOneSizeAgree) {
  for (const std::uint32_t bytes :
       {0U, 1U, 40U, 255U, 256U, 257U, 1500U, 65'535U, kLargestPacket}) {
    Pair pair;
    for (int i = 0; i < 100'000; ++i) {
      pair.count(Direction::original, bytes);
      ASSERT_TRUE(pair.agree()) << "packet " << i << " of " << bytes << " bytes";
    }
    EXPECT_EQ(counters_of(pair.body, pair.cold, Direction::reply).packets, 0U);
  }
}

TEST(RecordCounters, EveryMeetingOfTheTwoCarriesIsRight) {
  constexpr std::uint32_t kPackets = 1U << kPacketBits;
  constexpr std::uint32_t kBytes = 1U << kByteBits;
  for (const Direction direction : {Direction::original, Direction::reply}) {
    for (std::uint32_t packets = kPackets - 4; packets < kPackets; ++packets) {
      for (std::uint32_t before = kBytes - 3; before < kBytes; ++before) {
        for (const std::uint32_t bytes : {0U, 1U, 2U, 3U, 4U, kLargestPacket}) {
          Pair pair = pair_with(direction, packets, before);
          for (int i = 0; i < 6; ++i) {
            pair.count(direction, bytes);
            ASSERT_TRUE(pair.agree()) << packets << " packets, " << before << " + " << bytes;
          }
        }
      }
    }
  }
}

TEST(RecordCounters, CommonPacketsTouchNoCarry) {
  Pair pair;
  for (int i = 0; i < 100; ++i) pair.count(Direction::original, 1500);
  EXPECT_EQ(pair.cold.packet_carries[0], 0U);
  EXPECT_EQ(pair.cold.byte_carries[0], 0U);
}

TEST(RecordDirection, EndsAndDirectionsAreEachOthersInverse) {
  for (const std::uint8_t status : {std::uint8_t{0}, status::kOriginIsOne, std::uint8_t{0xff}}) {
    Body body{};
    body.status = status;
    const unsigned origin = (status & status::kOriginIsOne) != 0 ? 1 : 0;
    EXPECT_EQ(direction_of(body, origin), Direction::original);
    EXPECT_EQ(direction_of(body, 1 - origin), Direction::reply);
    for (const Direction direction : {Direction::original, Direction::reply}) {
      EXPECT_EQ(direction_of(body, end_of(body, direction)), direction);
    }
  }
}

TEST(RecordSides, SendersFollowFromWhichEndsOpened) {
  for (const unsigned own : {0U, 1U}) {
    for (const unsigned reply : {0U, 1U}) {
      for (const std::uint8_t changed : {Sides::kSource, Sides::kDestination, Sides::kBoth}) {
        const Sides sides = Sides::of(own, reply, changed);
        EXPECT_EQ(sides.origin(), reply);
        EXPECT_EQ(sides.changed(), changed);
        EXPECT_EQ(sides.source(), changed != Sides::kDestination);
        EXPECT_EQ(sides.destination(), changed != Sides::kSource);
        // The originator carries its own tuple and gets the other; the responder the other way.
        EXPECT_EQ(sides.sender(0), own);
        EXPECT_EQ(sides.sender_of_other(0), reply);
        EXPECT_EQ(sides.sender(1), 1 - reply);
        EXPECT_EQ(sides.sender_of_other(1), 1 - own);
      }
    }
  }
}

TEST(RecordState, FlagsAndStateLeaveEachOtherAlone) {
  Body body{};
  body.state = 0xa0;
  for (std::uint8_t state = 0; state < 16; ++state) {
    set_state(body, state);
    EXPECT_EQ(state_of(body), state);
    EXPECT_EQ(body.state & 0xf0, 0xa0);
  }
}

}  // namespace
}  // namespace uct::core
