// The maximum of connections and the limits of zones: exact, though shards take places in lots.
// With two threads at once: limits_threads_test.cc.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>

#include <uct/tracker.h>

#include "tests/support/tuple_packet.h"

namespace uct {
namespace {

using test::at_ms;
using test::make_packet;
using test::numbered_udp;

constexpr std::uint32_t kCapacity = 40'000;

std::unique_ptr<Tracker> make(std::uint32_t maximum, std::uint32_t shards, bool exclusive = false) {
  Config config;
  config.max_connections = maximum;
  config.capacity = kCapacity;
  config.shards = shards;
  config.exclusive = exclusive;
  config.hash_key = {99, 100};
  return std::move(Tracker::create(config).value());
}

Reason open(Tracker& tracker, std::uint32_t number, Zone zone = 0, std::int64_t ms = 0) {
  const Request request{.zone = zone, .commit = true};
  return test::send(tracker, make_packet(numbered_udp(number, true)), request, at_ms(ms)).reason;
}

/// Removes the connection with this number.
std::size_t close(Tracker& tracker, std::uint32_t number, Zone zone = 0) {
  Filter filter;
  filter.zone = zone;
  filter.original.source = numbered_udp(number, true).source;
  return tracker.flush(at_ms(0), filter);
}

/// By the number of shards, with and without locks.
class Limits : public testing::TestWithParam<std::tuple<std::uint32_t, bool>> {
 protected:
  static std::unique_ptr<Tracker> make_one(std::uint32_t maximum) {
    return make(maximum, std::get<0>(GetParam()), std::get<1>(GetParam()));
  }

  /// Opens `count` connections from number `first` on, all of which are let in.
  static void fill(Tracker& tracker, std::uint32_t first, std::uint32_t count,
                   std::int64_t ms = 0) {
    for (std::uint32_t i = first; i < first + count; ++i) {
      const std::uint32_t before = tracker.connection_count();
      ASSERT_EQ(open(tracker, i, 0, ms), Reason::none) << i;
      ASSERT_EQ(tracker.connection_count(), before + 1) << i;
    }
  }

