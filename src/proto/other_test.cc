#include "proto/other.h"

#include <cstring>

#include <gtest/gtest.h>

namespace uct::core::other {
namespace {

class OtherProtocol : public testing::Test {
 protected:
  OtherProtocol() {
    std::memset(&body, 0, sizeof(body));
    open(body);
  }
  Update there() { return update(body, Direction::original); }
  Update back() { return update(body, Direction::reply); }
  void expect(OtherState state, bool seen_reply, bool assured) const {
    EXPECT_EQ(static_cast<OtherState>(state_of(body)), state);
    EXPECT_EQ((body.status & status::kSeenReply) != 0, seen_reply);
    EXPECT_EQ((body.status & status::kAssured) != 0, assured);
  }

  Body body;
};

}  // namespace

TEST_F(OtherProtocol, BeginsWithOnePacket) {
  expect(OtherState::first, false, false);
  EXPECT_EQ(timeout_class(body), TimeoutClass::other_first);
}

TEST_F(OtherProtocol, UnansweredStaysNew) {
  for (int i = 0; i < 3; ++i) {
    const Update update = there();
    EXPECT_EQ(update.effect, Effect::accept);
    EXPECT_TRUE(update.is_new);
  }
  expect(OtherState::multiple, false, false);
  EXPECT_EQ(timeout_class(body), TimeoutClass::other_multiple);
}

TEST_F(OtherProtocol, AnAnswerMakesItBidirectional) {
  EXPECT_FALSE(back().is_new);
  expect(OtherState::bidir, true, false);
  EXPECT_EQ(timeout_class(body), TimeoutClass::other_bidir);
}

TEST_F(OtherProtocol, APacketAfterTheAnswerAssures) {
  back();
  back();
  expect(OtherState::bidir, true, false);
  EXPECT_FALSE(there().is_new);
  expect(OtherState::bidir, true, true);
}

}  // namespace uct::core::other
