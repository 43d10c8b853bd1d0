#include "bench/workloads/latency_histogram.h"

#include <algorithm>
#include <cmath>

namespace uct::bench {

void LatencyHistogram::merge(const LatencyHistogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

double LatencyHistogram::percentile(double percent) const {
  const double rank = std::ceil(percent / 100 * static_cast<double>(count_));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (counts_[i] != 0 && static_cast<double>(seen) >= rank) {
      return static_cast<double>(std::min(last_of(i), max_));
    }
  }
  return static_cast<double>(max_);
}

std::uint64_t LatencyHistogram::last_of(std::size_t bucket) {
  if (bucket < 2 * kParts) return bucket;
  const std::size_t shift = bucket / kParts - 1;
  const std::uint64_t first = (bucket - shift * kParts) << shift;
  return first + ((std::uint64_t{1} << shift) - 1);
}

}  // namespace uct::bench
