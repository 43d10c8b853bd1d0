#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include "bench/peers/huge_pages.h"
#include "bench/workloads/workload.h"

namespace uct::bench {
namespace {

TEST(HugePages, AreAlignedWholeAndZero) {
  const HugePages memory(HugePages::kPage + 1);
  EXPECT_EQ(memory.size(), 2 * HugePages::kPage);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.data()) % HugePages::kPage, 0U);
  const auto* bytes = memory.as<unsigned char>();
  EXPECT_TRUE(std::all_of(bytes, bytes + memory.size(), [](unsigned char b) { return b == 0; }));
}

TEST(Floor, CountsEveryPacketInItsRecord) {
  for (const bool ipv6 : {false, true}) {
    Options options;
    options.connections = 1003;
    options.packets = 6400;
    options.runs = 2;
    options.ipv6 = ipv6;
    const Result result = run_floor(options);
    EXPECT_EQ(result.wrong, "") << ipv6;
    EXPECT_TRUE(result.ns_per_packet && result.driver_ns_per_packet && result.mpps_total);
    EXPECT_EQ(result.extra.size(), 4U);
  }
}

TEST(Floor, ConcurrentThreadsShareNoRecord) {
  Options options;
  options.connections = 1003;
  options.packets = 6400;
  options.threads = 2;
  options.runs = 1;
  EXPECT_EQ(run_floor(options).wrong, "");
}

}  // namespace
}  // namespace uct::bench
