/// Random numbers of tests, and how a run of them is repeated.
///
///   UCT_SEED=n   repeats the run that printed n when it failed
///
/// Included by tests that draw at random; they print their seeds.
/// Threads   one owner.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>

namespace uct::test {

/// 32 bits a call; std::mt19937 itself gives them in a long number.
class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::uint32_t operator()() { return static_cast<std::uint32_t>(engine_()); }

 private:
  std::mt19937 engine_;
};

/// Gives     the number in an environment variable, or nothing.
inline std::optional<std::uint64_t> number_from(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  return std::stoull(text);
}

/// The seed of the one run that is to be repeated.
inline std::optional<std::uint64_t> asked_seed() { return number_from("UCT_SEED"); }

/// Likewise, or the seed of a test that plays the same run every time.
inline std::uint32_t seed_or(std::uint32_t usual) {
  return static_cast<std::uint32_t>(asked_seed().value_or(usual));
}

}  // namespace uct::test
