#include "proto/icmp.h"

#include <cstring>

#include <gtest/gtest.h>

namespace uct::core::icmp {
namespace {

ParsedPacket message(Kind kind, unsigned type) {
  ParsedPacket packet;
  packet.kind = kind;
  packet.destination_port = static_cast<std::uint16_t>(type << 8);
  return packet;
}

}  // namespace

TEST(IcmpOpening, QueriesMayOpenAndRepliesAreUnasked) {
  for (const unsigned type : {8U, 13U, 15U, 17U}) {
    EXPECT_EQ(can_open(message(Kind::icmp, type)), Reason::none) << type;
  }
  for (const unsigned type : {0U, 14U, 16U, 18U, 128U}) {
    EXPECT_EQ(can_open(message(Kind::icmp, type)), Reason::icmp_reply_unasked) << type;
  }
  EXPECT_EQ(can_open(message(Kind::icmpv6, 128)), Reason::none);
  EXPECT_EQ(can_open(message(Kind::icmpv6, 139)), Reason::none);
  for (const unsigned type : {8U, 129U, 140U}) {
    EXPECT_EQ(can_open(message(Kind::icmpv6, type)), Reason::icmp_reply_unasked) << type;
  }
}

TEST(IcmpState, ReplyIsRememberedWhateverFollows) {
  Body body;
  std::memset(&body, 0, sizeof(body));
  open(body);
  EXPECT_EQ(timeout_class(body), TimeoutClass::icmp_first);
  EXPECT_TRUE(update(body, Direction::original).is_new);
  EXPECT_EQ(static_cast<IcmpState>(state_of(body)), IcmpState::first);
  EXPECT_FALSE(update(body, Direction::reply).is_new);
  EXPECT_EQ(static_cast<IcmpState>(state_of(body)), IcmpState::reply);
  EXPECT_FALSE(update(body, Direction::original).is_new);
  EXPECT_EQ(timeout_class(body), TimeoutClass::icmp_reply);
  EXPECT_NE(body.status & status::kSeenReply, 0);
}

}  // namespace uct::core::icmp
