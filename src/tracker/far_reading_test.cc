// Reading a tracker at a time far ahead of the last packet: ticks of 32 bits cannot tell by
// themselves that a connection expired more than 24.8 days ago. Found by track_fuzz.
#include <gtest/gtest.h>

#include <array>

#include <uct/tracker.h>

#include "tests/support/packet_maker.h"

namespace uct {
namespace {

class FarReading : public testing::TestWithParam<int> {
 protected:
  FarReading() {
    Config config;
    config.max_connections = config.capacity = 16;
    config.shards = 1;
    tracker = std::move(Tracker::create(config).value());
    const auto bytes = core::test::ipv4(17, core::test::udp(Family::ipv4, 4));
    std::array<Packet, 1> burst = {core::test::packet_of(bytes)};
    std::array<Verdict, 1> verdicts;
    Request request;
    request.commit = true;
    tracker->process(burst, request, start, verdicts);
    handle = verdicts[0].connection;
    std::array<ConnectionInfo, 1> all;
    DumpCursor cursor;
    EXPECT_EQ(tracker->dump(cursor, all, start), 1U);
    tuple = all[0].original;
  }

  const Timestamp start = timestamp_from_ns(1'000'000'000);
  std::unique_ptr<Tracker> tracker;
  ConnectionHandle handle = ConnectionHandle::none;
  Tuple tuple;
};

}  // namespace

TEST_P(FarReading, FindsNothingThatExpired) {
  const Timestamp later = start + std::chrono::hours(24 * GetParam());
  std::array<ConnectionInfo, 1> all;
  DumpCursor cursor;
  EXPECT_EQ(tracker->dump(cursor, all, later), 0U);
  EXPECT_FALSE(tracker->find(handle, later).has_value());
  EXPECT_FALSE(tracker->find(0, tuple, later).has_value());
  EXPECT_TRUE(tracker->find(handle, start).has_value()) << "reading removed it";
}

INSTANTIATE_TEST_SUITE_P(Days, FarReading, testing::Values(1, 24, 25, 30, 49, 50, 60, 3650));

}  // namespace uct
