/// How often each duration came, to within a thirty-second of it.
///
/// Log-linear: every octave is cut into 32 equal parts, so that a count of 15 KiB spans 1 ns to 500
/// years, recording is a shift and an increment, and a percentile is at most 3.2 % too high. A list
/// of all durations would be exact, but its writes would push the tracker's lines out of the cache.
///
/// Relies on nothing; used by the workloads that report percentiles.
/// Threads   one thread a histogram; merge() afterwards.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace uct::bench {

class LatencyHistogram {
 public:
  void record(std::uint64_t ns) {
    ++counts_[bucket_of(ns)];
    ++count_;
    if (ns > max_) max_ = ns;
  }

  void merge(const LatencyHistogram& other);

  /// Gives     the least duration that `percent` of all do not exceed, rounded up to the end of its
  ///           bucket but never beyond max(); 0 when nothing was recorded.
  double percentile(double percent) const;

  std::uint64_t count() const { return count_; }
  std::uint64_t max() const { return max_; }  ///< exact

 private:
  static constexpr unsigned kPartBits = 5;
  static constexpr std::size_t kParts = 1U << kPartBits;
  static constexpr std::size_t kBuckets = (64 - kPartBits + 1) * kParts;

  /// Durations below 32 have a bucket each. Above, `shift` is the octave, and the six bits from the
  /// top one on (32 to 63) are the place in it.
  static std::size_t bucket_of(std::uint64_t ns) {
    if (ns < kParts) return ns;
    const unsigned shift = static_cast<unsigned>(std::bit_width(ns)) - kPartBits - 1;
    return shift * kParts + (ns >> shift);
  }
  static std::uint64_t last_of(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace uct::bench
