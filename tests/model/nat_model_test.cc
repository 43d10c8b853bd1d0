// A million random operations on a tracker that translates and on a naive model: what belongs to
// whom, what is free, and every packet byte for byte against one made anew, checksums included.
// Seeds and lengths: tests/support/model_runs.h
#include <gtest/gtest.h>

#include <cstdint>
#include <iostream>

#include "tests/support/model_runs.h"
#include "tests/support/nat_comparison.h"

namespace uct::model {
namespace {

constexpr std::uint64_t kFirstSeed = 20260101;
constexpr std::size_t kOperations = 4000;
/// Builds that check themselves are ten times as slow.
constexpr std::uint64_t kSequences = (UCT_DEBUG_CHECKS != 0 ? 100'000 : 1'000'000) / kOperations;

bool agree(std::uint64_t seed, NatReach& reach) {
  const NatSequence sequence = random_nat_sequence(seed, kOperations);
  return test::agrees(sequence, play(sequence, reach));
}

TEST(NatModel, AMillionRandomOperationsAgree) {
  NatReach reach;
  if (const auto seed = test::asked_seed()) {
    EXPECT_TRUE(agree(*seed, reach));
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
  NatReach reach;
  test::play_long(kOperations, [&](std::uint64_t seed) { return agree(seed, reach); });
}

}  // namespace
}  // namespace uct::model
