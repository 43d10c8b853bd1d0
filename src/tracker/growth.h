/// Memory made before packets need it.
///
/// A sweep notes how far each of a shard's arrays reaches. What grew since the sweep before will
/// probably grow on, and the huge pages that are next are made outside the shard's lock: for a
/// packet that had to wait for one it would be the longest wait of all. When a shard grows no more,
/// what was made and not used goes back.
///
/// Relies on base; used by maintenance.cc.
/// Threads   note() under the shard's lock; make_pages() without any.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/annotations.h"
#include "base/reserved_array.h"

namespace uct::core {

/// What an array of a shard is about to need.
struct GrowthPlan {
  struct Range {
    const Reservation* memory;
    std::size_t from;
    std::size_t to;
  };
  static constexpr std::size_t kArrays = 9;  ///< the index, and four of each family

  void make_pages() const {
    for (std::size_t i = 0; i < count; ++i) {
      ranges[i].memory->make_huge_pages(ranges[i].from, ranges[i].to);
    }
  }

  std::array<Range, kArrays> ranges;
  std::size_t count = 0;
};

/// How far the arrays of a shard reached at the sweep before, and what was made for them.
class GrowthWatch {
 public:
  /// Requires  the shard's lock, which the compiler cannot see from here.
  template <typename Shard>
  GrowthPlan note(Shard& shard) UCT_NO_THREAD_SAFETY_ANALYSIS {
    const std::uint64_t now_ms = shard.now_ms;
    GrowthPlan plan;
    std::size_t place = 0;
    each_memory(shard, [&](const Reservation& memory, std::size_t used, std::size_t) {
      Array& array = arrays_[place++];
      if (used > array.used) {
        array.grew_ms = now_ms;
        const std::size_t to = used + std::clamp(2 * (used - array.used), kAheadMin, kAheadMax);
        plan.ranges[plan.count++] = {&memory, used, to};
        array.made = std::max(array.made, std::min(to, memory.size()));
      }
      array.used = used;
    });
    return plan;
  }

  /// Gives back what was made for growth that did not come.
  ///
  /// Requires  the shard's lock
  /// Gives     true when it did: call again, after others had the lock.
  template <typename Shard>
  bool give_back(Shard& shard) UCT_NO_THREAD_SAFETY_ANALYSIS {
    const std::uint64_t now_ms = shard.now_ms;
    bool gave = false;
    std::size_t place = 0;
    each_memory(shard, [&](Reservation& memory, std::size_t, std::size_t touched) {
      Array& array = arrays_[place++];
      if (gave || array.made <= touched || now_ms - array.grew_ms < kQuietMs) return;
      const std::size_t left = memory.release_tail(touched, array.made);
      gave = left != array.made;
      array.made = gave ? left : 0;
    });
    return gave;
  }

 private:
  static constexpr std::size_t kAheadMin = std::size_t{1} << 20;   ///< half a huge page
  static constexpr std::size_t kAheadMax = std::size_t{64} << 20;  ///< a burst's, not an attack's

  /// So long must an array not have grown. Sweeps may follow each other within microseconds, and
  /// memory that is given back between two steps of growth is made twice.
  static constexpr std::uint64_t kQuietMs = 1000;

  struct Array {
    std::size_t used = 0;       ///< bytes in use at the latest sweep
    std::size_t made = 0;       ///< there may be memory up to here because it was made
    std::uint64_t grew_ms = 0;  ///< tracker time of the latest sweep that saw it grow
  };

  template <typename Shard, typename F>
  static void each_memory(Shard& shard, F&& f) UCT_NO_THREAD_SAFETY_ANALYSIS {
    shard.index.each_memory(f);
    shard.v4.each_memory(f);
    shard.v6.each_memory(f);
    static_assert(GrowthPlan::kArrays == 1 + 2 * decltype(shard.v4)::kArrays);
  }

  std::array<Array, GrowthPlan::kArrays> arrays_{};
};

}  // namespace uct::core
