#include "cli/capture_range.h"

#include "cli/samples_test.h"

namespace uct::cli::testing {
namespace {

TEST(CaptureRange, NumbersOffsetsAndTimes) {
  EXPECT_EQ(parse_bound("#100")->number, 100U);
  EXPECT_EQ(parse_bound("90")->offset, std::chrono::seconds(90));
  EXPECT_EQ(parse_bound("12.5")->offset, std::chrono::milliseconds(12'500));
  EXPECT_EQ(parse_bound("0.000000001")->offset, std::chrono::nanoseconds(1));
  EXPECT_EQ(parse_bound("1h30m")->offset, std::chrono::minutes(90));
  EXPECT_EQ(parse_bound("2026-11-23T10:00:01")->time, at(1));
}

TEST(CaptureRange, WhatIsNoBound) {
  for (const char* text : {"", "#", "#0", "#x", "#-1", "1.", ".5", "1.5s", "1.0000000001", "x",
                           "1m.5", "99999999999.5", "99999999999999999999"}) {
    EXPECT_EQ(parse_bound(text), std::nullopt) << text;
  }
}

TEST(CaptureRange, BothEndsBelongToIt) {
  const CaptureRange range{*parse_bound("#2"), *parse_bound("5")};
  EXPECT_FALSE(range.contains(1, at(1), at(0)));
  EXPECT_TRUE(range.contains(2, at(1), at(0)));
  EXPECT_TRUE(range.contains(9, at(5), at(0)));
  EXPECT_FALSE(range.contains(9, at(5.5), at(0)));
}

TEST(CaptureRange, OnlyANumberEndsIt) {
  EXPECT_TRUE((CaptureRange{{}, *parse_bound("#3")}.ends_at(3)));
  EXPECT_FALSE((CaptureRange{{}, *parse_bound("#3")}.ends_at(2)));
  EXPECT_FALSE((CaptureRange{{}, *parse_bound("3")}.ends_at(1'000)));
  EXPECT_TRUE(CaptureRange().is_open());
}

}  // namespace
}  // namespace uct::cli::testing
