// Who makes room for whom when Datagrams are full, and at which byte they are.
#include <gtest/gtest.h>

#include <cstdint>

#include "frag/datagrams.h"
#include "frag/fragment_path.h"
#include "tests/support/random.h"

namespace uct::core::test {
namespace {

constexpr std::uint64_t charge(std::uint64_t bytes) { return sizeof(HeldFrame) + bytes; }

class FullReassembly : public testing::Test {
 protected:
  static DatagramLimits limits() {
    DatagramLimits small;
    small.datagrams = 8;
    small.datagrams_per_source = 4;
    small.held_bytes = charge(100) * 8;
    small.held_bytes_per_source = charge(100) * 4;
    small.timeout_ms = 1000;
    return small;
  }

  FullReassembly() { path.frame_size = 100; }

  FragmentStep send(const Name& name, Extent extent, std::uint64_t now_ms = 0) {
    return path.send(name, extent, now_ms);
  }
  bool follows(const Name& name) { return send(name, {800, 8, kMore}) == FragmentStep::follow; }

  Path path{limits()};
};

TEST_F(FullReassembly, DatagramsAreBoundedAndTheOldestHoldingMakesRoom) {
  send({.id = 1, .source = 1}, {0, 8, kMore});
  send({.id = 2, .source = 2}, {8, 8, kMore});
  for (std::uint32_t id = 3; id <= 8; ++id) send({.id = id, .source = id}, {0, 8, kMore});
  EXPECT_EQ(path.datagrams.stats().datagrams, 8U);
  EXPECT_EQ(path.datagrams.stats().pushed_out, 0U);
  send({.id = 9, .source = 9}, {0, 8, kMore});
  EXPECT_EQ(path.datagrams.stats().datagrams, 8U);
  EXPECT_EQ(path.datagrams.stats().held_frames, 0U) << "2 left, though 1 is older";
  EXPECT_TRUE(follows({.id = 1, .source = 1}));
}

TEST_F(FullReassembly, TheOldestOfAllMakesRoomWhenNoneHolds) {
  for (std::uint32_t id = 1; id <= 9; ++id) send({.id = id, .source = id}, {0, 8, kMore});
  EXPECT_EQ(path.datagrams.stats().pushed_out, 1U);
  for (std::uint32_t id = 2; id <= 9; ++id) EXPECT_TRUE(follows({.id = id, .source = id})) << id;
  EXPECT_FALSE(follows({.id = 1, .source = 1}));
}

TEST_F(FullReassembly, CompleteOnesMakeRoomBeforeAll) {
  send({.id = 1, .source = 1}, {8, 8, kMore});
  for (std::uint32_t id = 2; id <= 8; ++id) send({.id = id, .source = id}, {0, 8, kMore});
  send({.id = 5, .source = 5}, {8, 8, kLast});
  send({.id = 9, .source = 9}, {0, 8, kMore});
  EXPECT_EQ(path.datagrams.stats().pushed_out, 0U) << "a complete one is no loss";
  EXPECT_EQ(path.datagrams.stats().held_frames, 1U);
  EXPECT_EQ(send({.id = 5, .source = 5}, {8, 8, kLast}), FragmentStep::hold) << "forgotten";
}

TEST_F(FullReassembly, ExpiredOnesMakeRoomBeforeAll) {
  send({.id = 1, .source = 1}, {0, 8, kMore}, 0);
  send({.id = 2, .source = 2}, {8, 8, kMore}, 500);
  for (std::uint32_t id = 3; id <= 8; ++id) send({.id = id, .source = id}, {0, 8, kMore}, 500);
  send({.id = 9, .source = 9}, {0, 8, kMore}, 1000);
  EXPECT_EQ(path.datagrams.stats().expired, 1U);
  EXPECT_EQ(path.datagrams.stats().pushed_out, 0U);
  EXPECT_EQ(path.datagrams.stats().held_frames, 1U);
}

TEST_F(FullReassembly, ASourceAtItsShareOfDatagramsPushesOutItsOwn) {
  send({.id = 1, .source = 2}, {8, 8, kMore});
  for (std::uint32_t id = 1; id <= 100; ++id) send({.id = id, .source = 1}, {8, 8, kMore});
  EXPECT_EQ(path.datagrams.stats().datagrams, 5U);
  EXPECT_EQ(path.datagrams.stats().pushed_out, 96U);
  send({.id = 1, .source = 2}, {0, 8, kMore});
  EXPECT_EQ(path.datagrams.stats().released, 1U) << "the older datagram of another source";
}

TEST_F(FullReassembly, BytesOfASourceAreBoundedExactly) {
  for (std::uint32_t id = 1; id <= 4; ++id) send({.id = id}, {8, 8, kMore});
  EXPECT_EQ(path.datagrams.stats().held_bytes, limits().held_bytes_per_source);
  EXPECT_EQ(path.datagrams.stats().pushed_out, 0U);
  EXPECT_EQ(send({.id = 4}, {16, 8, kMore}), FragmentStep::hold);
  EXPECT_EQ(path.datagrams.stats().held_bytes, limits().held_bytes_per_source);
  EXPECT_EQ(path.datagrams.stats().pushed_out, 1U) << "1, the oldest of the source";
  send({.id = 1, .source = 7}, {8, 8, kMore});
  EXPECT_EQ(path.datagrams.stats().pushed_out, 1U) << "another source has its own share";
}

TEST_F(FullReassembly, OneByteTooManyIsTooMany) {
  path.frame_size = 25;
  send({}, {8, 8, kMore});
  path.frame_size =
      static_cast<std::uint32_t>(limits().held_bytes_per_source - charge(25) - charge(0));
  EXPECT_EQ(send({}, {16, 8, kMore}), FragmentStep::hold) << "to the last byte";
  path.frame_size = 0;
  EXPECT_EQ(send({}, {24, 8, kMore}), FragmentStep::refuse);
  EXPECT_EQ(path.refusal(), FragmentRefusal::source_full);
}

TEST_F(FullReassembly, AFrameBeyondTheShareIsNeverHeld) {
  path.frame_size = static_cast<std::uint32_t>(limits().held_bytes_per_source - charge(0));
  EXPECT_EQ(send({.id = 1}, {8, 8, kMore}), FragmentStep::hold);
  ++path.frame_size;
  EXPECT_EQ(send({.id = 2, .source = 2}, {8, 8, kMore}), FragmentStep::refuse);
  EXPECT_EQ(path.refusal(), FragmentRefusal::source_full);
}

TEST_F(FullReassembly, ADatagramDoesNotPushOutItself) {
  for (std::uint32_t i = 1; i <= 4; ++i) send({}, {i * 8, 8, kMore});
  EXPECT_EQ(send({}, {40, 8, kMore}), FragmentStep::refuse);
  EXPECT_EQ(path.refusal(), FragmentRefusal::source_full);
  send({}, {0, 8, kMore});
  EXPECT_EQ(path.datagrams.stats().released, 4U);
  EXPECT_EQ(send({}, {40, 8, kMore}), FragmentStep::follow) << "it may come again";
}

TEST_F(FullReassembly, BytesOfAllAreBoundedExactly) {
  for (std::uint32_t source = 1; source <= 2; ++source) {
    for (std::uint32_t i = 1; i <= 4; ++i)
      send({.id = source, .source = source}, {i * 8, 8, kMore});
  }
  EXPECT_EQ(path.datagrams.stats().held_bytes, limits().held_bytes);
  EXPECT_EQ(path.datagrams.stats().pushed_out, 0U);
  EXPECT_EQ(send({.id = 3, .source = 3}, {8, 8, kMore}), FragmentStep::hold);
  EXPECT_EQ(path.datagrams.stats().pushed_out, 1U);
  EXPECT_EQ(path.datagrams.stats().held_bytes, charge(100) * 5);
}

TEST_F(FullReassembly, AnAttackerAtHisShareDoesNotStopAnother) {
  uct::test::Random random(7);
  for (std::uint32_t i = 0; i < 1000; ++i) {
    send({.id = 1000 + random() % 50, .source = 66}, {8 + random() % 20 * 8, 8, kMore});
    if (i % 10 != 0) continue;
    const Name name{.id = i, .source = 5};
    ASSERT_EQ(send(name, {16, 5, kLast}), FragmentStep::hold);
    ASSERT_EQ(send(name, {8, 8, kMore}), FragmentStep::hold);
    for (int j = 0; j < 20; ++j) {
      send({.id = 1000 + random() % 50, .source = 66}, {8 + random() % 20 * 8, 8, kMore});
    }
    ASSERT_EQ(send(name, {0, 8, kMore}), FragmentStep::track);
    expect_whole(path, i, 21);
  }
}

TEST_F(FullReassembly, AnIpv6SourceIsItsWholePrefix) {
  ParsedPacket packet;
  packet.family = Family::ipv6;
  packet.source[0] = 1;
  for (std::uint32_t i = 0; i < 20; ++i) {
    packet.source[2] = packet.source[3] = i;
    const Fragment fragment{make_fragment_key(packet, 0), {8, 8, kMore}};
    path.datagrams.arrive(fragment, Packet{}, 0, path.lost);
  }
  EXPECT_EQ(path.datagrams.stats().datagrams, limits().datagrams_per_source);
  packet.source[1] = 1;
  path.datagrams.arrive({make_fragment_key(packet, 0), {8, 8, kMore}}, Packet{}, 0, path.lost);
  EXPECT_EQ(path.datagrams.stats().datagrams, limits().datagrams_per_source + 1);
}

TEST(ReassemblyWithoutRoom, PassesInOrderAndHoldsNothing) {
  DatagramLimits none;
  none.datagrams = none.datagrams_per_source = 0;
  none.held_bytes = none.held_bytes_per_source = 0;
  Path path(none);
  EXPECT_EQ(path.send({}, {0, 8, kMore}), FragmentStep::track);
  EXPECT_EQ(path.send({}, {8, 8, kLast}), FragmentStep::follow);
  EXPECT_EQ(path.send({.id = 2}, {8, 8, kLast}), FragmentStep::refuse);
  EXPECT_EQ(path.refusal(), FragmentRefusal::first_missing);
  EXPECT_EQ(path.send({.id = 1}, {8, 8, kLast}), FragmentStep::follow) << "2 was not noted";
}

TEST(ReassemblyWithoutRoom, OneFragmentPushesOutABoundedNumber) {
  DatagramLimits limits;
  limits.datagrams = limits.datagrams_per_source = 1000;
  limits.held_bytes_per_source = limits.held_bytes = charge(0) * 500;
  Path path(limits);
  for (std::uint32_t id = 0; id < 500; ++id) {
    path.datagrams.arrive({Name{.id = id}.key(), {8, 8, kMore}}, Packet{}, 0, path.lost);
  }
  path.frame_size = static_cast<std::uint32_t>(charge(0) * 499);
  EXPECT_EQ(path.send({.id = 1000}, {8, 8, kMore}), FragmentStep::refuse);
  EXPECT_EQ(path.datagrams.stats().pushed_out, Datagrams::kPushedOutMost);
}

}  // namespace
}  // namespace uct::core::test
