#include "base/spinlock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace uct::core {
namespace {

/// A thread that wants the lock once.
class Waiter {
 public:
  explicit Waiter(Spinlock& lock)
      : thread_([this, &lock] {
          comes_ = true;
          const SpinlockGuard guard(lock);
          served_ = true;
        }) {
    while (!comes_) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // until it waits, most likely
  }
  bool served() const { return served_; }
  void join() { thread_.join(); }

 private:
  std::atomic<bool> comes_ = false;
  std::atomic<bool> served_ = false;
  std::thread thread_;
};

TEST(SpinlockThreads, ALockThatIsHeldKeepsOthersOut) {
  Spinlock lock;
  lock.lock();
  Waiter waiter(lock);
  EXPECT_FALSE(waiter.served());
  lock.unlock();
  waiter.join();
  EXPECT_TRUE(waiter.served());
}

/// To the analysis a guard that is not needed has the lock as any other has.
void guard_twice(Spinlock& lock) UCT_NO_THREAD_SAFETY_ANALYSIS {
  const SpinlockGuard guard(lock, false);
  const SpinlockGuard other(lock);  // would wait without end for a lock that is taken
}

void guard_for_nothing(Spinlock& lock) UCT_NO_THREAD_SAFETY_ANALYSIS {
  const SpinlockGuard guard(lock, false);
}

TEST(Spinlock, AGuardThatIsNotNeededTakesNothing) {
  Spinlock lock;
  guard_twice(lock);
}

void unlock_after_try(Spinlock& lock) UCT_NO_THREAD_SAFETY_ANALYSIS { lock.unlock(); }

TEST(Spinlock, TryLockTakesItOnlyWhenItIsFree) {
  Spinlock lock;
  EXPECT_TRUE(lock.try_lock());
  EXPECT_FALSE(lock.try_lock());
  unlock_after_try(lock);
  EXPECT_TRUE(lock.try_lock());
}

TEST(SpinlockThreads, AGuardThatIsNotNeededReleasesNothing) {
  Spinlock lock;
  lock.lock();
  guard_for_nothing(lock);
  Waiter waiter(lock);
  EXPECT_FALSE(waiter.served());
  lock.unlock();
  waiter.join();
}

TEST(SpinlockThreads, FourThreadsCountTogether) {
  constexpr int kThreads = 4;
  constexpr int kTimes = 20'000;
  Spinlock lock;
  std::uint64_t count = 0;  // guarded by the lock
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, polite = i % 2 == 0] {
      for (int time = 0; time < kTimes; ++time) {
        if (polite) lock.let_others_first();
        const SpinlockGuard guard(lock);
        ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, std::uint64_t{kThreads} * kTimes);
}

TEST(SpinlockThreads, NobodyIsLetFirstWhereNobodyWaits) {
  Spinlock lock;
  lock.let_others_first();
  const SpinlockGuard guard(lock);
  lock.let_others_first();  // the holder itself is nobody that waits
}

TEST(SpinlockThreads, WhoTakesItAgainAndAgainLetsTheWaitingIn) {
  constexpr int kTimes = 100'000;
  constexpr std::uint64_t kEnough = 100;
  Spinlock lock;
  std::atomic<bool> comes = false;
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> served = 0;
  lock.lock();
  std::thread waiter([&] {
    comes = true;
    while (!stop) {
      lock.let_others_first();  // or else it is this one that nobody gets past
      const SpinlockGuard guard(lock);
      ++served;
    }
  });
  while (!comes) std::this_thread::yield();
  // The lock is held until the other waits in earnest, so that it is not the start of a thread that
  // is tried here.
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(served, 0U);
  lock.unlock();
  for (int i = 0; i < kTimes && served < kEnough; ++i) {
    lock.let_others_first();
    const SpinlockGuard guard(lock);
  }
  EXPECT_GE(served, 1U);
  RecordProperty("served", std::to_string(served));
  stop = true;
  waiter.join();
}

}  // namespace
}  // namespace uct::core
