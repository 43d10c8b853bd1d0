// Random operations on the tracker and on a naive std::map model of the same documentation,
// compared after each one.
//
//   UCT_SEED=n            plays that one sequence; a failure prints the n that it needs
//   UCT_MODEL_SECONDS=n   plays new sequences for so long, in the case LongRun...
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "tests/support/shrink.h"
#include "tests/support/tracker_comparison.h"

namespace uct::model {
namespace {

constexpr std::uint64_t kFirstSeed = 20160727;
constexpr std::size_t kOperations = 400;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::stoull(text) : otherwise;
}

bool agree(std::uint64_t seed) {
  const Sequence sequence = random_sequence(seed, kOperations);
  const auto difference = play(sequence);
  if (!difference) return true;
  ADD_FAILURE() << "operation " << difference->operation << ": " << difference->text << '\n'
                << shrunk_failure(sequence, *difference);
  return false;
}

/// Plays seed after seed. Gives how many agreed.
std::uint64_t play_for(std::chrono::seconds time, std::uint64_t first_seed) {
  const auto end = std::chrono::steady_clock::now() + time;
  std::uint64_t played = 0;
  while (std::chrono::steady_clock::now() < end && agree(first_seed + played)) ++played;
  return played;
}

TEST(TrackerModel, RandomOperationsAgree) {
  if (std::getenv("UCT_SEED") != nullptr) {
    EXPECT_TRUE(agree(number_from("UCT_SEED", kFirstSeed)));
    return;
  }
  RecordProperty("sequences", std::to_string(play_for(std::chrono::seconds(3), kFirstSeed)));
}

TEST(TrackerModel, LongRunOfRandomOperationsAgrees) {
  const std::uint64_t seconds = number_from("UCT_MODEL_SECONDS", 0);
  if (seconds == 0) GTEST_SKIP() << "set UCT_MODEL_SECONDS to how long it shall run";
  const std::uint64_t seed = number_from("UCT_SEED", std::random_device{}());
  const std::uint64_t played = play_for(std::chrono::seconds(seconds), seed);
  std::cout << played << " sequences of " << kOperations << " operations, from seed " << seed
            << '\n';
}

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
