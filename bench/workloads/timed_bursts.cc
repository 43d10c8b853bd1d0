#include "bench/workloads/timed_bursts.h"

namespace uct::bench {

void report_latencies(const LatencyHistogram& latencies, Result& result) {
  result.p50_ns = latencies.percentile(50);
  result.p99_ns = latencies.percentile(99);
  result.p999_ns = latencies.percentile(99.9);
  result.p9999_ns = latencies.percentile(99.99);
  result.max_ns = static_cast<double>(latencies.max());
}

void report_latencies(const LatencyHistogram& latencies, std::string_view prefix, Result& result) {
  const auto add = [&](std::string_view name, double value) {
    result.extra.push_back({std::string(prefix) + std::string(name), value});
  };
  add("p50_ns", latencies.percentile(50));
  add("p99_ns", latencies.percentile(99));
  add("p999_ns", latencies.percentile(99.9));
  add("p9999_ns", latencies.percentile(99.99));
  add("max_ns", static_cast<double>(latencies.max()));
}

}  // namespace uct::bench
