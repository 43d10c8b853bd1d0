// Random operations on the tracker and on a naive std::map model of the same documentation,
// compared after each one.
// Seeds and lengths: tests/support/model_runs.h
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/model_runs.h"
#include "tests/support/shrink.h"
#include "tests/support/tracker_comparison.h"

namespace uct::model {
namespace {

constexpr std::uint64_t kFirstSeed = 20160727;
constexpr std::size_t kOperations = 400;

bool agree(std::uint64_t seed) {
  const Sequence sequence = random_sequence(seed, kOperations);
  return test::agrees(sequence, play(sequence));
}

TEST(TrackerModel, RandomOperationsAgree) {
  if (const auto seed = test::asked_seed()) {
    EXPECT_TRUE(agree(*seed));
    return;
  }
  const std::uint64_t played = test::play_for(std::chrono::seconds(3), kFirstSeed, agree);
  RecordProperty("sequences", std::to_string(played));
}

TEST(TrackerModel, LongRunOfRandomOperationsAgrees) { test::play_long(kOperations, agree); }

TEST(Shrink, LeavesOnlyWhatMatters) {
  std::vector<int> sequence;
  for (int i = 0; i < 1000; ++i) sequence.push_back(i);
  const auto fails = [](const std::vector<int>& some) {
    int found = 0;
    for (const int value : some) found += value == 17 || value == 500 || value == 501;
    return found == 3;
  };
  EXPECT_EQ(test::shrink<int>(sequence, fails, 10'000), (std::vector<int>{17, 500, 501}));
}

}  // namespace
}  // namespace uct::model
