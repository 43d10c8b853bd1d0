#include "frag/datagrams.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include "frag/fragment_path.h"
#include "tests/support/random.h"

namespace uct::core::test {
namespace {

constexpr std::uint32_t kAll = 0xffffffff;

class Reassembly : public testing::Test {
 protected:
  FragmentStep send(const Name& name, Extent extent, std::uint64_t now_ms = 0) {
    return path.send(name, extent, now_ms);
  }
  void expect_condemned(std::vector<Extent> before, Extent extent, FragmentRefusal cause);

  Path path{DatagramLimits{}};
};

// ---- order --------------------------------------------------------------------------------------

TEST_F(Reassembly, InOrderNothingIsHeld) {
  EXPECT_EQ(send({}, {0, 16, kMore}), FragmentStep::track);
  EXPECT_EQ(send({}, {16, 16, kMore}), FragmentStep::follow);
  EXPECT_EQ(path.last.verdict, verdict_of(1));
  EXPECT_EQ(send({}, {32, 5, kLast}), FragmentStep::follow);
  expect_whole(path, 1, 37);
  EXPECT_EQ(path.datagrams.stats().held, 0U);
  EXPECT_EQ(path.datagrams.stats().completed, 1U);
}

TEST_F(Reassembly, InReverseAllWaitForTheFirst) {
  EXPECT_EQ(send({}, {32, 5, kLast}), FragmentStep::hold);
  EXPECT_EQ(send({}, {16, 16, kMore}), FragmentStep::hold);
  EXPECT_EQ(path.datagrams.stats().held_frames, 2U);
  EXPECT_EQ(send({}, {0, 16, kMore}), FragmentStep::track);
  expect_whole(path, 1, 37);
  EXPECT_EQ(path.out[1][1].extent.offset, 32U) << "in order of arrival";
  EXPECT_EQ(path.out[1][2].extent.offset, 16U);
  const DatagramStats stats = path.datagrams.stats();
  EXPECT_EQ(stats.held_frames, 0U);
  EXPECT_EQ(stats.held_bytes, 0U);
  EXPECT_EQ(stats.released, 2U);
  EXPECT_EQ(stats.completed, 1U);
}

TEST_F(Reassembly, InAnyOrderEveryByteLeavesOnce) {
  uct::test::Random random(20250101);
  std::uint32_t id = 0;
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    for (std::uint32_t count = 2; count <= 40; ++count) {
      for (int repetition = 0; repetition < 10; ++repetition) {
        std::vector<Extent> extents = fragments_of(count);
        for (std::size_t i = extents.size() - 1; i > 0; --i) {
          std::swap(extents[i], extents[random() % (i + 1)]);
        }
        ++id;
        for (const Extent& extent : extents) send({.id = id, .family = family}, extent);
        expect_whole(path, id, count * 16 - 11);
      }
    }
  }
  EXPECT_EQ(path.datagrams.stats().completed, id);
}

TEST_F(Reassembly, WhatComesWhileTheFirstIsBeingDecidedIsReleasedWithIt) {
  EXPECT_EQ(path.offer({}, {0, 16, kMore}).step, FragmentStep::track);
  EXPECT_EQ(path.offer({}, {16, 5, kLast}).step, FragmentStep::hold);
  const HeldFrames frames = path.datagrams.decided(Name{}.key(), verdict_of(1), 0, path.lost);
  EXPECT_EQ(frames.count(), 1U);
  EXPECT_EQ(path.datagrams.stats().completed, 1U);
}

TEST_F(Reassembly, ARefusedDatagramsFragmentsGetItsReason) {
  path.offer({}, {0, 16, kMore});
  FragmentVerdict verdict;
  verdict.state = StateFlags::invalid | StateFlags::tracked;
  verdict.reason = Reason::tcp_flags;
  path.datagrams.decided(Name{}.key(), verdict, 0, path.lost);
  EXPECT_EQ(send({}, {16, 5, kLast}), FragmentStep::follow);
  EXPECT_EQ(path.last.verdict.reason, Reason::tcp_flags);
}

TEST_F(Reassembly, InterleavedDatagramsDoNotMix) {
  const std::vector<Extent> extents = fragments_of(6);
  for (std::size_t step = 0; step < 6; ++step) {
    for (std::uint32_t id = 1; id <= 20; ++id) send({.id = id}, extents[(step + id) % 6]);
  }
  for (std::uint32_t id = 1; id <= 20; ++id) expect_whole(path, id, 85);
}

TEST_F(Reassembly, ALargestDatagramMayArriveLastFragmentFirst) {
  path.frame_size = 590;  // packets of 576 bytes in Ethernet
  std::vector<Extent> extents = fragments_of(119, 552, 65535 - 118 * 552);
  std::reverse(extents.begin(), extents.end());
  for (const Extent& extent : extents) send({}, extent);
  expect_whole(path, 1, 65535);
}

// ---- names --------------------------------------------------------------------------------------

TEST_F(Reassembly, EveryPartOfTheNameCounts) {
  send({}, {0, 16, kMore});
  EXPECT_EQ(send({.id = 2}, {16, 16, kMore}), FragmentStep::hold);
  EXPECT_EQ(send({.source = 2}, {16, 16, kMore}), FragmentStep::hold);
  EXPECT_EQ(send({.family = Family::ipv6}, {16, 16, kMore}), FragmentStep::hold);
  EXPECT_EQ(send({.zone = 1}, {16, 16, kMore}), FragmentStep::hold);
  EXPECT_EQ(send({.protocol = 6}, {16, 16, kMore}), FragmentStep::hold);
  EXPECT_EQ(send({}, {16, 16, kMore}), FragmentStep::follow);
}

TEST_F(Reassembly, ProtocolIsNoPartOfTheNameInIpv6) {
  send({.family = Family::ipv6, .protocol = 17}, {0, 16, kMore});
  EXPECT_EQ(send({.family = Family::ipv6, .protocol = 60}, {16, 16, kMore}), FragmentStep::follow)
      << "destination options stand before the transport, in the first fragment only";
}

// ---- duplicates ---------------------------------------------------------------------------------

TEST_F(Reassembly, DuplicatesFollowAsTheFirstTime) {
  send({}, {0, 16, kMore});
  send({}, {16, 16, kMore});
  EXPECT_EQ(send({}, {16, 16, kMore}), FragmentStep::follow);
  EXPECT_EQ(send({}, {0, 16, kMore}), FragmentStep::track) << "it has ports of its own";
  EXPECT_EQ(send({}, {32, 5, kLast}), FragmentStep::follow);
  EXPECT_EQ(path.datagrams.stats().duplicates, 2U);
  EXPECT_EQ(path.datagrams.stats().completed, 1U);
}

TEST_F(Reassembly, ADuplicateOfWhatIsHeldIsNotHeldTwice) {
  send({}, {16, 5, kLast});
  EXPECT_EQ(send({}, {16, 5, kLast}), FragmentStep::refuse);
  EXPECT_EQ(path.refusal(), FragmentRefusal::held_already);
  send({}, {0, 16, kMore});
  expect_whole(path, 1, 21);
}

TEST_F(Reassembly, LateDuplicatesOfACompleteDatagramFollow) {
  send({}, {0, 16, kMore});
  send({}, {16, 5, kLast});
  EXPECT_EQ(send({}, {16, 5, kLast}), FragmentStep::follow);
  EXPECT_EQ(path.datagrams.stats().held_frames, 0U);
}

TEST_F(Reassembly, TheSecondVerdictOfARepeatedFirstCounts) {
  send({}, {0, 16, kMore});
  path.offer({}, {0, 16, kMore});
  path.datagrams.decided(Name{}.key(), verdict_of(7), 0, path.lost);
  send({}, {16, 16, kMore});
  EXPECT_EQ(path.last.verdict, verdict_of(7));
}

TEST_F(Reassembly, AnIdThatComesAroundBeginsANewDatagram) {
  send({}, {0, 16, kMore});
  send({}, {16, 5, kLast});
  EXPECT_EQ(send({}, {0, 24, kMore}), FragmentStep::track) << "no overlap with the old one";
  EXPECT_EQ(send({}, {24, 5, kLast}), FragmentStep::follow);
  EXPECT_EQ(send({}, {32, 8, kLast}), FragmentStep::hold) << "its first is late this time";
  EXPECT_EQ(path.datagrams.stats().datagrams, 1U);
  EXPECT_EQ(path.datagrams.stats().condemned, 0U);
}

TEST_F(Reassembly, ANewDatagramMayBeginLikeTheCompleteOneOfItsId) {
  send({}, {0, 16, kMore}, 0);
  send({}, {16, 5, kLast}, 0);
  EXPECT_EQ(send({}, {0, 16, kMore}, 20'000), FragmentStep::track);
  EXPECT_EQ(send({}, {16, 16, kMore}, 20'000), FragmentStep::follow) << "it is longer";
  EXPECT_EQ(send({}, {32, 5, kLast}, 49'999), FragmentStep::follow) << "its time is its own";
  EXPECT_EQ(path.datagrams.stats().completed, 2U);
}

// ---- what condemns ------------------------------------------------------------------------------

/// Sends `before`, then `extent`, then others: with the first fragment before, behind, and last.
void Reassembly::expect_condemned(std::vector<Extent> before, Extent extent,
                                  FragmentRefusal cause) {
  static std::uint32_t id = 100;
  for (const bool is_reversed : {false, true}) {
    if (is_reversed) std::reverse(before.begin(), before.end());
    const Name name{.id = ++id};
    for (const Extent& earlier : before) {
      ASSERT_NE(send(name, earlier), FragmentStep::refuse) << earlier.offset;
    }
    const std::uint64_t held = path.datagrams.stats().held_frames;
    const std::size_t out = path.out[name.id].size();
    EXPECT_EQ(send(name, extent), FragmentStep::refuse);
    EXPECT_EQ(path.refusal(), cause);
    EXPECT_EQ(path.datagrams.stats().held_frames, 0U) << "of " << held;
    for (const Extent& later : {Extent{0, 8, kMore}, extent, Extent{4096, 8, kMore}}) {
      EXPECT_EQ(send(name, later), FragmentStep::refuse);
      EXPECT_EQ(path.refusal(), cause);
    }
    EXPECT_EQ(path.out[name.id].size(), out);
  }
}

TEST_F(Reassembly, EveryFamilyOfOverlapCondemns) {
  const std::vector<Extent> before = {{0, 16, kMore}, {32, 16, kMore}};
  for (const Extent& extent : std::vector<Extent>{{24, 16, kMore},
                                                  {40, 16, kMore},
                                                  {32, 8, kMore},
                                                  {40, 8, kMore},
                                                  {24, 32, kMore},
                                                  {32, 24, kMore},
                                                  {24, 24, kMore},
                                                  {8, 32, kMore},
                                                  {0, 8, kMore},
                                                  {0, 24, kMore},
                                                  {8, 64, kMore},
                                                  {16, 17, kLast},
                                                  {40, 9, kLast},
                                                  {32, 16, kLast}}) {
    SCOPED_TRACE(extent.offset * 1000 + extent.size);
    expect_condemned(before, extent, FragmentRefusal::overlap);
  }
}

TEST_F(Reassembly, OverlapAmongHeldOnesCondemns) {
  expect_condemned({{16, 16, kMore}, {32, 16, kMore}}, {24, 16, kMore}, FragmentRefusal::overlap);
}

TEST_F(Reassembly, AFirstThatOverlapsHeldOnesCondemns) {
  // RFC 3128: the ports come a second time, in a fragment that was there before the first.
  expect_condemned({{8, 16, kMore}, {24, 16, kMore}}, {0, 24, kMore}, FragmentRefusal::overlap);
}

TEST_F(Reassembly, FragmentsBeyondTheEndCondemn) {
  expect_condemned({{0, 8, kMore}, {16, 8, kLast}}, {24, 8, kMore}, FragmentRefusal::two_ends);
}

TEST_F(Reassembly, TwoEndsCondemn) {
  expect_condemned({{32, 16, kMore}, {16, 8, kMore}}, {24, 8, kLast}, FragmentRefusal::two_ends);
  expect_condemned({{8, 8, kMore}, {32, 4, kLast}}, {16, 4, kLast}, FragmentRefusal::two_ends);
}

TEST_F(Reassembly, TooManyFragmentsCondemnExactlyBeyondTheBound) {
  send({}, {0, 8, kMore});
  for (std::uint32_t i = 1; i < kFragmentsMax; ++i) {
    ASSERT_EQ(send({}, {i * 16, 8, kMore}), FragmentStep::follow) << i;
  }
  EXPECT_EQ(send({}, {16, 8, kMore}), FragmentStep::follow) << "a duplicate is no more";
  EXPECT_EQ(send({}, {kFragmentsMax * 16, 8, kMore}), FragmentStep::refuse);
  EXPECT_EQ(path.refusal(), FragmentRefusal::too_many);
  EXPECT_EQ(send({}, {16, 8, kMore}), FragmentStep::refuse);
}

TEST_F(Reassembly, ImpossibleNumbersRefuseThatFragmentOnly) {
  send({}, {0, 16, kMore});
  for (const Extent& extent : std::vector<Extent>{
           {16, 0, kLast}, {16, 9, kMore}, {12, 8, kMore}, {65528, 8, kLast}, {0, 16, kLast}}) {
    EXPECT_EQ(send({}, extent), FragmentStep::refuse);
    EXPECT_EQ(path.refusal(), FragmentRefusal::malformed);
  }
  EXPECT_EQ(send({}, {16, 5, kLast}), FragmentStep::follow);
}

TEST_F(Reassembly, ACondemnedDatagramStaysSoUntilItExpires) {
  path.send({}, {8, 16, kMore}, 500);
  path.send({}, {16, 16, kMore}, 600);
  EXPECT_EQ(path.send({}, {0, 8, kMore}, 30'499), FragmentStep::refuse);
  EXPECT_EQ(path.send({}, {0, 8, kMore}, 30'500), FragmentStep::track);
}

TEST_F(Reassembly, ADecisionDoesNotSaveACondemnedDatagram) {
  path.offer({}, {0, 16, kMore});
  path.offer({}, {16, 8, kLast});
  path.offer({}, {8, 16, kMore});
  EXPECT_EQ(path.datagrams.decided(Name{}.key(), verdict_of(1), 0, path.lost).count(), 0U);
  EXPECT_EQ(path.offer({}, {16, 8, kLast}).refusal, FragmentRefusal::overlap);
  EXPECT_EQ(path.datagrams.stats().completed, 0U);
  EXPECT_EQ(path.datagrams.stats().lost, 1U);
}

// ---- time ---------------------------------------------------------------------------------------

TEST_F(Reassembly, TimeRunsFromTheFirstArrivedToTheMillisecond) {
  send({}, {16, 16, kMore}, 500);
  send({}, {0, 16, kMore}, 20'000);
  EXPECT_EQ(send({}, {32, 8, kMore}, 30'499), FragmentStep::follow) << "not prolonged, not cut";
  EXPECT_EQ(send({}, {40, 8, kMore}, 30'500), FragmentStep::hold) << "of a new datagram";
  EXPECT_EQ(path.datagrams.stats().expired, 1U);
}

TEST_F(Reassembly, ASweepRemovesWhatIsDueAndNothingElse) {
  send({.id = 1}, {16, 16, kMore}, 0);
  send({.id = 2}, {16, 16, kMore}, 1);
  send({.id = 3}, {0, 16, kMore}, 1);
  EXPECT_EQ(path.datagrams.sweep(29'999, kAll, path.lost), 0U);
  EXPECT_EQ(path.datagrams.sweep(30'000, kAll, path.lost), 1U);
  EXPECT_EQ(path.datagrams.stats().held_frames, 1U);
  EXPECT_EQ(path.datagrams.sweep(30'001, 1, path.lost), 1U) << "its budget";
  EXPECT_EQ(path.datagrams.sweep(30'001, 1, path.lost), 1U);
  EXPECT_EQ(path.datagrams.sweep(30'001, 1, path.lost), 0U);
  const DatagramStats stats = path.datagrams.stats();
  EXPECT_EQ(stats.datagrams, 0U);
  EXPECT_EQ(stats.held_bytes, 0U);
  EXPECT_EQ(stats.lost, 2U);
  EXPECT_EQ(stats.expired, 3U);
}

TEST_F(Reassembly, ADecisionThatComesTooLateReleasesNothing) {
  path.offer({}, {16, 5, kLast}, 0);
  path.offer({}, {0, 16, kMore}, 1);
  EXPECT_EQ(path.datagrams.decided(Name{}.key(), verdict_of(1), 30'000, path.lost).count(), 0U);
  EXPECT_EQ(path.datagrams.stats().lost, 1U);
}

TEST_F(Reassembly, AClockThatStepsBackCountsAsStandingStill) {
  send({.id = 1}, {16, 16, kMore}, 1000);
  send({.id = 2}, {16, 16, kMore}, 400);
  send({.id = 2}, {16, 16, kMore}, 30'999);
  EXPECT_EQ(path.refusal(), FragmentRefusal::held_already) << "since 1000";
  EXPECT_EQ(path.datagrams.sweep(31'000, kAll, path.lost), 2U);
}

// ---- what is lost -------------------------------------------------------------------------------

TEST_F(Reassembly, WhatCondemnsHandsOutWhatWasHeld) {
  send({}, {16, 16, kMore});
  send({}, {32, 16, kMore});
  send({}, {40, 16, kMore});
  EXPECT_EQ(path.lost.condemned.count(), 2U);
  EXPECT_EQ(path.lost.condemned_for, FragmentRefusal::overlap);
  EXPECT_EQ(path.lost.condemned.pop()->packet().user, 0U) << "in order of arrival";
  EXPECT_TRUE(path.lost.expired.empty() && path.lost.pushed_out.empty());
}

TEST_F(Reassembly, WhoLooksForAnExpiredDatagramGetsWhatItHeld) {
  send({.zone = 9}, {16, 16, kMore}, 0);
  send({.zone = 9}, {0, 16, kMore}, 30'000);
  ASSERT_EQ(path.lost.expired.count(), 1U);
  EXPECT_EQ(path.lost.expired.pop()->zone(), 9);
  EXPECT_TRUE(path.lost.empty());
}

TEST_F(Reassembly, GivingUpTakesTheOldestFirstWhetherDueOrNot) {
  send({.id = 1}, {16, 16, kMore}, 0);
  send({.id = 2}, {16, 16, kMore}, 5);
  EXPECT_EQ(path.datagrams.next_deadline_ms(), 30'000U);
  EXPECT_EQ(path.datagrams.give_up(1, path.lost), 1U);
  EXPECT_EQ(path.lost.expired.count(), 1U);
  EXPECT_EQ(path.datagrams.next_deadline_ms(), 30'005U);
  EXPECT_EQ(path.datagrams.give_up(kAll, path.lost), 1U);
  EXPECT_EQ(path.datagrams.next_deadline_ms(), Datagrams::kNever);
  EXPECT_EQ(path.datagrams.stats().lost, 2U);
}

// ---- threads ------------------------------------------------------------------------------------

TEST(ReassemblyThreads, HammerFromAllSidesLosesNothing) {
  constexpr std::uint32_t kRounds = 4000;  // fewer than datagrams that fit
  constexpr std::uint32_t kThreads = 4;
  Datagrams datagrams(DatagramLimits{}, HashKey{1, 2});
  std::array<std::uint64_t, kThreads> out{};
  const std::vector<Extent> extents = fragments_of(kThreads * 2);
  const auto run = [&](std::uint32_t thread) {
    std::vector<std::byte> frame(64);
    Packet packet;
    packet.data = frame.data();
    packet.size = 64;
    LostFrames lost;
    for (std::uint32_t id = 0; id < kRounds; ++id) {
      const FragmentKey key = Name{.id = id, .source = id}.key();
      for (std::uint32_t i = thread * 2; i < thread * 2 + 2; ++i) {
        const FragmentDecision decision = datagrams.arrive({key, extents[i]}, packet, id, lost);
        if (decision.step == FragmentStep::follow) ++out[thread];
        if (decision.step != FragmentStep::track) continue;
        out[thread] += 1 + datagrams.decided(key, verdict_of(1), id, lost).count();
      }
    }
  };
  std::vector<std::thread> threads;
  for (std::uint32_t thread = 0; thread < kThreads; ++thread) threads.emplace_back(run, thread);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::accumulate(out.begin(), out.end(), std::uint64_t{0}),
            std::uint64_t{kRounds} * extents.size());
  EXPECT_EQ(datagrams.stats().completed, kRounds);
  EXPECT_EQ(datagrams.stats().held_frames, 0U);
}

}  // namespace
}  // namespace uct::core::test
