/// Random numbers of tests.
///
/// Included by tests that draw at random; they print their seeds.
/// Threads   one owner.
#pragma once

#include <cstdint>
#include <random>

namespace uct::test {

/// 32 bits a call; std::mt19937 itself gives them in a long number.
class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::uint32_t operator()() { return static_cast<std::uint32_t>(engine_()); }

 private:
  std::mt19937 engine_;
};

}  // namespace uct::test
