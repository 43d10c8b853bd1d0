#include "proto/sctp.h"

#include <cstring>
#include <optional>

#include <gtest/gtest.h>

#include "tests/support/scenario_bytes.h"

namespace uct::core::sctp {
namespace {

using scenario::Bytes;

enum : unsigned {
  kData = 0, kInit = 1, kInitAck = 2, kSack = 3, kHeartbeat = 4, kHeartbeatAck = 5, kAbort = 6,
  kShutdown = 7, kShutdownAck = 8, kError = 9, kCookieEcho = 10, kCookieAck = 11,
  kShutdownComplete = 14,
};
constexpr std::uint32_t kTags[2] = {0xaaaa, 0xbbbb};  ///< by direction of the packets

Bytes chunk(unsigned type, unsigned flags = 0, std::uint32_t tag = 0xcccc) {
  Bytes bytes;
  const bool announces = type == kInit || type == kInitAck;
  bytes.u8(type).u8(flags).u16(announces ? 20 : 4);
  if (announces) bytes.u32(tag).zeros(12);
  return bytes;
}

/// An association in a state, with tags known from INIT and INIT ACK.
class Association {
 public:
  explicit Association(SctpState state) {
    std::memset(&body, 0, sizeof(body));
    set_state(body, static_cast<std::uint8_t>(state));
    body.sctp = {{kTags[0], kTags[1]}, {2, 1}};
  }

  Reason send(Direction direction, std::uint32_t tag, const Bytes& chunks) {
    const Bytes packet = Bytes().u16(1).u16(2).u32(tag).u32(0).append(chunks);
    ParsedPacket parsed;
    parsed.kind = Kind::sctp;
    parsed.transport_size = static_cast<std::uint32_t>(packet.size());
    ProtocolContext context;
    context.transport = reinterpret_cast<const std::byte*>(packet.data());
    if (!opened) {
      const Reason reason = sctp::can_open(parsed, context);
      if (reason == Reason::none) sctp::open(body, parsed, context);
      opened = reason == Reason::none;
      return reason;
    }
    const Update update = sctp::update(body, direction, parsed, context);
    is_new = update.is_new;
    return update.reason;
  }
  /// With the tag that this direction must carry.
  Reason send(Direction direction, const Bytes& chunks) {
    return send(direction, kTags[static_cast<unsigned>(direction)], chunks);
  }

  SctpState state() const { return static_cast<SctpState>(state_of(body)); }

