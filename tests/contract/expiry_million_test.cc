/// Promise E10 at size, on every ExpiryQueue: one million connections with a thousand distinct
/// timeouts, which change while the connections live, expire to the millisecond.
///
/// The clock jumps from next() to next(), so each connection must be removed by a sweep in exactly
/// its deadline's millisecond. UCT_SEED repeats a run.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "bench/peers/timeout_lists.h"
#include "expiry/timer_wheel.h"
#include "tests/contract/expiry_owner.h"
#include "tests/support/random.h"

namespace uct::core {
namespace {

constexpr std::uint32_t kConnections = 1'000'000;
constexpr std::uint32_t kRounds = 50;
constexpr std::uint32_t kTimeouts = 1'000;
constexpr auto kLongest = static_cast<std::uint32_t>(kMaxTimeout.count());

std::uint32_t seed() { return test::seed_or(20160729U); }

/// Distinct timeouts from 1 ms to 20 days, as many of each order of magnitude.
class Timeouts {
 public:
  explicit Timeouts(std::mt19937& random) : random_(random), values_{1, kLongest} {
    while (values_.size() < kTimeouts) values_.push_back(draw());
  }

  std::uint32_t any() { return values_[random_() % values_.size()]; }

  /// Half of the values change, as if half of all policies were set again.
  void change() {
    for (std::size_t i = 0; i < values_.size(); i += 2) values_[i] = draw();
  }

 private:
  std::uint32_t draw() {
    std::uniform_real_distribution<double> exponent(0.0, std::log(static_cast<double>(kLongest)));
    for (;;) {
      const auto value = static_cast<std::uint32_t>(std::exp(exponent(random_)));
      if (std::find(values_.begin(), values_.end(), value) == values_.end()) return value;
    }
  }

  std::mt19937& random_;
  std::vector<std::uint32_t> values_;
};

template <typename Queue>
class ExpiryMillion : public testing::Test {
 protected:
  ExpiryMillion() : random_(seed()), timeouts_(random_), owner_(kConnections, Tick{0xfffe'0000}) {
    this->RecordProperty("seed", std::to_string(seed()));
  }

  /// Lets time pass to `length_ms` from now, waking up at every next() in between.
  void pass(std::uint32_t length_ms) {
    const Tick end = add(owner_.now(), length_ms);
    Tick when{};
    while (owner_.queue().next(when) && !earlier(end, when)) {
      if (earlier(owner_.now(), when)) owner_.advance(distance(owner_.now(), when));
      owner_.sweep();
    }
    owner_.advance(distance(owner_.now(), end));
  }

  /// Opens another part of the million, and lets packets of older connections change timeouts.
  void run_round(std::uint32_t round) {
    if (round == kRounds / 2) timeouts_.change();
    constexpr std::uint32_t kPart = kConnections / kRounds;
    for (std::uint32_t i = 0; i < kPart; ++i) owner_.open(round * kPart + i, timeouts_.any());
    for (std::uint32_t i = 0; i < kPart / 5; ++i) {
      const std::uint32_t number = below((round + 1) * kPart);
      if (owner_.alive(number)) owner_.packet(number, timeouts_.any());
    }
    pass(below(200));
  }

  std::vector<std::uint32_t> sorted_times_left() {
    std::vector<std::uint32_t> left;
    for (std::uint32_t number = 0; number < kConnections; ++number) {
      if (owner_.alive(number)) left.push_back(distance(owner_.now(), owner_.deadline(number)));
    }
    std::sort(left.begin(), left.end());
    return left;
  }

  std::uint32_t below(std::uint32_t end) { return static_cast<std::uint32_t>(random_() % end); }

  std::mt19937 random_;
  Timeouts timeouts_;
  ExpiryOwner<Queue> owner_;
};

using Implementations = testing::Types<TimerWheel, peers::TimeoutLists>;

struct Names {
  template <typename Queue>
  static std::string GetName(int) {
    return std::is_same_v<Queue, TimerWheel> ? "TimerWheel" : "TimeoutLists";
  }
};

TYPED_TEST_SUITE(ExpiryMillion, Implementations, Names);

TYPED_TEST(ExpiryMillion, E10AThousandChangingTimeoutsExpireToTheMillisecond) {
  SCOPED_TRACE(testing::Message() << "UCT_SEED=" << seed());
  for (std::uint32_t round = 0; round < kRounds; ++round) this->run_round(round);
  const std::vector<std::uint32_t> left = this->sorted_times_left();
  ASSERT_EQ(this->owner_.queue().size(), left.size());
  ASSERT_GT(left.size(), kConnections / 2);
  const Tick start = this->owner_.now();
  std::size_t expired = 0;
  Tick when{};
  while (this->owner_.queue().next(when)) {
    ASSERT_LE(distance(start, when), left[expired]) << "woken too late";
    if (earlier(this->owner_.now(), when)) this->owner_.advance(distance(this->owner_.now(), when));
    this->owner_.sweep();
    while (expired < left.size() && left[expired] <= distance(start, this->owner_.now())) ++expired;
    ASSERT_EQ(this->owner_.queue().size(), left.size() - expired);
  }
  EXPECT_EQ(expired, left.size());
  EXPECT_EQ(this->owner_.removed_late(), 0U);
}

}  // namespace
}  // namespace uct::core
