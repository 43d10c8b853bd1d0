// What the tracker promises of fragments to its embedder: when the sink is called and with what,
// that it may call back, how held ones count, and that a flood costs no more than was configured.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <set>
#include <vector>

#include <uct/tracker.h>

#include "tests/support/fragment_frames.h"

namespace uct {
namespace {

using test::End;
using test::FragmentFrame;
using test::kFirst;
using test::kLast;
using test::Part;
using test::UdpFrame;

constexpr End kClient{0xc0000201, 40'000};  // 192.0.2.1
constexpr End kServer{0xc6336401, 80};      // 198.51.100.1

struct Recorder : FragmentSink {
  void on_fragment(const HeldFragment& fragment) noexcept override {
    users.push_back(fragment.packet.user);
    verdicts.push_back(fragment.verdict);
    explained += fragment.explanation != nullptr;
    if (tracker == nullptr) return;
    connections_seen = tracker->connection_count();
    UdpFrame frame(kServer, kClient);
    Packet packet = frame.packet();
    tracker->process({&packet, 1}, {.zone = 7, .commit = true}, now, {&answer, 1});
    tracker->sweep(now);
  }

  std::vector<std::uint64_t> users;
  std::vector<Verdict> verdicts;
  int explained = 0;
  Tracker* tracker = nullptr;  ///< called back where set
  Timestamp now{};
  std::uint32_t connections_seen = 0;
  Verdict answer;
};

class Fragments : public testing::Test {
 protected:
  void make(Config config = {}) {
    config.fragments = &recorder_;
    config.shards = 4;
    tracker_ = std::move(Tracker::create(config).value());
  }

  Verdict send(FragmentFrame frame, std::uint64_t user = 0) {
    Packet packet = frame.packet(user);
    Verdict verdict;
    tracker_->process({&packet, 1}, {.commit = true}, now_, {&verdict, 1});
    return verdict;
  }
  static FragmentFrame piece(const Part& part, std::uint16_t id = 1) {
    return {kClient, kServer, id, part};
  }

  Recorder recorder_;
  std::unique_ptr<Tracker> tracker_;
  Timestamp now_{std::chrono::seconds(1000)};
};

TEST_F(Fragments, ComeBackWithTheirUserValueAndTheVerdictOfTheFirst) {
  make();
  const Verdict held = send(piece(kLast), 0xdeadbeefcafe);
  EXPECT_TRUE(is_held(held.reason));
  EXPECT_EQ(held.state, StateFlags::tracked);
  EXPECT_TRUE(recorder_.users.empty());
  const Verdict first = send(piece(kFirst));
  ASSERT_EQ(recorder_.users, std::vector<std::uint64_t>{0xdeadbeefcafe});
  EXPECT_EQ(recorder_.verdicts[0].state, first.state);
  EXPECT_EQ(recorder_.verdicts[0].connection, first.connection);
  EXPECT_EQ(recorder_.explained, 0);
}

TEST_F(Fragments, WithinOneBurstTooAndExplainedWhenAsked) {
  make();
  std::vector<FragmentFrame> frames = {piece(kLast), piece({24, 8, true}, 2), piece(kFirst),
                                       piece({16, 8, true}, 2), piece(kFirst, 2)};
  std::array<Packet, 5> burst;
  for (std::size_t i = 0; i < burst.size(); ++i) burst[i] = frames[i].packet(i);
  std::array<Verdict, 5> verdicts;
  std::array<Explanation, 5> explanations;
  tracker_->process(burst, {.commit = true}, now_, verdicts, explanations);
  EXPECT_EQ(recorder_.users, (std::vector<std::uint64_t>{0, 1, 3}));
  EXPECT_EQ(recorder_.explained, 3);
  EXPECT_TRUE(is_held(verdicts[0].reason) && is_held(verdicts[1].reason));
  EXPECT_EQ(verdicts[2].state, StateFlags::new_ | StateFlags::tracked);
}

TEST_F(Fragments, TheSinkMayCallTheTracker) {
  make();
  recorder_.tracker = tracker_.get();
  recorder_.now = now_;
  send(piece(kLast));
  send(piece(kFirst));
  EXPECT_EQ(recorder_.connections_seen, 1U) << "the first fragment was decided";
  EXPECT_EQ(recorder_.answer.state, StateFlags::new_ | StateFlags::tracked);
  EXPECT_EQ(tracker_->connection_count(), 2U);
}

TEST_F(Fragments, CountWhenTheyAreReleased) {
  make();
  send(piece(kLast));
  EXPECT_EQ(tracker_->stats().packets, 0U);
  EXPECT_EQ(tracker_->stats().held_fragments, 1U);
  EXPECT_GT(tracker_->stats().held_fragment_bytes, 28U);
  const ConnectionHandle handle = send(piece(kFirst)).connection;
  const Stats stats = tracker_->stats();
  EXPECT_EQ(stats.packets, 2U);
  EXPECT_EQ(stats.bytes, 36U + 28U);
  EXPECT_EQ(stats.new_, 2U);
  EXPECT_EQ(stats.held_fragments, 0U);
  EXPECT_EQ(stats.held_fragment_bytes, 0U);
  const auto info = tracker_->find(handle, now_);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->counters[0].packets, 2U);
  EXPECT_EQ(info->counters[0].bytes, 36U + 28U);
}

TEST_F(Fragments, FlushingTellsOfEachThatWasHeld) {
  make();
  for (std::uint16_t id = 1; id <= 100; ++id) send(piece(kLast, id), id);
  EXPECT_EQ(tracker_->flush_fragments(), 100U);
  EXPECT_EQ(recorder_.users.size(), 100U);
  EXPECT_EQ(recorder_.users[0], 1U) << "the oldest first";
  EXPECT_EQ(recorder_.verdicts[0].reason, Reason::fragment_without_first);
  EXPECT_EQ(tracker_->stats().fragmented_datagrams, 0U);
  EXPECT_EQ(tracker_->flush_fragments(), 0U);
}

TEST_F(Fragments, ASweepSaysWhenTheNextIsDue) {
  make();
  EXPECT_EQ(tracker_->sweep(now_).next, Timestamp::max());
  send(piece(kLast));
  EXPECT_EQ(tracker_->sweep(now_).next, now_ + std::chrono::seconds(30));
  EXPECT_EQ(tracker_->sweep(now_ + std::chrono::seconds(30)).next, Timestamp::max());
  EXPECT_EQ(recorder_.users.size(), 1U);
}

TEST_F(Fragments, ASweepThatIsToldToStopStops) {
  make();
  for (std::uint16_t id = 1; id <= 200; ++id) send(piece(kLast, id));
  SweepBudget budget;
  budget.keep_going = [](void*) { return false; };
  const SweepResult result = tracker_->sweep(now_ + std::chrono::seconds(31), budget);
  EXPECT_FALSE(result.finished);
  EXPECT_GT(recorder_.users.size(), 0U);
  EXPECT_LT(recorder_.users.size(), 200U);
}

TEST_F(Fragments, AFloodStaysWithinItsBoundsAndTheRestGoesOn) {
  Config config;
  config.max_fragmented_datagrams = 512;
  config.max_held_fragment_bytes = 64 * 1024;
  make(config);
  std::uint64_t sent = 0;
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    // 300 sources, one in three of them tiny, some overlapping, none ever complete.
    const End source{0x0a000000 + i % 300, 1000};
    const Part part{8 + i % 5 * 8, i % 3 == 0 ? 8U : 1000U, true};
    send({source, kServer, static_cast<std::uint16_t>(i / 900), part});
    ++sent;
    if (i % 100 != 0) continue;
    const Stats stats = tracker_->stats();
    ASSERT_LE(stats.held_fragment_bytes, config.max_held_fragment_bytes);
    ASSERT_LE(stats.fragmented_datagrams, config.max_fragmented_datagrams);
    ASSERT_EQ(stats.packets + stats.held_fragments, sent);
    // Somebody else's out-of-order datagram, whole while the flood goes on.
    const auto id = static_cast<std::uint16_t>(60'000 + i / 100);
    ASSERT_TRUE(is_held(send(piece(kLast, id), 1).reason));
    ASSERT_EQ(send(piece(kFirst, id)).reason, Reason::none);
    ASSERT_EQ(recorder_.users.back(), 1U);
    ASSERT_EQ(recorder_.verdicts.back().reason, Reason::none);
    sent += 2;
  }
  tracker_->flush_fragments();
  EXPECT_EQ(tracker_->stats().packets, sent) << "every one has had its verdict";
}

TEST(FragmentsWithoutSink, NothingIsHeld) {
  const auto tracker = std::move(Tracker::create({}).value());
  FragmentFrame last(kClient, kServer, 1, kLast);
  Packet packet = last.packet();
  Verdict verdict;
  tracker->process({&packet, 1}, {.commit = true}, Timestamp{}, {&verdict, 1});
  EXPECT_EQ(verdict.reason, Reason::fragment_without_first);
  EXPECT_EQ(tracker->stats().fragmented_datagrams, 0U);
}

}  // namespace
}  // namespace uct
