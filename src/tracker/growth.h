/// Memory made before packets need it.
///
/// A sweep notes how far each of a shard's arrays reaches. What grew since the sweep before will
/// probably grow on, and the huge pages that are next are made outside the shard's lock: for a
/// packet that had to wait for one it would be the longest wait of all.
///
/// Relies on base; used by maintenance.cc.
/// Threads   note() under the shard's lock; make_pages() without any.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

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

/// How far the arrays of a shard reached at the sweep before.
class GrowthWatch {
 public:
  /// Requires  the shard's lock, which the compiler cannot see from here.
  template <typename Shard>
  GrowthPlan note(const Shard& shard) UCT_NO_THREAD_SAFETY_ANALYSIS {
    GrowthPlan plan;
    std::size_t place = 0;
    const auto look = [&](const Reservation& memory, std::size_t bytes) {
      std::size_t& before = reach_[place++];
      if (bytes > before) {
        const std::size_t ahead = std::clamp(2 * (bytes - before), kAheadMin, kAheadMax);
        plan.ranges[plan.count++] = {&memory, bytes, bytes + ahead};
      }
      before = bytes;
    };
    shard.index.each_memory(look);
    shard.v4.records.each_memory(look);
    shard.v4.wheel.each_memory(look);
    shard.v6.records.each_memory(look);
    shard.v6.wheel.each_memory(look);
    return plan;
  }

 private:
  static constexpr std::size_t kAheadMin = std::size_t{1} << 20;   ///< half a huge page
  static constexpr std::size_t kAheadMax = std::size_t{64} << 20;  ///< a burst's, not an attack's

  std::array<std::size_t, GrowthPlan::kArrays> reach_{};
};

}  // namespace uct::core
