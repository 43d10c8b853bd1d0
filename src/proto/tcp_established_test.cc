// The straight line for established connections, held against the state machine.
#include "proto/tcp_established.h"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/support/random.h"

namespace uct::core::tcp {
namespace {

using uct::test::Random;

/// A connection whose numbers lie near each other, as random as they may be.
Body random_body(Random& random) {
  Body body{};
  body.state = static_cast<std::uint8_t>(TcpState::established);
  body.status = status::kSeenReply | status::kAssured;
  body.scales = static_cast<std::uint8_t>(random());
  if ((body.scales & 0xf) == 15 && random() % 2 == 0) body.scales = 0x77;
  for (unsigned side = 0; side < 2; ++side) {
    const Sequence base = side == 0 ? 0xffff8000U : random();
    body.tcp.end[side] = base + random() % 70'000;
    body.tcp.max_end[side] = body.tcp.end[side] + random() % 70'000;
    body.tcp.max_window[side] = static_cast<std::uint16_t>(random());
  }
  for (unsigned side = 0; side < 2; ++side) {
    body.tcp.max_ack[side] = body.tcp.end[1 - side] - random() % 70'000;
  }
  return body;
}

ParsedPacket random_packet(Random& random, const Body& body, unsigned sender) {
  ParsedPacket packet;
  packet.fate = Fate::track;
  packet.kind = Kind::tcp;
  packet.tcp_flags = tcp_flag::kAck | (random() % 2 == 0 ? tcp_flag::kPsh : 0);
  packet.payload_size = random() % 3 == 0 ? random() % 60'000 : 0;
  packet.seq = body.tcp.end[sender] + random() % 140'000 - 70'000;
  packet.ack = body.tcp.end[1 - sender] + random() % 140'000 - 100'000;
  packet.window = static_cast<std::uint16_t>(random());
  return packet;
}

}  // namespace

TEST(TcpEstablished, ActsAsTheStateMachineWhereItActs) {
  Random random(3);
  int acted = 0;
  for (int run = 0; run < 500'000; ++run) {
    const unsigned sender = random() % 2;
    Body straight = random_body(random);
    Body plain = straight;
    const ParsedPacket packet = random_packet(random, straight, sender);
    const auto direction = static_cast<Direction>(sender);
    ASSERT_TRUE(is_plainly_established(straight));
    const PlainSegment segment{packet.seq + packet.payload_size, packet.ack, packet.window};
    if (!update_established(straight, direction, segment)) {
      ASSERT_EQ(std::memcmp(&straight, &plain, sizeof(Body)), 0) << "refused, yet changed";
      continue;
    }
    ++acted;
    const Update update = tcp::update(plain, direction, packet, ProtocolContext{});
    ASSERT_EQ(update.effect, Effect::accept);
    ASSERT_FALSE(update.is_new);
    ASSERT_EQ(std::memcmp(&straight, &plain, sizeof(Body)), 0) << "run " << run;
  }
  EXPECT_GT(acted, 100'000);
}

TEST(TcpEstablished, TakesTheCommonestSegments) {
  Body body{};
  body.scales = 0x77;
  for (const unsigned side : {0U, 1U}) {
    body.tcp.end[side] = 1000;
    body.tcp.max_end[side] = 9000;
    body.tcp.max_ack[side] = 1000;
    body.tcp.max_window[side] = 64;
  }
  EXPECT_TRUE(update_established(body, Direction::original, {1000, 1000, 64}));  // an empty ACK
  EXPECT_TRUE(update_established(body, Direction::reply, {2448, 1000, 64}));     // data
  EXPECT_EQ(body.tcp.end[1], 2448U);
  EXPECT_TRUE(update_established(body, Direction::original, {1000, 2448, 64}));  // acknowledged
  EXPECT_EQ(body.tcp.max_ack[0], 2448U);
  EXPECT_FALSE(update_established(body, Direction::original, {1000, 2449, 64}));  // never sent
}

TEST(TcpEstablished, LeavesEveryOtherConnectionAlone) {
  Body body{};
  body.state = static_cast<std::uint8_t>(TcpState::established);
  body.status = status::kSeenReply | status::kAssured | status::kOriginIsOne;
  EXPECT_TRUE(is_plainly_established(body));
  for (const std::uint8_t bit : {status::kPickedUp, status::kHasMark, status::kHasLabel}) {
    Body other = body;
    other.status |= bit;
    EXPECT_FALSE(is_plainly_established(other));
  }
  for (const std::uint8_t bit : {status::kSeenReply, status::kAssured}) {
    Body other = body;
    other.status &= static_cast<std::uint8_t>(~bit);
    EXPECT_FALSE(is_plainly_established(other));
  }
  for (const std::uint8_t flag : {kFinOriginal, kFinReply, kChallengedOrSimultaneous}) {
    Body other = body;
    other.state |= flag;
    EXPECT_FALSE(is_plainly_established(other));
  }
}

}  // namespace uct::core::tcp
