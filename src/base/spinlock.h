/// A lock of two bytes for work that lasts nanoseconds.
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
    if (locked_.exchange(true, std::memory_order_acquire)) [[unlikely]]
      wait();
  }
  /// Gives     whether it was free and is the caller's now. For who holds another one already.
  bool try_lock() UCT_NO_THREAD_SAFETY_ANALYSIS {
    return !locked_.exchange(true, std::memory_order_acquire);
  }
  void unlock() UCT_RELEASE() { locked_.store(false, std::memory_order_release); }

  /// For who takes the lock again and again, between two times: lets those that wait go first. The
  /// lock is handed to nobody, so that its last holder, whose cache has it, would win every time.
  ///
  /// Cost      a load when nobody waits; at most some 10 us when a waiter lost its processor.
  void let_others_first() const {
    for (int i = 0; i < kSpins && wanted_.load(std::memory_order_relaxed); ++i) pause();
  }

 private:
  static constexpr int kSpins = 200;  ///< some 10 us: longer than any holder that is running needs

  void wait() {
    for (int i = 0; locked_.exchange(true, std::memory_order_acquire); ++i) {
      // Again and again, because another waiter clears it when it is served.
      wanted_.store(true, std::memory_order_relaxed);
      while (locked_.load(std::memory_order_relaxed)) {
        if (++i >= kSpins) {
          std::this_thread::yield();
        } else {
          pause();
        }
      }
    }
    wanted_.store(false, std::memory_order_relaxed);
  }

  static void pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
  }

  std::atomic<bool> locked_{false};
  std::atomic<bool> wanted_{false};  ///< somebody waits, or did a moment ago; a hint
};

class UCT_SCOPED_CAPABILITY SpinlockGuard {
 public:
  explicit SpinlockGuard(Spinlock& lock) UCT_ACQUIRE(lock) : SpinlockGuard(lock, true) {}

  /// Takes the lock only when it is needed: when others may be there at all.
  SpinlockGuard(Spinlock& lock, bool needed) UCT_ACQUIRE(lock) UCT_NO_THREAD_SAFETY_ANALYSIS
      : lock_(needed ? &lock : nullptr) {
    if (needed) lock.lock();
  }
  ~SpinlockGuard() UCT_RELEASE() UCT_NO_THREAD_SAFETY_ANALYSIS {
    if (lock_ != nullptr) lock_->unlock();
  }
  SpinlockGuard(const SpinlockGuard&) = delete;
  SpinlockGuard& operator=(const SpinlockGuard&) = delete;

 private:
  Spinlock* const lock_;
};

}  // namespace uct::core
