// The scenario language itself: its mistakes are found, and so are those of a tracker.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/scenario_parse.h"
#include "tests/support/scenario_run.h"

namespace uct::scenario {
namespace {

const std::string kHosts = "host c 192.0.2.1 port 40000\nhost s 198.51.100.1 port 80\n";

std::string complaint_about(const std::string& line) {
  const ParseResult result = parse(kHosts + line + "\n");
  if (result.error.empty()) return "";
  return std::to_string(result.line) + ": " + result.error;
}

TEST(ScenarioLanguage, UnknownFieldIsNamedWithItsLine) {
  EXPECT_EQ(complaint_about("c > s udp seq 5 = new"), "3: 'seq' may not stand here");
}

TEST(ScenarioLanguage, UnknownHostIsNamed) {
  EXPECT_EQ(complaint_about("x > s udp = new"), "3: no host is named 'x'");
}

TEST(ScenarioLanguage, AcknowledgementWithoutNumberIsRefused) {
  EXPECT_EQ(complaint_about("c > s tcp A seq 5 = new"), "3: A wants ack");
}

TEST(ScenarioLanguage, PacketWithoutExpectationIsRefused) {
  EXPECT_EQ(complaint_about("c > s udp"), "3: what is expected is missing: = ...");
}

TEST(ScenarioLanguage, ErrorAboutLaterPacketIsRefused) {
  EXPECT_EQ(complaint_about("s > c icmp 3/3 about #1 = inv"),
            "3: about #N wants the number of an earlier packet, counted from 1");
}

TEST(ScenarioLanguage, LeavingOfALaterPacketIsRefused) {
  EXPECT_EQ(complaint_about("leaves #1 = new"),
            "3: leaves #N wants the number of an earlier packet, counted from 1");
}

TEST(ScenarioLanguage, SettingAfterTheFirstPacketIsRefused) {
  EXPECT_EQ(complaint_about("c > s udp = new\ntracker pick-up off"),
            "4: tracker comes before all statements");
}

TEST(ScenarioLanguage, OpenBlockIsRefused) {
  EXPECT_EQ(complaint_about("expect dump {"), "3: the block is not closed");
}

TEST(ScenarioLanguage, DurationsReadAndPrintTheSame) {
  for (const char* text : {"30s", "1500ms", "1us", "0s", "86400s"}) {
    EXPECT_EQ(format_duration(parse_duration_ns(text).value_or(-1)), text);
  }
  EXPECT_EQ(parse_duration_ns("1.5s"), parse_duration_ns("1500ms"));
  EXPECT_EQ(parse_duration_ns("2h"), parse_duration_ns("120m"));
  EXPECT_FALSE(parse_duration_ns("5"));
}

TEST(ScenarioLanguage, EveryFamilyThatHostsHaveIsPlayed) {
  const ParseResult both = parse("host c 192.0.2.1 2001:db8::1\nexpect count = 0\n");
  EXPECT_EQ(variants(both.scenario).size(), 6U);
  const ParseResult one = parse("host c 192.0.2.1\nexpect count = 0\n");
  EXPECT_EQ(variants(one.scenario).size(), 3U);
}

// ---- what a translation may choose --------------------------------------------------------------

/// What is complained of when `lines` are played with a host e behind which c hides.
std::vector<Mismatch> mismatches_of(const std::string& lines, bool bursts = false) {
  const ParseResult parsed =
      parse(kHosts + "host e 203.0.113.9\nhost f 203.0.113.10\n" +
            "set nat out source e ports 2000-2009\nrequest nat out\n" + lines);
  EXPECT_EQ(parsed.error, "");
  return run(parsed.scenario, variants(parsed.scenario)[bursts ? 2 : 0]).mismatches;
}

TEST(ScenarioLanguage, AChoiceWithinTheRangeIsBelievedAndTheRestCompared) {
  for (const bool bursts : {false, true}) {
    EXPECT_TRUE(mismatches_of("c > s udp as e-f:2000-2009>s = new|snat\n"
                              "s > from@1 udp as s>c = est|rpl|snat\n"
                              "c > s udp as from@1>s = est|snat\n"
                              "c > to@1 udp as from@1>to@1 = est|snat\n",
                              bursts)
                    .empty());
  }
}

TEST(ScenarioLanguage, AChoiceBeyondTheRangeIsAMismatch) {
  const auto port = mismatches_of("c > s udp as e:1-1999>s = new|snat\n");
  ASSERT_EQ(port.size(), 1U);
  EXPECT_EQ(port[0].got.rfind("it left with 203.0.113.9 20", 0), 0U) << port[0].got;
  EXPECT_EQ(mismatches_of("c > s udp as f-f:2000-2009>s = new|snat\n").size(), 1U);
  EXPECT_EQ(mismatches_of("c > s udp as e-e:2000-2009>s:81-82 = new|snat\n").size(), 1U);
}

TEST(ScenarioLanguage, AnotherPortThanTheEarlierOneIsAMismatch) {
  const auto found = mismatches_of(
      "c > s udp as e:2000-2009>s = new|snat\n"
      "c:1 > s udp as e:2000-2009>s = new|snat\n"
      "s > from@1 udp as s>c:1 = est|rpl|snat\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].got.rfind("other bytes from ", 0), 0U) << found[0].got;
}

TEST(ScenarioLanguage, EndsOfPacketsThatAreStillToComeAreRefused) {
  const std::string complaint =
      "3: from@N and to@N want the number of an earlier packet, counted from 1";
  EXPECT_EQ(complaint_about("s > from@1 udp = new"), complaint);
  EXPECT_EQ(complaint_about("to@0 > c udp = new"), complaint);
  EXPECT_EQ(complaint_about("c > s udp as c>to@1 = new"), complaint);
  EXPECT_EQ(complaint_about("c > s udp as c-x:1-2>s = new"), "3: no host is named 'x'");
  EXPECT_EQ(complaint_about("set nat n source c filtering any inside s-x"),
            "3: no host is named 'x'");
  EXPECT_EQ(complaint_about("c > s udp = new\nexpect connection from@1 > s udp = none"),
            "4: a host is wanted here");
}

TEST(ScenarioLanguage, MismatchNamesLineAndReasonAndCorrectsTheText) {
  const ParseResult parsed = parse(kHosts + "1ms c > s udp bad checksum   = new mark 0x0\n");
  ASSERT_EQ(parsed.error, "");
  const Variant plain = variants(parsed.scenario).front();
  const RunResult result = run(parsed.scenario, plain);
  ASSERT_EQ(result.mismatches.size(), 1U);
  EXPECT_EQ(result.mismatches[0].line, 3U);
  EXPECT_EQ(result.mismatches[0].got, "inv udp_checksum mark 0x0");
  EXPECT_EQ(result.updated[2], "1ms c > s udp bad checksum   = inv udp_checksum mark 0x0");
  EXPECT_NE(describe("x.scenario", parsed.scenario, plain, result.mismatches)
                .find("x.scenario:3: (ipv4)"),
            std::string::npos);
}

}  // namespace
}  // namespace uct::scenario
