// A million random operations on a tracker that translates and on a naive model: what belongs to
// whom, what is free, and every packet byte for byte against one made anew, checksums included.
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

#include "tests/support/nat_comparison.h"

namespace uct::model {
namespace {

constexpr std::uint64_t kFirstSeed = 20260101;
constexpr std::size_t kOperations = 4000;
/// Builds that check themselves are ten times as slow.
constexpr std::uint64_t kSequences = (UCT_DEBUG_CHECKS != 0 ? 100'000 : 1'000'000) / kOperations;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::stoull(text) : otherwise;
}

bool agree(std::uint64_t seed, NatReach& reach) {
  const NatSequence sequence = random_nat_sequence(seed, kOperations);
  const auto difference = play(sequence, reach);
  if (!difference) return true;
  ADD_FAILURE() << "operation " << difference->operation << ": " << difference->text << '\n'
                << shrunk_failure(sequence, *difference);
  return false;
}

TEST(NatModel, AMillionRandomOperationsAgree) {
  NatReach reach;
  if (std::getenv("UCT_SEED") != nullptr) {
    EXPECT_TRUE(agree(number_from("UCT_SEED", kFirstSeed), reach));
    return;
  }
  for (std::uint64_t i = 0; i < kSequences; ++i) ASSERT_TRUE(agree(kFirstSeed + i, reach));
  // Of how many operations each kind of promise was kept: fewer would test little.
  constexpr std::uint64_t kAll = kSequences * kOperations;
  EXPECT_GT(reach.opened, kAll / 20);
  EXPECT_GT(reach.rewritten, kAll / 3);
  EXPECT_GT(reach.refused, kAll / 1000);
  EXPECT_GT(reach.errors, kAll / 50);
  EXPECT_GT(reach.wrong_side, kAll / 100);
  std::cout << reach.opened << " opened, " << reach.refused << " refused, " << reach.rewritten
            << " packets and " << reach.errors << " errors compared, " << reach.wrong_side
            << " on the wrong side\n";
}

TEST(NatModel, LongRunOfRandomOperationsAgrees) {
  const std::uint64_t seconds = number_from("UCT_MODEL_SECONDS", 0);
  if (seconds == 0) GTEST_SKIP() << "set UCT_MODEL_SECONDS to how long it shall run";
  const std::uint64_t first = number_from("UCT_SEED", std::random_device{}());
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  NatReach reach;
  std::uint64_t played = 0;
  while (std::chrono::steady_clock::now() < end && agree(first + played, reach)) ++played;
  std::cout << played << " sequences of " << kOperations << " operations, from seed " << first
            << '\n';
}

}  // namespace
}  // namespace uct::model
