#include "cli/durations.h"

#include "cli/samples_test.h"

namespace uct::cli::testing {
namespace {

std::string shown(std::int64_t ms) {
  return text_of([&](Text& out) { append_duration(out, Duration(ms)); });
}

TEST(Durations, UnitsAndSums) {
  EXPECT_EQ(parse_duration("500ms"), Duration(500));
  EXPECT_EQ(parse_duration("30s"), Duration(30'000));
  EXPECT_EQ(parse_duration("5m"), Duration(300'000));
  EXPECT_EQ(parse_duration("1h"), Duration(3'600'000));
  EXPECT_EQ(parse_duration("2d"), Duration(172'800'000));
  EXPECT_EQ(parse_duration("1h30m"), Duration(5'400'000));
  EXPECT_EQ(parse_duration("1d2h3m4s5ms"), Duration(93'784'005));
  EXPECT_EQ(parse_duration("90"), Duration(90'000));
  EXPECT_EQ(parse_duration("0"), Duration(0));
}

TEST(Durations, WhatIsNoDuration) {
  for (const char* text : {"", "s", "1x", "-1s", "1.5s", "1h 30m", "30m1h", "1s1s", "1h30", "1 s",
                           "99999999999999999999s", "9223372036854775807d"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(Durations, AreShownShortAndNeverRoundedUp) {
  EXPECT_EQ(shown(0), "0ms");
  EXPECT_EQ(shown(999), "999ms");
  EXPECT_EQ(shown(1'999), "1.9s");
  EXPECT_EQ(shown(59'999), "59.9s");
  EXPECT_EQ(shown(125'000), "2m05s");
  EXPECT_EQ(shown(11'040'000), "3h04m");
  EXPECT_EQ(shown(442'800'000), "5d03h");
  EXPECT_EQ(shown(-1'500), "-1.5s");
}

TEST(Times, AreWrittenAndReadInUtc) {
  EXPECT_EQ(text_of([](Text& out) { append_time(out, at(0.1239)); }), "2026-11-23T10:00:00.123Z");
  EXPECT_EQ(parse_time("2026-11-23T10:00:00"), at(0));
  EXPECT_EQ(parse_time("2026-11-23T10:00:00Z"), at(0));
  EXPECT_EQ(parse_time("2026-11-23T10:00:00.5Z"), at(0.5));
  EXPECT_EQ(parse_time("1970-01-01T00:00:00"), Timestamp());
}

TEST(Times, WhatIsNoTime) {
  for (const char* text : {"", "2026-11-23", "2026-11-23 10:00:00", "2026-13-01T00:00:00",
                           "2026-02-30T00:00:00", "2026-11-23T24:00:00", "2026-11-23T10:60:00",
                           "2026-11-23T10:00:00x", "2026-11-23T10:00:00.", "1969-12-31T23:59:59",
                           "2300-01-01T00:00:00", "+026-11-23T10:00:00"}) {
    EXPECT_EQ(parse_time(text), std::nullopt) << text;
  }
}

TEST(Times, BeforeTheEpochRoundDown) {
  EXPECT_EQ(text_of([](Text& out) { append_time(out, timestamp_from_ns(-1)); }),
            "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(between(timestamp_from_ns(-1), timestamp_from_ns(1)), Duration(1));
}

}  // namespace
}  // namespace uct::cli::testing
