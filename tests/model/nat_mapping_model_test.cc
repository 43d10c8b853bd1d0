// Random operations on a tracker with endpoint-independent mapping and on a naive model: no two
// hosts share an external port, a host has one for all it talks to, the filter holds, freed ports
// rest, nothing is refused while something is free, and used + held + free is what there is.
//
//   UCT_SEED=n            plays that one sequence; a failure prints the n that it needs
//   UCT_MODEL_SECONDS=n   plays new sequences for so long, in the case LongRun...
#include "tests/support/nat_mapping_model.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

namespace uct::model {
namespace {

constexpr std::uint64_t kFirstSeed = 20261101;
constexpr std::size_t kOperations = 2000;
/// Builds that check themselves are ten times as slow.
constexpr std::uint64_t kSequences = (UCT_DEBUG_CHECKS != 0 ? 100'000 : 1'000'000) / kOperations;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::stoull(text) : otherwise;
}

bool agree(std::uint64_t seed, MappingReach& reach) {
  const MappingSequence sequence = random_mapping_sequence(seed, kOperations);
  const auto difference = play(sequence, reach);
  if (!difference) return true;
  ADD_FAILURE() << "operation " << difference->operation << ": " << difference->text << '\n'
                << shrunk_failure(sequence, *difference);
  return false;
}

TEST(NatMappingModel, AMillionRandomOperationsAgree) {
  MappingReach reach;
  if (std::getenv("UCT_SEED") != nullptr) {
    EXPECT_TRUE(agree(number_from("UCT_SEED", kFirstSeed), reach));
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
  const std::uint64_t seconds = number_from("UCT_MODEL_SECONDS", 0);
  if (seconds == 0) GTEST_SKIP() << "set UCT_MODEL_SECONDS to how long it shall run";
  const std::uint64_t first = number_from("UCT_SEED", std::random_device{}());
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  MappingReach reach;
  std::uint64_t played = 0;
  while (std::chrono::steady_clock::now() < end && agree(first + played, reach)) ++played;
  std::cout << played << " sequences of " << kOperations << " operations, from seed " << first
            << '\n';
}

}  // namespace
}  // namespace uct::model