  /// Nobody more is let in, in no shard.
  static void expect_full(Tracker& tracker, std::int64_t ms = 0) {
    const std::uint32_t before = tracker.connection_count();
    for (std::uint32_t i = 0; i < 200; ++i) {
      ASSERT_EQ(open(tracker, 900'000 + i, 0, ms), Reason::table_full) << i;
      ASSERT_EQ(tracker.connection_count(), before);
    }
  }
};

std::string limits_name(const testing::TestParamInfo<Limits::ParamType>& info) {
  return "With" + std::to_string(std::get<0>(info.param)) + "Shards" +
         (std::get<1>(info.param) ? "Exclusive" : "");
}
INSTANTIATE_TEST_SUITE_P(Shards, Limits,
                         testing::Combine(testing::Values(1, 4, 16), testing::Bool()), limits_name);

// ---- the maximum --------------------------------------------------------------------------------

TEST_P(Limits, TheMaximumIsReachedExactlyTwice) {
  for (const std::uint32_t maximum : {1U, 2U, 63U, 64U, 65U, 1000U, 1024U, 20'000U}) {
    const auto tracker = make_one(maximum);
    for (int time = 0; time < 2; ++time) {
      fill(*tracker, 0, maximum);
      expect_full(*tracker);
      EXPECT_EQ(tracker->connection_count(), maximum);
      EXPECT_EQ(tracker->stats().connections, maximum);
      EXPECT_EQ(tracker->flush(at_ms(0)), maximum);
      EXPECT_EQ(tracker->connection_count(), 0U);
    }
    EXPECT_EQ(tracker->stats().reason(Reason::table_full), 400U);
  }
}

TEST_P(Limits, PlacesSpareInOtherShardsAreFound) {
  const auto tracker = make_one(2000);
  fill(*tracker, 0, 2000);
  for (std::uint32_t i = 0; i < 1700; ++i) ASSERT_EQ(close(*tracker, i), 1U);  // all hold some
  EXPECT_EQ(tracker->connection_count(), 300U);
  const std::uint32_t last = std::get<0>(GetParam()) - 1;
  std::uint32_t number = 10'000;
  for (std::uint32_t opened = 0; opened < 1700; ++number) {
    if (tracker->shard_of(make_packet(numbered_udp(number, true)).packet(), 0) != last) continue;
    ASSERT_EQ(open(*tracker, number), Reason::none) << opened;
    ++opened;
    ASSERT_EQ(tracker->connection_count(), 300 + opened);
  }
  expect_full(*tracker);
}

TEST_P(Limits, ALoweredMaximumRefusesUntilEnoughHaveLeft) {
  const auto tracker = make_one(1000);
  fill(*tracker, 0, 500);
  ASSERT_EQ(tracker->set_max_connections(200), Error::none);
  EXPECT_EQ(tracker->connection_count(), 500U);
  for (std::uint32_t i = 0; i < 300; ++i) {
    ASSERT_EQ(open(*tracker, 5000 + i), Reason::table_full) << i;
    ASSERT_EQ(close(*tracker, i), 1U);
    ASSERT_EQ(tracker->connection_count(), 499 - i);
  }
  expect_full(*tracker);  // 200 are exactly as many as may be
  ASSERT_EQ(close(*tracker, 300), 1U);
  fill(*tracker, 6000, 1);
  expect_full(*tracker);
}

TEST_P(Limits, ALoweredMaximumIsToldAtOnceOfPlacesThatAreSpare) {
  const auto tracker = make_one(10'000);
  fill(*tracker, 0, 300);
  for (std::uint32_t i = 0; i < 200; ++i) ASSERT_EQ(close(*tracker, i), 1U);
  ASSERT_EQ(tracker->set_max_connections(100), Error::none);
  EXPECT_EQ(tracker->connection_count(), 100U);
  expect_full(*tracker);
  ASSERT_EQ(tracker->set_max_connections(101), Error::none);
  fill(*tracker, 1000, 1);
  expect_full(*tracker);
}

TEST_P(Limits, SweepsMakeRoomBelowALoweredMaximum) {
  const auto tracker = make_one(1000);  // UDP without a reply lives 60 s
  fill(*tracker, 0, 300, 0);
  fill(*tracker, 300, 200, 20'000);
  ASSERT_EQ(tracker->set_max_connections(200), Error::none);
  EXPECT_EQ(tracker->sweep(at_ms(65'000)).removed, 300U);
  EXPECT_EQ(tracker->connection_count(), 200U);
  expect_full(*tracker, 65'000);
  EXPECT_EQ(tracker->sweep(at_ms(80'000)).removed, 200U);
  EXPECT_EQ(tracker->connection_count(), 0U);
  fill(*tracker, 1000, 200, 80'000);
  expect_full(*tracker, 80'000);
}

TEST_P(Limits, ARaisedMaximumLetsExactlyTheDifferenceIn) {
  const auto tracker = make_one(300);
  fill(*tracker, 0, 300);
  expect_full(*tracker);
  std::uint32_t held = 300;
  for (const std::uint32_t maximum : {301U, 364U, 700U, 20'000U}) {
    ASSERT_EQ(tracker->set_max_connections(100), Error::none);
    expect_full(*tracker);
    ASSERT_EQ(tracker->set_max_connections(maximum), Error::none);
    EXPECT_EQ(tracker->max_connections(), maximum);
    fill(*tracker, held, maximum - held);
    held = maximum;
    expect_full(*tracker);
  }
  EXPECT_EQ(tracker->flush(at_ms(0)), held);
  EXPECT_EQ(tracker->connection_count(), 0U);
}

// ---- zones --------------------------------------------------------------------------------------

TEST_P(Limits, ALimitSetBeforeIsExactAndOfItsZoneOnly) {
  const auto tracker = make_one(kCapacity);
  tracker->set_zone_limit(7, 130);
  for (std::uint32_t i = 0; i < 400; ++i) {
    ASSERT_EQ(open(*tracker, i, 7), i < 130 ? Reason::none : Reason::zone_full) << i;
    ASSERT_EQ(open(*tracker, i, 8), Reason::none) << i;
    ASSERT_EQ(tracker->connection_count(), i + 1 + std::min(i + 1, 130U));
  }
  EXPECT_EQ(tracker->zone_limit(7).count, 130U);
  EXPECT_EQ(tracker->zone_limit(8).count, 400U);
  EXPECT_EQ(close(*tracker, 0, 7), 1U);
  EXPECT_EQ(open(*tracker, 1000, 7), Reason::none);
  EXPECT_EQ(open(*tracker, 1001, 7), Reason::zone_full);
  tracker->flush(at_ms(0));
  EXPECT_EQ(tracker->zone_limit(7).count, 0U);
  EXPECT_EQ(tracker->zone_limit(8).count, 0U);
}

TEST_P(Limits, ALimitSetWhileConnectionsExistIsExactToo) {
  const auto tracker = make_one(kCapacity);
  for (std::uint32_t i = 0; i < 100; ++i) ASSERT_EQ(open(*tracker, i, 3), Reason::none);
  tracker->set_zone_limit(3, 150);  // what shards hold unused is collected
  for (std::uint32_t i = 100; i < 200; ++i) {
    ASSERT_EQ(open(*tracker, i, 3), i < 150 ? Reason::none : Reason::zone_full) << i;
  }
  tracker->set_zone_limit(3, 40);
  for (std::uint32_t i = 0; i < 110; ++i) {
    ASSERT_EQ(open(*tracker, 1000, 3), Reason::zone_full) << i;
    ASSERT_EQ(close(*tracker, i, 3), 1U);
  }
  EXPECT_EQ(tracker->zone_limit(3).count, 40U);
  EXPECT_EQ(open(*tracker, 1000, 3), Reason::zone_full);
  EXPECT_EQ(close(*tracker, 110, 3), 1U);
  EXPECT_EQ(open(*tracker, 1000, 3), Reason::none);
  tracker->set_zone_limit(3, std::nullopt);
  for (std::uint32_t i = 2000; i < 2300; ++i) ASSERT_EQ(open(*tracker, i, 3), Reason::none);
  EXPECT_EQ(tracker->zone_limit(3).count, 340U);
}

TEST_P(Limits, TheDefaultLimitHoldsWhereNoneIsSetAndGoesAway) {
  const auto tracker = make_one(kCapacity);
  for (std::uint32_t i = 0; i < 50; ++i) ASSERT_EQ(open(*tracker, i, 1), Reason::none);
  tracker->set_zone_limit(2, 5);
  tracker->set_default_zone_limit(80);
  for (std::uint32_t i = 0; i < 200; ++i) {
    ASSERT_EQ(open(*tracker, 1000 + i, 1), i < 30 ? Reason::none : Reason::zone_full) << i;
    ASSERT_EQ(open(*tracker, i, 2), i < 5 ? Reason::none : Reason::zone_full) << i;
    ASSERT_EQ(open(*tracker, i, 9), i < 80 ? Reason::none : Reason::zone_full) << i;
  }
  tracker->set_default_zone_limit(std::nullopt);
  for (std::uint32_t i = 3000; i < 3200; ++i) {
    ASSERT_EQ(open(*tracker, i, 1), Reason::none) << i;
    ASSERT_EQ(open(*tracker, i, 2), Reason::zone_full) << i;
  }
  EXPECT_EQ(tracker->zone_limit(1).count, 280U);
  EXPECT_EQ(tracker->zone_limit(2).count, 5U);
  EXPECT_EQ(tracker->zone_limit(9).count, 80U);
}

TEST_P(Limits, CountsAreRightWhereZonesAlternatePacketByPacket) {
  constexpr Zone kFive[] = {0, 1, 7, 255, 65535};
  const auto tracker = make_one(kCapacity);
  for (std::uint32_t i = 0; i < 2000; ++i) {
    for (const Zone zone : kFive) ASSERT_EQ(open(*tracker, i, zone), Reason::none);
    if (i % 200 != 199) continue;  // asking collects, so ask seldom
    for (const Zone zone : kFive) ASSERT_EQ(tracker->zone_limit(zone).count, i + 1) << zone;
  }
  for (std::uint32_t i = 0; i < 100; ++i) {
    for (const Zone zone : kFive) ASSERT_EQ(close(*tracker, i, zone), 1U);
  }
  for (const Zone zone : kFive) EXPECT_EQ(tracker->zone_limit(zone).count, 1900U) << zone;
}

TEST_P(Limits, AFullTableTakesNothingFromAZoneAndAFullZoneNothingFromTheTable) {
  const auto tracker = make_one(100);
  tracker->set_zone_limit(1, 60);
  for (std::uint32_t i = 0; i < 300; ++i) open(*tracker, i, 1);
  EXPECT_EQ(tracker->connection_count(), 60U);
  for (std::uint32_t i = 0; i < 300; ++i) open(*tracker, i, 2);
  EXPECT_EQ(tracker->zone_limit(1).count, 60U);
  EXPECT_EQ(tracker->zone_limit(2).count, 40U);
  EXPECT_EQ(tracker->connection_count(), 100U);
}

// ---- all of it at random ------------------------------------------------------------------------

/// The same promises, kept by counting.
struct Model {
  using Name = std::pair<Zone, std::uint32_t>;

  Reason expected(Name name) const {
    if (open.count(name) != 0) return Reason::none;
    if (open.size() >= maximum) return Reason::table_full;
    const auto own = limits.find(name.first);
    const auto limit = own != limits.end() ? std::optional(own->second) : default_limit;
    return limit && count(name.first) >= *limit ? Reason::zone_full : Reason::none;
  }
  std::uint32_t count(Zone zone) const {
    const auto found = counts.find(zone);
    return found == counts.end() ? 0 : found->second;
  }

  std::uint32_t maximum = 0;
  std::map<Name, bool> open;
  std::map<Zone, std::uint32_t> counts;
  std::map<Zone, std::uint32_t> limits;
  std::optional<std::uint32_t> default_limit;
};

class RandomSteps {
 public:
  RandomSteps(Tracker& tracker, std::uint32_t maximum) : tracker_(tracker) {
    model_.maximum = maximum;
  }

  void step() {
    const std::uint32_t choice = below(1000);
    const auto zone = static_cast<Zone>(below(4));
    if (choice < 600) {
      enter({zone, below(1500)});
    } else if (choice < 970) {
      leave();
    } else if (choice < 980) {
      model_.maximum = 1 + below(1200);
      tracker_.set_max_connections(model_.maximum);
    } else if (choice < 990) {
      limit(zone);
    } else if (choice < 995) {
      model_.default_limit = below(3) != 0 ? std::nullopt : std::optional(below(400));
      tracker_.set_default_zone_limit(model_.default_limit);
    } else {
      ASSERT_EQ(tracker_.zone_limit(zone).count, model_.count(zone));
    }
    ASSERT_EQ(tracker_.connection_count(), model_.open.size());
  }

 private:
  std::uint32_t below(std::uint32_t end) { return static_cast<std::uint32_t>(random_()) % end; }

  void enter(Model::Name name) {
    const Reason reason = model_.expected(name);
    ASSERT_EQ(open(tracker_, name.second, name.first), reason);
    if (reason == Reason::none && model_.open.emplace(name, true).second) {
      ++model_.counts[name.first];
    }
  }
  void leave() {
    const auto found = model_.open.lower_bound({static_cast<Zone>(below(4)), below(1500)});
    if (found == model_.open.end()) return;
    ASSERT_EQ(close(tracker_, found->first.second, found->first.first), 1U);
    --model_.counts[found->first.first];
    model_.open.erase(found);
  }
  void limit(Zone zone) {
    if (below(2) == 0) {
      model_.limits.erase(zone);
      tracker_.set_zone_limit(zone, std::nullopt);
    } else {
      model_.limits[zone] = below(400);
      tracker_.set_zone_limit(zone, model_.limits[zone]);
    }
  }

  Tracker& tracker_;
  Model model_;
  std::mt19937 random_{20260707};
};

TEST_P(Limits, RandomStepsAgreeWithPlainCounts) {
  const auto tracker = make_one(800);
  RandomSteps steps(*tracker, 800);
  for (int i = 0; i < 30'000; ++i) {
    steps.step();
    if (HasFatalFailure()) FAIL() << "at step " << i;
  }
}

}  // namespace
}  // namespace uct
