// TCP states: every state x flag class x direction against a table written from RFC 9293 and our
// rules, and conversations that read like traffic. Windows are in tcp_window_test.cc.
#include "proto/tcp.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>

#include "proto/tcp_conversation_test.h"

namespace uct::core {
namespace {

using enum TcpState;
constexpr Direction kOrig = Direction::original;
constexpr Direction kRepl = Direction::reply;

/// The classes that a segment's flags fall into; everything else the parser already refused.
enum class Flags { syn, syn_ack, ack, fin, rst };
constexpr std::array kFlags = {Flags::syn, Flags::syn_ack, Flags::ack, Flags::fin, Flags::rst};
constexpr std::array kStates = {syn_sent, syn_recv,  established, fin_wait, close_wait,
                                last_ack, time_wait, close,       syn_sent2};

/// What a well-placed segment does: the numbers are those that the sender would use next.
struct Cell {
  Effect effect;
  TcpState next;
};
constexpr Effect kA = Effect::accept, kP = Effect::pass, kR = Effect::reject, kN = Effect::replace;

/// [direction][flags][state in the order of kStates]
///
/// syn_sent      only the responder speaks: SYN (simultaneous), SYN-ACK, ACK (a challenge),
///               RST+ACK; the originator may repeat its SYN or give up
/// syn_recv      the originator's ACK completes, a FIN may ride on it; a FIN of the responder waits
/// established   to last_ack: the responder's SYN lies behind what it sent since, and is refused
/// last_ack      reached by crossing FINs here, of which one ACK acknowledges but one
/// fin_wait etc. a FIN from the side that sent one is a repetition
/// syn_sent2     only a SYN-ACK settles crossing SYNs (RFC 9293 section 3.5)
/// close         a reset says nothing new
/// time_wait     nothing but a SYN means anything new
// clang-format off
constexpr Cell kTable[2][5][9] = {
    {// the originator sends
     {{kP, syn_sent}, {kP, syn_recv}, {kP, established}, {kP, fin_wait}, {kP, close_wait},
      {kP, last_ack}, {kN, syn_sent}, {kN, syn_sent}, {kP, syn_sent2}},
     {{kR, syn_sent}, {kR, syn_recv}, {kR, established}, {kR, fin_wait}, {kR, close_wait},
      {kR, last_ack}, {kR, time_wait}, {kR, close}, {kA, syn_recv}},
     {{kR, syn_sent}, {kA, established}, {kA, established}, {kA, fin_wait}, {kA, close_wait},
      {kA, last_ack}, {kA, time_wait}, {kA, close}, {kR, syn_sent2}},
     {{kR, syn_sent}, {kA, fin_wait}, {kA, fin_wait}, {kA, fin_wait}, {kA, close_wait},
      {kA, last_ack}, {kA, time_wait}, {kA, close}, {kR, syn_sent2}},
     {{kA, close}, {kA, close}, {kA, close}, {kA, close}, {kA, close}, {kA, close}, {kA, close},
      {kP, close}, {kA, close}}},
    {// the responder sends
     {{kA, syn_sent2}, {kP, syn_recv}, {kR, established}, {kR, fin_wait}, {kR, close_wait},
      {kR, last_ack}, {kN, syn_sent}, {kN, syn_sent}, {kP, syn_sent2}},
     {{kA, syn_recv}, {kP, syn_recv}, {kP, established}, {kP, fin_wait}, {kP, close_wait},
      {kP, last_ack}, {kP, time_wait}, {kP, close}, {kA, syn_recv}},
     {{kP, syn_sent}, {kA, syn_recv}, {kA, established}, {kA, close_wait}, {kA, close_wait},
      {kA, last_ack}, {kA, time_wait}, {kA, close}, {kP, syn_sent2}},
     {{kR, syn_sent}, {kA, syn_recv}, {kA, fin_wait}, {kA, last_ack}, {kA, last_ack},
      {kA, last_ack}, {kA, time_wait}, {kA, close}, {kR, syn_sent2}},
     {{kA, close}, {kA, close}, {kA, close}, {kA, close}, {kA, close}, {kA, close}, {kA, close},
      {kP, close}, {kA, close}}},
};
// clang-format on

/// Brings a conversation into a state by the shortest way.
test::TcpConversation in_state(TcpState state) {
  test::TcpConversation tcp;
  tcp.client().syn();
  if (state == syn_sent) return tcp;
  if (state == syn_sent2) {
    tcp.server().syn();
    return tcp;
  }
  tcp.server().syn_ack();
  if (state == syn_recv) return tcp;
  tcp.client().ack();
  if (state == established) return tcp;
  if (state == close) {
    tcp.client().rst();
    return tcp;
  }
  tcp.client().fin();
  if (state == fin_wait) return tcp;
  tcp.server().ack();
  if (state == close_wait) return tcp;
  tcp.server().fin();
  if (state == last_ack) {
    test::TcpConversation crossing;
    crossing.open();
    crossing.client().fin();
    crossing.server().fin_without_ack_of_fin();
    return crossing;
  }
  tcp.client().ack();
  return tcp;
}

test::TcpConversation::Segment segment_of(test::TcpConversation& tcp, Flags flags,
                                          Direction direction) {
  test::TcpConversation::Side& side = direction == kOrig ? tcp.client() : tcp.server();
  switch (flags) {
    case Flags::syn:
      return side.make_syn();
    case Flags::syn_ack:
      return side.make_syn_ack();
    case Flags::ack:
      return side.make_ack();
    case Flags::fin:
      return side.make_fin();
    case Flags::rst:
      return side.make_rst();
  }
  return {};
}

TEST(TcpState, EveryStateFlagClassAndDirectionIsAsTheTableSays) {
  for (std::size_t s = 0; s < kStates.size(); ++s) {
    for (std::size_t f = 0; f < kFlags.size(); ++f) {
      for (const Direction direction : {kOrig, kRepl}) {
        test::TcpConversation tcp = in_state(kStates[s]);
        ASSERT_EQ(tcp.state(), kStates[s]);
        const Update update = tcp.send(segment_of(tcp, kFlags[f], direction), direction);
        const Cell& cell = kTable[static_cast<int>(direction)][f][s];
        const std::string where = std::string(name(kStates[s])) + ", flag class " +
                                  std::to_string(f) + ", direction " +
                                  std::to_string(static_cast<int>(direction));
        EXPECT_EQ(update.effect, cell.effect) << where << ": " << name(update.reason);
        if (cell.effect != Effect::replace) {
          EXPECT_EQ(name(tcp.state()), name(cell.next)) << where;
        }
        EXPECT_EQ(update.effect == Effect::reject, update.reason != Reason::none) << where;
      }
    }
  }
}

TEST(TcpState, OnlyAFreshSynLeavesClose) {
  for (const Flags flags : kFlags) {
    for (const Direction direction : {kOrig, kRepl}) {
      test::TcpConversation tcp = in_state(close);
      const Update update = tcp.send(segment_of(tcp, flags, direction), direction);
      EXPECT_EQ(update.effect == Effect::replace, flags == Flags::syn);
      EXPECT_EQ(tcp.state(), close);
    }
  }
}

TEST(TcpState, ARejectedSegmentLeavesTheBodyUntouched) {
  for (const TcpState state : kStates) {
    for (const Flags flags : kFlags) {
      for (const Direction direction : {kOrig, kRepl}) {
        test::TcpConversation tcp = in_state(state);
        test::TcpConversation::Segment segment = segment_of(tcp, flags, direction);
        segment.seq += 0x40000000;  // far outside every window
        segment.ack += 0x40000000;
        const Body before = tcp.body();
        const Update update = tcp.send(segment, direction);
        if (update.effect != Effect::reject) continue;
        EXPECT_EQ(std::memcmp(&before, &tcp.body(), sizeof(Body)), 0) << name(state);
      }
    }
  }
}

TEST(TcpState, SimultaneousOpenReachesEstablished) {
  test::TcpConversation tcp;
  tcp.client().syn();
  tcp.server().syn();
  EXPECT_EQ(tcp.state(), syn_sent2);
  EXPECT_EQ(tcp.client().syn_ack().effect, Effect::accept);
  EXPECT_EQ(tcp.server().syn_ack().effect, Effect::accept);
  EXPECT_EQ(tcp.state(), established);
}

TEST(TcpState, PlainAcksDoNotSettleACrossingOpen) {
  test::TcpConversation tcp;
  tcp.client().syn();
  tcp.server().syn();
  EXPECT_EQ(tcp.server().ack().effect, Effect::pass);
  EXPECT_EQ(tcp.client().ack().effect, Effect::reject);
  EXPECT_EQ(tcp.state(), syn_sent2);
}

TEST(TcpState, SynWithoutAnswerIsNewAndDoesNotRefreshWhenRepeated) {
  test::TcpConversation tcp;
  tcp.client().syn();
  const Update again = tcp.client().syn();
  EXPECT_TRUE(again.is_new);
  EXPECT_EQ(again.effect, Effect::pass);
}

TEST(TcpState, RepeatedSynWithANewNumberBeginsAgain) {
  test::TcpConversation tcp;
  tcp.client().syn();
  test::TcpConversation::Segment other = tcp.client().make_syn();
  other.seq += 5000;
  EXPECT_EQ(tcp.send(other, kOrig).effect, Effect::accept);
  test::TcpConversation::Segment answer = tcp.server().make_syn_ack();
  answer.ack = other.seq + 1;
  EXPECT_EQ(tcp.send(answer, kRepl).effect, Effect::accept);
  EXPECT_EQ(tcp.state(), syn_recv);
}

TEST(TcpState, PickedUpIsNewUntilTheOtherSideAnswers) {
  test::TcpConversation tcp;
  EXPECT_TRUE(tcp.pick_up().is_new);
  EXPECT_TRUE(tcp.client().data(100).is_new);
  EXPECT_FALSE(tcp.server().ack().is_new);
  EXPECT_FALSE(tcp.client().data(100).is_new);
  EXPECT_EQ(tcp.state(), established);
}

TEST(TcpState, HalfOpenRecoveryOfRfc9293Works) {
  test::TcpConversation tcp;
  tcp.client().syn();
  test::TcpConversation::Segment challenge = tcp.server().make_ack();
  challenge.ack = 777;
  EXPECT_EQ(tcp.send(challenge, kRepl).effect, Effect::pass);
  test::TcpConversation::Segment reset = tcp.client().make_rst();
  reset.seq = 777;
  EXPECT_EQ(tcp.send(reset, kOrig).effect, Effect::pass);
  EXPECT_EQ(tcp.state(), syn_sent);
  tcp.client().syn();
  EXPECT_EQ(tcp.server().syn_ack().effect, Effect::accept);
}

TEST(TcpState, BothSidesMayCloseFirst) {
  for (const bool client_first : {true, false}) {
    test::TcpConversation tcp;
    tcp.open();
    test::TcpConversation::Side& first = client_first ? tcp.client() : tcp.server();
    test::TcpConversation::Side& second = client_first ? tcp.server() : tcp.client();
    first.fin();
    EXPECT_EQ(tcp.state(), fin_wait);
    second.ack();
    EXPECT_EQ(tcp.state(), close_wait);
    second.data(50);
    EXPECT_EQ(tcp.state(), close_wait);
    second.fin();
    EXPECT_EQ(tcp.state(), last_ack);
    first.ack();
    EXPECT_EQ(tcp.state(), time_wait);
  }
}

TEST(TcpState, ResetOfTheUnansweredSynMustProveItself) {
  test::TcpConversation tcp;
  tcp.client().syn();
  test::TcpConversation::Segment reset = tcp.server().make_rst();
  reset.flags = tcp_flag::kRst;
  EXPECT_EQ(tcp.send(reset, kRepl).reason, Reason::tcp_reset_unproven);
  reset.flags = tcp_flag::kRst | tcp_flag::kAck;
  reset.ack = 99;
  EXPECT_EQ(tcp.send(reset, kRepl).reason, Reason::tcp_reset_unproven);
  EXPECT_EQ(tcp.server().rst().effect, Effect::accept);
  EXPECT_EQ(tcp.state(), close);
}

TEST(TcpState, TimeoutClassesFollowTheState) {
  using enum TimeoutClass;
  constexpr std::array kExpected = {tcp_first,   tcp_opening, tcp_established,
                                    tcp_closing, tcp_closing, tcp_fin_wait,
                                    tcp_closed,  tcp_closed,  tcp_opening};
  for (std::size_t s = 0; s < kStates.size(); ++s) {
    EXPECT_EQ(tcp::timeout_class(in_state(kStates[s]).body()), kExpected[s]) << name(kStates[s]);
  }
}

}  // namespace
}  // namespace uct::core
