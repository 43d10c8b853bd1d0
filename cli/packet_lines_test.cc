#include "cli/packet_lines.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/samples_test.h"

namespace uct::cli::testing {
namespace {

class PacketLinesTest : public ::testing::Test {
 protected:
  std::string line() {
    const PacketLines lines(options, Style());
    return text_of([&](Text& out) {
      lines.append(out, {number, at(0), &verdict, options.explain ? &why : nullptr});
    });
  }

  /// A segment from 10.0.0.1:80 to 10.0.0.2:40000 of a connection that was there.
  void segment(TcpState before, TcpState after) {
    options.explain = true;
    why.has_tuple = why.found = true;
    why.tuple = with_ports(Protocol::tcp, "10.0.0.1", 80, "10.0.0.2", 40'000).original;
    why.state_before = static_cast<std::uint8_t>(before);
    why.state_after = static_cast<std::uint8_t>(after);
    verdict.connection = ConnectionHandle{1};
  }

  TrackOptions options;
  std::uint64_t number = 3;
  Verdict verdict;
  Explanation why;
};

TEST_F(PacketLinesTest, NumberAndFlags) {
  verdict.state = StateFlags::new_ | StateFlags::tracked;
  number = 1;
  EXPECT_EQ(line(), "1: new|trk\n");
  verdict.state = StateFlags::untracked;
  number = 18'446'744'073'709'551'615U;
  EXPECT_EQ(line(), "18446744073709551615: untracked\n");
}

TEST_F(PacketLinesTest, ExplainedReply) {
  segment(TcpState::syn_sent, TcpState::syn_recv);
  verdict.state = StateFlags::established | StateFlags::reply | StateFlags::tracked;
  EXPECT_EQ(line(), "3: est|rpl|trk  tcp 10.0.0.1:80 -> 10.0.0.2:40000  SYN_SENT -> SYN_RECV\n");
}

TEST_F(PacketLinesTest, ExplainedOpeningHasNoStateBefore) {
  segment(TcpState::none, TcpState::syn_sent);
  why.found = false;
  why.committed = true;
  verdict.state = StateFlags::new_ | StateFlags::tracked;
  EXPECT_EQ(line(), "3: new|trk  tcp 10.0.0.1:80 -> 10.0.0.2:40000  (none) -> SYN_SENT\n");
  why.found = true;
  why.state_before = static_cast<std::uint8_t>(TcpState::time_wait);
  EXPECT_EQ(line(),
            "3: new|trk  tcp 10.0.0.1:80 -> 10.0.0.2:40000  TIME_WAIT -> SYN_SENT (anew)\n");
}

TEST_F(PacketLinesTest, SegmentBeyondTheWindowCarriesItsNumbers) {
  segment(TcpState::established, TcpState::established);
  verdict.state = StateFlags::invalid | StateFlags::tracked;
  verdict.reason = Reason::tcp_seq_beyond_window;
  why.tcp = {.judged = true, .seq = 1001, .end = 2001, .seq_high = 900};
  EXPECT_EQ(line(),
            "3: inv|trk  tcp 10.0.0.1:80 -> 10.0.0.2:40000  ESTABLISHED -> ESTABLISHED  "
            "tcp_seq_beyond_window: the segment begins beyond the right edge of the window "
            "(seq 1001, end 2001, right edge 900: 101 bytes beyond)\n");
}

TEST_F(PacketLinesTest, DistancesWrapWithSequenceNumbers) {
  why.tcp = {.judged = true, .seq = 5, .end = 6, .seq_high = 0xffff'fffb, .exact = 0xffff'fff0};
  const auto numbers = [&](Reason reason) {
    return text_of([&](Text& out) { append_numbers(out, reason, why); });
  };
  EXPECT_EQ(numbers(Reason::tcp_seq_beyond_window),
            " (seq 5, end 6, right edge 4294967291: 10 bytes beyond)");
  EXPECT_EQ(numbers(Reason::tcp_reset_not_exact),
            " (seq 5, exact 4294967280, right edge 4294967291: 21 bytes behind the exact one)");
  why.tcp.seq = 0xffff'ffe0;
  EXPECT_NE(numbers(Reason::tcp_reset_not_exact).find("16 bytes before the exact one"),
            std::string::npos);
}

TEST_F(PacketLinesTest, AcknowledgementOfTheUnsent) {
  why.tcp = {.judged = true, .ack = 70'000, .ack_high = 66'000};
  EXPECT_EQ(text_of([&](Text& out) { append_numbers(out, Reason::tcp_ack_unsent, why); }),
            " (ack 70000, at most 66000: 4000 bytes beyond)");
}

TEST_F(PacketLinesTest, NumbersOnlyWhereTheyWereCompared) {
  EXPECT_EQ(text_of([&](Text& out) { append_numbers(out, Reason::tcp_checksum, why); }), "");
  why.sctp_tag = 1;
  why.sctp_tag_expected = 0xabcd;
  EXPECT_EQ(text_of([&](Text& out) { append_numbers(out, Reason::sctp_tag, why); }),
            " (tag 0x00000001, expected 0x0000abcd)");
}

TEST_F(PacketLinesTest, UntrackedAndErrorsSayWhatTheyAreAbout) {
  options.explain = true;
  verdict.reason = Reason::not_ip;
  EXPECT_EQ(line(), "3: untracked  not_ip: the frame does not carry IPv4 or IPv6\n");
  segment(TcpState::established, TcpState::established);
  verdict.reason = Reason::none;
  verdict.state = StateFlags::related | StateFlags::tracked;
  EXPECT_EQ(line(),
            "3: rel|trk  error about tcp 10.0.0.1:80 -> 10.0.0.2:40000  "
            "ESTABLISHED -> ESTABLISHED\n");
}

TEST_F(PacketLinesTest, RefusedPacketsHaveAReasonAndNoState) {
  segment(TcpState::none, TcpState::none);
  verdict = {};
  why.found = false;
  verdict.state = StateFlags::new_ | StateFlags::tracked;
  verdict.reason = Reason::table_full;
  EXPECT_EQ(line(),
            "3: new|trk  tcp 10.0.0.1:80 -> 10.0.0.2:40000  "
            "table_full: the maximum number of connections is reached\n");
}

TEST_F(PacketLinesTest, JsonHasTheSameAndMore) {
  options.form = Form::json;
  verdict.state = StateFlags::established | StateFlags::tracked;
  EXPECT_EQ(nlohmann::json::parse(line()).size(), 4U);
  segment(TcpState::established, TcpState::fin_wait);
  why.tcp.judged = true;
  why.tcp.seq = 9;
  const auto json = nlohmann::json::parse(line());
  EXPECT_EQ(json["number"], 3);
  EXPECT_EQ(json["flags"], "est|trk");
  EXPECT_EQ(json["tuple"]["destination_port"], 40'000);
  EXPECT_EQ(json["state_before"], "ESTABLISHED");
  EXPECT_EQ(json["state_after"], "FIN_WAIT");
  EXPECT_EQ(json["tcp"]["seq"], 9);
}

}  // namespace
}  // namespace uct::cli::testing