  Body body;
  bool opened = true;
  bool is_new = false;  ///< what the last packet of it was called
};

constexpr SctpState kStates[] = {
    SctpState::cookie_wait,   SctpState::cookie_echoed,     SctpState::established,
    SctpState::shutdown_sent, SctpState::shutdown_recv,     SctpState::shutdown_ack_sent,
    SctpState::closed,        SctpState::heartbeat_sent};

/// docs/sctp-states.md as a list of what changes; nothing when the chunk is not allowed.
std::optional<SctpState> table(SctpState from, unsigned type, Direction direction) {
  using S = SctpState;
  std::optional<S> to = from;
  struct Row {
    unsigned type;
    S from;
    S to;
  };
  constexpr Row kRows[] = {{kCookieEcho, S::cookie_wait, S::cookie_echoed},
                           {kCookieAck, S::cookie_echoed, S::established},
                           {kShutdownAck, S::shutdown_sent, S::shutdown_ack_sent},
                           {kShutdownAck, S::shutdown_recv, S::shutdown_ack_sent},
                           {kShutdownComplete, S::shutdown_ack_sent, S::closed}};
  for (const Row& row : kRows) {
    if (row.type == type && row.from == from) to = row.to;
  }
  if (type == kShutdown && from == S::established) {
    to = direction == Direction::original ? S::shutdown_sent : S::shutdown_recv;
  }
  if (type == kAbort) to = S::closed;
  const bool opening = from == S::cookie_wait || from == S::cookie_echoed;
  if (type == kInitAck && !opening && from != S::established) return std::nullopt;
  if (type == kShutdownComplete && from != S::shutdown_ack_sent && from != S::closed) {
    return std::nullopt;
  }
  if (to == S::heartbeat_sent && direction == Direction::reply) to = S::established;
  if (type == kInit && from == S::closed) to = S::cookie_wait;
  return to;
}

}  // namespace

/// Every state, chunk type and direction, with the tag that is right.
TEST(SctpTable, IsTheDocumentedOne) {
  for (const SctpState from : kStates) {
    for (unsigned type = 0; type < 256; ++type) {
      for (const Direction direction : {Direction::original, Direction::reply}) {
        Association association(from);
        const std::uint32_t tag = type == kInit ? 0 : kTags[static_cast<unsigned>(direction)];
        const Reason reason = association.send(direction, tag, chunk(type));
        const auto expected = table(from, type, direction);
        EXPECT_EQ(reason, expected ? Reason::none : Reason::sctp_state)
            << name(from) << " " << type << " " << name(reason);
        EXPECT_EQ(association.state(), expected.value_or(from)) << name(from) << " " << type;
      }
    }
  }
}

TEST(SctpTable, WrongTagChangesNothingAnywhere) {
  for (const SctpState from : kStates) {
    for (unsigned type = 0; type < 256; ++type) {
      for (const Direction direction : {Direction::original, Direction::reply}) {
        Association association(from);
        EXPECT_EQ(association.send(direction, 0x1234, chunk(type)), Reason::sctp_tag)
            << name(from) << " " << type;
        EXPECT_EQ(association.state(), from) << type;
      }
    }
  }
}

TEST(SctpTable, ReflectedTagIsForAbortAndShutdownCompleteOnly) {
  for (unsigned type = 0; type < 256; ++type) {
    Association association(SctpState::shutdown_ack_sent);
    const Reason reason = association.send(Direction::original, kTags[1], chunk(type, 1));
    const bool may = type == kAbort || type == kShutdownComplete;
    EXPECT_EQ(reason, may ? Reason::none : Reason::sctp_tag) << type;
  }
  Association association(SctpState::established);
  EXPECT_EQ(association.send(Direction::original, chunk(kAbort, 1)), Reason::sctp_tag)
      << "the T bit, and not reflected";
}

TEST(SctpOpening, OnlyALoneInitOrAHeartbeatMayOpen) {
  for (unsigned type = 0; type < 256; ++type) {
    Association association(SctpState::none);
    association.opened = false;
    const std::uint32_t tag = type == kInit ? 0 : 77;
    const Reason reason = association.send(Direction::original, tag, chunk(type));
    const bool may = type == kInit || type == kHeartbeat;
    EXPECT_EQ(reason, may ? Reason::none : Reason::sctp_cannot_open) << type;
  }
  Association two(SctpState::none);
  two.opened = false;
  EXPECT_NE(two.send(Direction::original, 0, chunk(kInit).append(chunk(kData))), Reason::none);
  EXPECT_NE(two.send(Direction::original, 5, chunk(kInit)), Reason::none) << "its tag is 0";
  EXPECT_NE(two.send(Direction::original, 0, chunk(kInit, 0, 0)), Reason::none) << "announces 0";
}

TEST(SctpOpening, HandshakeEstablishesAndAssures) {
  Association association(SctpState::none);
  association.opened = false;
  ASSERT_EQ(association.send(Direction::original, 0, chunk(kInit, 0, 0xbbbb)), Reason::none);
  EXPECT_EQ(association.state(), SctpState::cookie_wait);
  ASSERT_EQ(association.send(Direction::reply, 0xbbbb, chunk(kInitAck, 0, 0xaaaa)), Reason::none);
  EXPECT_NE(association.body.status & status::kSeenReply, 0);
  const Bytes echo = chunk(kCookieEcho).append(chunk(kData));
  ASSERT_EQ(association.send(Direction::original, echo), Reason::none);
  EXPECT_EQ(association.state(), SctpState::cookie_echoed);
  ASSERT_EQ(association.send(Direction::reply, chunk(kCookieAck)), Reason::none);
  EXPECT_EQ(association.state(), SctpState::established);
  EXPECT_NE(association.body.status & status::kAssured, 0);
}

TEST(SctpPacket, IsTakenWholeOrNotAtAll) {
  Association association(SctpState::cookie_wait);
  const Bytes chunks = chunk(kCookieEcho).append(chunk(kShutdownComplete));
  EXPECT_NE(association.send(Direction::original, chunks), Reason::none);
  EXPECT_EQ(association.state(), SctpState::cookie_wait);
}

TEST(SctpPacket, InitInitAckAndShutdownCompleteTravelAlone) {
  for (const unsigned type : {kInitAck, kShutdownComplete}) {
    const SctpState from =
        type == kInitAck ? SctpState::cookie_wait : SctpState::shutdown_ack_sent;
    Association first(from);
    EXPECT_EQ(first.send(Direction::reply, chunk(type).append(chunk(kData))), Reason::sctp_chunk);
    Association second(from);
    EXPECT_EQ(second.send(Direction::reply, chunk(kData).append(chunk(type))), Reason::sctp_chunk);
    EXPECT_EQ(second.state(), from);
  }
}

TEST(SctpPacket, AnnouncedTagOfZeroIsIllegal) {
  Association association(SctpState::cookie_wait);
  EXPECT_EQ(association.send(Direction::reply, chunk(kInitAck, 0, 0)), Reason::sctp_chunk);
}

TEST(SctpHeartbeat, EachSidesTagIsLearnedFromItsFirstPacket) {
  Association association(SctpState::none);
  association.opened = false;
  ASSERT_EQ(association.send(Direction::original, 7, chunk(kHeartbeat)), Reason::none);
  EXPECT_EQ(association.send(Direction::original, 8, chunk(kHeartbeat)), Reason::sctp_tag);
  ASSERT_EQ(association.send(Direction::reply, 9, chunk(kHeartbeatAck)), Reason::none);
  EXPECT_EQ(association.state(), SctpState::established);
  EXPECT_EQ(association.send(Direction::reply, 10, chunk(kData)), Reason::sctp_tag);
  EXPECT_EQ(association.send(Direction::original, 7, chunk(kSack)), Reason::none);
}

TEST(SctpOpening, InitAfterTheEndIsAnAnswerOnlyFromTheOtherSide) {
  Association answered(SctpState::closed);
  ASSERT_EQ(answered.send(Direction::reply, 0, chunk(kInit)), Reason::none);
  EXPECT_FALSE(answered.is_new);
  EXPECT_NE(answered.body.status & status::kSeenReply, 0);

  Association unanswered(SctpState::closed);
  ASSERT_EQ(unanswered.send(Direction::original, 0, chunk(kInit)), Reason::none);
  EXPECT_TRUE(unanswered.is_new);
  EXPECT_EQ(unanswered.body.status & status::kSeenReply, 0);
}

TEST(SctpTimeout, FollowsTheState) {
  const auto of = [](SctpState state) { return sctp::timeout_class(Association(state).body); };
  EXPECT_EQ(of(SctpState::cookie_wait), TimeoutClass::sctp_opening);
  EXPECT_EQ(of(SctpState::cookie_echoed), TimeoutClass::sctp_opening);
  EXPECT_EQ(of(SctpState::heartbeat_sent), TimeoutClass::sctp_opening);
  EXPECT_EQ(of(SctpState::established), TimeoutClass::sctp_established);
  EXPECT_EQ(of(SctpState::shutdown_sent), TimeoutClass::sctp_closing);
  EXPECT_EQ(of(SctpState::closed), TimeoutClass::sctp_closing);
}

}  // namespace uct::core::sctp
