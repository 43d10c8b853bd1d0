/// Random operations on the timer wheel and on a sorted map, compared after each sweep.
///
/// UCT_SEED repeats a run; a failure prints the seed it needs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "expiry/timer_wheel.h"
#include "tests/support/random.h"

namespace uct::core {
namespace {

constexpr std::uint32_t kAll = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kDay = 24U * 3600 * 1000;

std::uint32_t seed() { return test::seed_or(20160727U); }

/// Connections as a std::multimap by deadline (unwrapped to 64 bits), and the wheel beside it.
class RandomRun {
 public:
  RandomRun(std::uint32_t seed, std::uint32_t capacity, std::uint64_t start)
      : random_(seed), now_(start), connections_(capacity) {
    EXPECT_TRUE(wheel_.reserve(capacity, tick(start)));
  }

  void step() {
    const std::uint32_t choice = below(16);
    if (choice < 12) {
      touch(below(static_cast<std::uint32_t>(connections_.size())), choice);
    } else if (choice == 12) {
      wheel_.shrink();
    } else {
      now_ += below(4) == 0 ? timeout() / 4 : below(50);
      sweep();
    }
  }

  void open_all() {
    for (std::uint32_t number = 0; number < connections_.size(); ++number) open(number);
  }

  /// Closes all but one in `keep_every`, and gives the memory back.
  void thin_out(std::uint32_t keep_every) {
    for (std::uint32_t number = 0; number < connections_.size(); ++number) {
      if (connections_[number].alive && below(keep_every) != 0) close(number);
    }
    while (wheel_.shrink()) continue;
  }

  void drain() {
    while (!model_.empty()) {
      Tick when{};
      ASSERT_TRUE(wheel_.next(when));
      ASSERT_LE(static_cast<std::int32_t>(distance(tick(now_), when)),
                static_cast<std::int64_t>(model_.begin()->first - now_));
      const auto sleep = static_cast<std::int32_t>(distance(tick(now_), when));
      if (sleep > 0) now_ += static_cast<std::uint64_t>(sleep);
      sweep();
    }
    ASSERT_EQ(wheel_.size(), 0U);
  }

  // ExpiryVisitor
  void prefetch(std::uint32_t) {}
  std::optional<Tick> visit(std::uint32_t number) {
    EXPECT_TRUE(connections_[number].alive);
    const std::uint64_t deadline = connections_[number].place->first;
    if (deadline > now_) return tick(deadline);
    remove(number);
    return std::nullopt;
  }

 private:
  using Model = std::multimap<std::uint64_t, std::uint32_t>;
  struct Connection {
    bool alive = false;
    Model::iterator place;
  };

  static Tick tick(std::uint64_t time) { return Tick{static_cast<std::uint32_t>(time)}; }
  std::uint32_t below(std::uint32_t end) { return static_cast<std::uint32_t>(random_() % end); }

  /// 1 ms to 20 days, as many of each order of magnitude.
  std::uint32_t timeout() {
    return 1 + std::min(20 * kDay - 1, below(std::uint32_t{1} << below(32)));
  }

  /// Opens, refreshes or closes a connection, as far as it is there to do so.
  void touch(std::uint32_t number, std::uint32_t choice) {
    if (!connections_[number].alive) {
      if (choice < 5) open(number);
    } else if (choice < 10) {
      packet(number);
    } else {
      close(number);
    }
  }

  void open(std::uint32_t number) {
    const std::uint64_t deadline = now_ + timeout();
    connections_[number] = {true, model_.emplace(deadline, number)};
    wheel_.arm(number, tick(now_), tick(deadline));
  }

  void packet(std::uint32_t number) {
    const std::uint64_t deadline = now_ + timeout();
    wheel_.refresh(number, tick(now_), tick(connections_[number].place->first), tick(deadline));
    model_.erase(connections_[number].place);
    connections_[number].place = model_.emplace(deadline, number);
  }

  void remove(std::uint32_t number) {
    model_.erase(connections_[number].place);
    connections_[number].alive = false;
  }

  void close(std::uint32_t number) {
    remove(number);
    wheel_.disarm(number);
  }

  /// Sweeps with some bound until finished; then nothing that expired may be left.
  void sweep() {
    const std::uint32_t bound = below(3) == 0 ? 1 + below(40) : kAll;
    ExpirySweep result;
    do {
      result = wheel_.sweep(tick(now_), bound, *this);
      ASSERT_LE(result.visited, bound);
      // Between the parts of a sweep packets come in.
      if (!result.finished && !model_.empty()) {
        touch(below(static_cast<std::uint32_t>(connections_.size())), below(12));
      }
    } while (!result.finished);
    ASSERT_TRUE(model_.empty() || model_.begin()->first > now_);
    ASSERT_EQ(wheel_.size(), model_.size());
  }

  std::mt19937 random_;
  std::uint64_t now_;
  TimerWheel wheel_;
  std::vector<Connection> connections_;
  Model model_;
};

TEST(TimerWheelModel, RandomOperationsAgreeWithASortedMap) {
  for (std::uint32_t run = 0; run < 40; ++run) {
    const std::uint32_t run_seed = seed() + run;
    SCOPED_TRACE(testing::Message() << "UCT_SEED=" << run_seed);
    const std::uint32_t capacity = run % 2 == 0 ? 50 : 3'000;
    RandomRun random(run_seed, capacity, (std::uint64_t{1} << 32) - 1'000 * run);
    for (int i = 0; i < 20'000 && !testing::Test::HasFatalFailure(); ++i) random.step();
    random.drain();
    ASSERT_FALSE(testing::Test::HasFailure());
  }
}

TEST(TimerWheelModel, TimersStayExactWhenAFullWheelIsThinnedOut) {
  for (std::uint32_t run = 0; run < 4; ++run) {
    const std::uint32_t run_seed = seed() + run;
    SCOPED_TRACE(testing::Message() << "UCT_SEED=" << run_seed);
    RandomRun random(run_seed, 30'000, run * 1'000'000'000ULL);
    random.open_all();
    for (const std::uint32_t keep_every : {2, 4, 50}) {
      random.thin_out(keep_every);
      for (int i = 0; i < 100; ++i) random.step();
    }
    random.drain();
    ASSERT_FALSE(testing::Test::HasFailure());
  }
}

}  // namespace
}  // namespace uct::core
