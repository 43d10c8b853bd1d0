/// How tests play random sequences against a model: the seeds, how long, and what a failure prints.
///
///   UCT_SEED=n            plays that one sequence; a failure prints the n that it needs
///   UCT_MODEL_SECONDS=n   plays new sequences for so long, in the case LongRun...
///
/// Included by tests/model.
/// Threads   none.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <optional>
#include <random>

#include "tests/support/random.h"

namespace uct::test {

/// Fails with the shortest sequence that differs, if this one does.
template <typename Sequence, typename Difference>
bool agrees(const Sequence& sequence, const std::optional<Difference>& difference) {
  if (!difference) return true;
  ADD_FAILURE() << "operation " << difference->operation << ": " << difference->text << '\n'
                << shrunk_failure(sequence, *difference);
  return false;
}

/// Plays seed after seed until one disagrees.
///
/// Gives     how many agreed.
template <typename Agree>
std::uint64_t play_for(std::chrono::seconds time, std::uint64_t first_seed, Agree&& agree) {
  const auto end = std::chrono::steady_clock::now() + time;
  std::uint64_t played = 0;
  while (std::chrono::steady_clock::now() < end && agree(first_seed + played)) ++played;
  return played;
}

/// The case LongRun...; to be called last in it.
template <typename Agree>
void play_long(std::size_t operations, Agree&& agree) {
  const std::uint64_t seconds = number_from("UCT_MODEL_SECONDS").value_or(0);
  if (seconds == 0) GTEST_SKIP() << "set UCT_MODEL_SECONDS to how long it shall run";
  const std::uint64_t first = asked_seed().value_or(std::random_device{}());
  const std::uint64_t played = play_for(std::chrono::seconds(seconds), first, agree);
  std::cout << played << " sequences of " << operations << " operations, from seed " << first
            << '\n';
}

}  // namespace uct::test
