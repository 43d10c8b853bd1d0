// Random fragments, decisions and sweeps on Datagrams and on the naive model, compared after each.
//
// UCT_SEED repeats a run; a failure prints the seed it needs.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "frag/compared_datagrams.h"
#include "tests/support/random.h"

namespace uct::core {
namespace {

std::uint32_t seed() { return test::seed_or(20250118U); }

/// Adds up what the runs reached, so that a model that tests nothing is seen.
void count(const DatagramStats& stats, DatagramStats& total) {
  total.released += stats.released;
  total.duplicates += stats.duplicates;
  total.completed += stats.completed;
  total.expired += stats.expired;
  total.pushed_out += stats.pushed_out;
  for (std::size_t i = 0; i < kFragmentRefusals; ++i) total.refused[i] += stats.refused[i];
}

void run(std::uint32_t runs, std::uint32_t steps, DatagramStats& total) {
  for (std::uint32_t number = 0; number < runs; ++number) {
    const std::uint32_t run_seed = seed() + number;
    test::Random random(run_seed);
    ComparedDatagrams both(static_cast<std::uint8_t>(number));
    for (std::uint32_t step = 0; step < steps; ++step) {
      ComparedDatagrams::Operation operation;
      for (std::uint8_t& byte : operation) byte = static_cast<std::uint8_t>(random());
      if (operation[0] % 16 == 3 && random() % 8 != 0) operation[0] = 4;  // they are long
      ASSERT_TRUE(both.step(operation))
          << "run " << number << ", step " << step << "; UCT_SEED=" << seed();
    }
    count(both.real().stats(), total);
  }
}

TEST(DatagramsModel, RandomFragmentsAgreeWithTheNaiveModel) {
  DatagramStats total;
  run(64, 4000, total);
  EXPECT_GT(total.released, 0U);
  EXPECT_GT(total.duplicates, 0U);
  EXPECT_GT(total.completed, 0U);
  EXPECT_GT(total.expired, 0U);
  EXPECT_GT(total.pushed_out, 0U);
  for (const FragmentRefusal cause :
       {FragmentRefusal::malformed, FragmentRefusal::overlap, FragmentRefusal::two_ends,
        FragmentRefusal::too_many, FragmentRefusal::held_already, FragmentRefusal::source_full,
        FragmentRefusal::no_room}) {
    EXPECT_GT(total.refused_for(cause), 0U) << static_cast<int>(cause);
  }
}

}  // namespace
}  // namespace uct::core
