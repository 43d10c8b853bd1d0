#include "proto/tcp_window.h"

#include <cstring>

#include <gtest/gtest.h>

namespace uct::core::tcp {
namespace {

constexpr Direction kTheirs = Direction::reply;
constexpr Direction kOurs = Direction::original;
constexpr std::uint8_t kUnscaled = kScaleUnknown | kScaleUnknown << 4;

/// A connection in the middle of its life. `base` moves all numbers, so that each test is also run
/// across the wrap.
class TcpWindow : public testing::TestWithParam<std::uint32_t> {
 protected:
  TcpWindow() {
    std::memset(&body, 0, sizeof(body));
    body.scales = kUnscaled;
    body.status = status::kSeenReply;
    body.tcp = {{at(1000), at(500'000)}, {at(9000), at(508'000)}, {at(500'000), at(1000)},
                {8000, 8000}};
  }

  Sequence at(std::uint32_t number) const { return GetParam() + number; }

  Segment segment(Sequence seq, std::uint32_t length, Sequence ack) const {
    return {seq, seq + length, ack, 8000, true};
  }
  Judgement judged(const Segment& s, bool strict = false) const {
    return judge(body, kOurs, s, strict, nullptr);
  }
  Place place(Sequence seq, std::uint32_t length, Sequence ack, bool strict = false) const {
    return judged(segment(seq, length, ack), strict).place;
  }

  Body body;
};

}  // namespace

/// Bound I: the right edge is 9000.
TEST_P(TcpWindow, BeginsAtTheRightEdgeAtMost) {
  EXPECT_EQ(place(at(9000), 0, at(500'000)), Place::inside);
  EXPECT_EQ(place(at(9001), 0, at(500'000)), Place::beyond);
  EXPECT_EQ(place(at(9001), 100, at(500'000)), Place::beyond);
}

TEST_P(TcpWindow, EndingBeyondTheRightEdgeCrosses) {
  EXPECT_EQ(place(at(8000), 1000, at(500'000)), Place::inside);
  EXPECT_EQ(place(at(8000), 1001, at(500'000)), Place::crossing);
  EXPECT_EQ(place(at(9000), 1, at(500'000)), Place::crossing);
}

/// Bound II: the end may lie back by their largest window, 8000.
TEST_P(TcpWindow, EndsNoFurtherBackThanTheirWindow) {
  EXPECT_EQ(place(at(1000) - 8000, 0, at(500'000)), Place::inside);
  EXPECT_EQ(place(at(1000) - 8001, 0, at(500'000)), Place::duplicate);
  EXPECT_EQ(place(at(1000) - 8100, 100, at(500'000)), Place::inside);
  EXPECT_EQ(place(at(1000) - 8101, 100, at(500'000)), Place::duplicate);
}

/// Bound III: 66,000 beyond what they sent.
TEST_P(TcpWindow, AcknowledgesUpToTheSlackAhead) {
  EXPECT_EQ(place(at(1000), 0, at(500'000) + kAckSlack), Place::inside);
  EXPECT_EQ(place(at(1000), 0, at(500'001) + kAckSlack), Place::ack_unsent);
}

TEST_P(TcpWindow, StrictAllowsNoSlackAhead) {
  EXPECT_EQ(place(at(1000), 0, at(500'000), true), Place::inside);
  EXPECT_EQ(place(at(1000), 0, at(500'001), true), Place::ack_unsent);
}

TEST_P(TcpWindow, AcknowledgementOfWhatWasNotSeenDoesNotCount) {
  EXPECT_TRUE(judged(segment(at(1000), 0, at(500'000))).ack_counts);
  EXPECT_FALSE(judged(segment(at(1000), 0, at(500'001))).ack_counts);
  Segment without = segment(at(1000), 0, at(500'000));
  without.has_ack = false;
  EXPECT_FALSE(judged(without).ack_counts);
}

/// Bound IV: back by 66,000 or our window, whichever is more.
TEST_P(TcpWindow, AcknowledgesNoFurtherBackThanTheSlack) {
  EXPECT_EQ(place(at(1000), 0, at(500'000) - kAckSlack), Place::inside);
  EXPECT_EQ(place(at(1000), 0, at(499'999) - kAckSlack), Place::duplicate);
}

TEST_P(TcpWindow, AcknowledgesAsFarBackAsAWindowLargerThanTheSlack) {
  body.scales = 4 | 0 << 4;
  const std::uint32_t window = 8000U << 4;
  EXPECT_EQ(max_window_bytes(body, kOurs), window);
  EXPECT_EQ(place(at(1000), 0, at(500'000) - window), Place::inside);
  EXPECT_EQ(place(at(1000), 0, at(499'999) - window), Place::duplicate);
}

TEST_P(TcpWindow, WithoutAckFlagTheNumberIsNotRead) {
  Segment s = segment(at(1000), 0, at(500'000) + 0x7000'0000);
  s.has_ack = false;
  EXPECT_EQ(judged(s).place, Place::inside);
}

TEST_P(TcpWindow, NumbersTellTheBounds) {
  TcpNumbers numbers;
  judge(body, kOurs, segment(at(1000), 10, at(500'000)), false, &numbers);
  EXPECT_TRUE(numbers.seq == at(1000) && numbers.end == at(1010));
  EXPECT_EQ(numbers.seq_high, at(9000));
  EXPECT_EQ(numbers.seq_low, at(1000) - 8000);
  EXPECT_EQ(numbers.ack_high, at(500'000) + kAckSlack);
  EXPECT_EQ(numbers.ack_low, at(500'000) - kAckSlack);
}

TEST_P(TcpWindow, NothingIsJudgedWhileOneSideIsUnheard) {
  body.status = status::kPickedUp;
  EXPECT_TRUE(one_side_unheard(body));
  EXPECT_EQ(place(at(1'000'000), 10, at(7)), Place::inside);
  body.status = status::kPickedUp | status::kSeenReply;
  EXPECT_FALSE(one_side_unheard(body));
}

TEST_P(TcpWindow, ScaleCountsWhenBothSynsHadIt) {
  body.scales = 7 | kScaleUnknown << 4;
  EXPECT_EQ(window_shift(body, kOurs), 0);
  body.scales = kScaleUnknown | 7 << 4;
  EXPECT_EQ(window_shift(body, kTheirs), 0);
  body.scales = 7 | 2 << 4;
  EXPECT_EQ(window_shift(body, kOurs), 7);
  EXPECT_EQ(window_shift(body, kTheirs), 2);
  body.scales = kScaleMax | 0 << 4;
  body.tcp.max_window[0] = 0xffff;
  EXPECT_EQ(max_window_bytes(body, kOurs), 0xffffU << 14);
}

TEST_P(TcpWindow, SynAndFinCountOneAndTheWindowOfASynIsNotScaled) {
  body.scales = 7 | 2 << 4;
  ParsedPacket packet;
  packet.seq = at(1000);
  packet.payload_size = 5;
  packet.window = 100;
  packet.tcp_flags = tcp_flag::kSyn;
  EXPECT_EQ(make_segment(body, kOurs, packet).end, at(1006));
  EXPECT_EQ(make_segment(body, kOurs, packet).window, 100U);
  EXPECT_FALSE(make_segment(body, kOurs, packet).has_ack);
  packet.tcp_flags = tcp_flag::kFin | tcp_flag::kAck;
  EXPECT_EQ(make_segment(body, kOurs, packet).end, at(1006));
  EXPECT_EQ(make_segment(body, kOurs, packet).window, 100U << 7);
  EXPECT_EQ(make_segment(body, kTheirs, packet).window, 100U << 2);
  EXPECT_TRUE(make_segment(body, kOurs, packet).has_ack);
}

/// What they acknowledged last is 1000; what we sent ends there, too; the edge is 9000.
TEST_P(TcpWindow, ResetIsExactInsideOrOutside) {
  body.tcp.end[0] = at(3000);
  const auto judged_reset = [&](Sequence seq) {
    return judge_reset(body, kOurs, segment(seq, 0, at(500'000)), nullptr);
  };
  EXPECT_EQ(judged_reset(at(1000)), ResetPlace::exact);
  EXPECT_EQ(judged_reset(at(3000)), ResetPlace::exact);
  EXPECT_EQ(judged_reset(at(1001)), ResetPlace::inside);
  EXPECT_EQ(judged_reset(at(8999)), ResetPlace::inside);
  EXPECT_EQ(judged_reset(at(999)), ResetPlace::outside);
  EXPECT_EQ(judged_reset(at(9000)), ResetPlace::outside);
  body.status = status::kPickedUp;
  EXPECT_EQ(judged_reset(at(999)), ResetPlace::inside);
}

TEST_P(TcpWindow, AdvanceMovesEndsEdgesAndWindowsForwardOnly) {
  Segment s = segment(at(1000), 100, at(500'000));
  s.window = 9000;
  advance(body, kOurs, s, judged(s), false);
  EXPECT_EQ(body.tcp.end[0], at(1100));
  EXPECT_EQ(body.tcp.max_end[1], at(509'000));
  EXPECT_EQ(body.tcp.max_window[0], 9000);
  Segment old = segment(at(900), 10, at(499'000));
  old.window = 10;
  advance(body, kOurs, old, judged(old), false);
  EXPECT_EQ(body.tcp.end[0], at(1100));
  EXPECT_EQ(body.tcp.max_ack[0], at(500'000));
  EXPECT_EQ(body.tcp.max_end[1], at(509'000));
  EXPECT_EQ(body.tcp.max_window[0], 9000);
}

TEST_P(TcpWindow, AdvanceKeepsTheEndBehindAFinAndIgnoresAcksThatDoNotCount) {
  const Segment s = segment(at(1000), 100, at(500'100));
  advance(body, kOurs, s, judged(s), true);
  EXPECT_EQ(body.tcp.end[0], at(1000));
  EXPECT_EQ(body.tcp.max_ack[0], at(500'000));
  EXPECT_EQ(body.tcp.max_end[1], at(508'000));
}

INSTANTIATE_TEST_SUITE_P(Numbers, TcpWindow,
                         testing::Values(0U, 0xffff'fc18U, 0xfff8'5ee0U, 0x7fff'ffffU));

}  // namespace uct::core::tcp
