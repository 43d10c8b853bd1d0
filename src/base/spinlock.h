/// A lock of one byte for work that lasts nanoseconds.
///
/// Included by tracker (one for each shard, zone table page and fragment table). Taking it free
/// costs about 2 ns where a mutex costs 6 (docs/performance.md). A waiter that spun for long gives
/// up its time slice, so that a holder that lost its processor can go on.
/// Threads   that is what it is for.
#pragma once

#include <atomic>
#include <thread>

#include "base/annotations.h"

namespace uct::core {

class UCT_CAPABILITY("spinlock") Spinlock {
 public:
  void lock() UCT_ACQUIRE() {
    // acquire; pairs with the release in unlock().
    while (locked_.exchange(true, std::memory_order_acquire)) wait();
  }
  void unlock() UCT_RELEASE() { locked_.store(false, std::memory_order_release); }

 private:
  void wait() const {
    constexpr int kSpins = 200;  // some 10 us: longer than any holder that is running needs
    for (int i = 0; locked_.load(std::memory_order_relaxed); ++i) {
      if (i >= kSpins) {
        std::this_thread::yield();
      } else {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#endif
      }
    }
  }

  std::atomic<bool> locked_{false};
};

class UCT_SCOPED_CAPABILITY SpinlockGuard {
 public:
  explicit SpinlockGuard(Spinlock& lock) UCT_ACQUIRE(lock) : lock_(lock) { lock_.lock(); }
  ~SpinlockGuard() UCT_RELEASE() { lock_.unlock(); }
  SpinlockGuard(const SpinlockGuard&) = delete;
  SpinlockGuard& operator=(const SpinlockGuard&) = delete;

 private:
  Spinlock& lock_;
};

}  // namespace uct::core
