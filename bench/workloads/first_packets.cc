#include "bench/workloads/first_packets.h"

#include <algorithm>
#include <array>

namespace uct::bench {

std::uint64_t send_first_packets(Target& target, TrafficShape shape, std::uint64_t first,
                                 std::uint64_t last, Timestamp start,
                                 std::chrono::nanoseconds spread) {
  Burst burst(shape);
  std::array<Verdict, kBurst> verdicts;
  const Request request{.commit = true};
  const auto bursts = static_cast<std::int64_t>((last - first + kBurst - 1) / kBurst);
  const std::chrono::nanoseconds step = spread / std::max<std::int64_t>(bursts, 1);
  Timestamp now = start;
  std::uint64_t refused = 0;
  for (std::uint64_t base = first; base < last; base += kBurst) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(kBurst, last - base));
    for (std::size_t i = 0; i < count; ++i) burst.put(i, base + i, kFirstSegment);
    target.process(burst.packets(count), request, now, verdicts);
    for (std::size_t i = 0; i < count; ++i) refused += is_admitted(verdicts[i]) ? 0 : 1;
    now += step;
  }
  return refused;
}

}  // namespace uct::bench
