// Random operations on a tracker with endpoint-independent mapping and on a naive model: no two
// hosts share an external port, a host has one for all it talks to, the filter holds, freed ports
// rest, nothing is refused while something is free, and used + held + free is what there is.
// Seeds and lengths: tests/support/model_runs.h
#include "tests/support/nat_mapping_model.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <iostream>

#include "tests/support/model_runs.h"

namespace uct::model {
namespace {

constexpr std::uint64_t kFirstSeed = 20261101;
constexpr std::size_t kOperations = 2000;
/// Builds that check themselves are ten times as slow.
constexpr std::uint64_t kSequences = (UCT_DEBUG_CHECKS != 0 ? 100'000 : 1'000'000) / kOperations;

bool agree(std::uint64_t seed, MappingReach& reach) {
  const MappingSequence sequence = random_mapping_sequence(seed, kOperations);
  return test::agrees(sequence, play(sequence, reach));
}

TEST(NatMappingModel, AMillionRandomOperationsAgree) {
  MappingReach reach;
  if (const auto seed = test::asked_seed()) {
    EXPECT_TRUE(agree(*seed, reach));
    return;
  }
  for (std::uint64_t i = 0; i < kSequences; ++i) ASSERT_TRUE(agree(kFirstSeed + i, reach));
  // Of how many operations each kind of promise was kept: fewer would test little.
  constexpr std::uint64_t kAll = kSequences * kOperations;
  EXPECT_GT(reach.opened, kAll / 10);
  EXPECT_GT(reach.kept, kAll / 20);
  EXPECT_GT(reach.filtered, kAll / 50);
  EXPECT_GT(reach.refused, kAll / 100);
  EXPECT_GT(reach.hairpins, kAll / 50);
  EXPECT_GT(reach.answers, kAll / 20);
  EXPECT_GT(reach.requested, kAll / 100);
  std::cout << reach.opened << " opened, " << reach.kept << " by mappings that were there, "
            << reach.filtered << " kept out, " << reach.refused << " refused, " << reach.hairpins
            << " hairpins, " << reach.answers << " answers, " << reach.requested << " asked for\n";
}

TEST(NatMappingModel, LongRunOfRandomOperationsAgrees) {
  MappingReach reach;
  test::play_long(kOperations, [&](std::uint64_t seed) { return agree(seed, reach); });
}

}  // namespace
}  // namespace uct::model
