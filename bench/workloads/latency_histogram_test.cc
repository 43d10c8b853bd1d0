#include "bench/workloads/latency_histogram.h"

#include <gtest/gtest.h>

#include <limits>

namespace uct::bench {
namespace {

LatencyHistogram of(std::uint64_t first, std::uint64_t last) {
  LatencyHistogram histogram;
  for (std::uint64_t ns = first; ns <= last; ++ns) histogram.record(ns);
  return histogram;
}

TEST(LatencyHistogram, IsZeroWhileEmpty) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.max(), 0U);
  EXPECT_EQ(histogram.percentile(50), 0);
  EXPECT_EQ(histogram.percentile(100), 0);
}

TEST(LatencyHistogram, IsExactBelowSixtyFour) {
  const LatencyHistogram histogram = of(0, 63);
  for (std::uint64_t ns = 0; ns < 64; ++ns) {
    const double percent = static_cast<double>(ns + 1) * 100 / 64;
    EXPECT_EQ(histogram.percentile(percent), static_cast<double>(ns));
  }
}

// One value in a histogram with a larger one beside it, so that the maximum does not round it down.
TEST(LatencyHistogram, RoundsUpByLessThanOnePartInThirtyTwo) {
  for (std::uint64_t ns = 1; ns < std::uint64_t{1} << 62; ns += ns / 7 + 1) {
    LatencyHistogram histogram;
    histogram.record(ns);
    histogram.record(std::numeric_limits<std::uint64_t>::max());
    const auto exact = static_cast<double>(ns);
    EXPECT_GE(histogram.percentile(50), exact);
    EXPECT_LE(histogram.percentile(50), exact * (1 + 1.0 / 32));
  }
}

TEST(LatencyHistogram, TakesTheExtremesOfItsRange) {
  LatencyHistogram histogram;
  histogram.record(0);
  histogram.record(std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_EQ(histogram.percentile(50), 0);
  EXPECT_EQ(histogram.max(), std::numeric_limits<std::uint64_t>::max());
}

TEST(LatencyHistogram, PercentilesOfAnEvenSpreadAreWhereTheyShouldBe) {
  const LatencyHistogram histogram = of(1, 100'000);
  for (const double percent : {1.0, 50.0, 99.0, 99.9, 99.99}) {
    const double exact = percent / 100 * 100'000;
    EXPECT_GE(histogram.percentile(percent), exact - 1);
    EXPECT_LE(histogram.percentile(percent), exact * (1 + 1.0 / 32));
  }
}

TEST(LatencyHistogram, OneLongDurationShowsInTheMaximumOnly) {
  LatencyHistogram histogram;
  for (int i = 0; i < 99'999; ++i) histogram.record(50);
  histogram.record(1'000'000);
  EXPECT_EQ(histogram.percentile(99.99), 50);
  EXPECT_EQ(histogram.percentile(100), 1'000'000);
  EXPECT_EQ(histogram.max(), 1'000'000U);
}

TEST(LatencyHistogram, NoPercentileIsAboveTheMaximum) {
  LatencyHistogram histogram;
  histogram.record(1025);
  EXPECT_EQ(histogram.percentile(50), 1025);
}

TEST(LatencyHistogram, MergingIsRecordingBoth) {
  LatencyHistogram low = of(1, 1000);
  low.merge(of(1001, 2000));
  const LatencyHistogram both = of(1, 2000);
  EXPECT_EQ(low.count(), both.count());
  EXPECT_EQ(low.max(), both.max());
  for (double percent = 0; percent <= 100; percent += 0.5) {
    EXPECT_EQ(low.percentile(percent), both.percentile(percent));
  }
}

}  // namespace
}  // namespace uct::bench
