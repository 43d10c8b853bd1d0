// uct track on fragments that overtake the first one of their datagram: a capture of the tree,
// whose frames are put into another order.
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "cli/track.h"
#include "ports/capture/reader.h"
#include "ports/capture/writer.h"

namespace uct::cli {
namespace {

/// Frames 3 to 6 are a datagram over IPv4, 7 to 10 its answer; 13 to 20 the same over IPv6.
const std::string kCapture = std::string(UCT_SOURCE_DIR) + "/tests/captures/udp-fragments.pcap";

using Lines = std::vector<std::string>;

Lines run(std::vector<std::string> words) {
  std::vector<const char*> arguments;
  for (const std::string& word : words) arguments.push_back(word.c_str());
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(track(arguments), 0);
  std::istringstream text(::testing::internal::GetCapturedStdout());
  Lines lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

struct Record {
  std::vector<std::byte> bytes;
  Timestamp time{};
};

std::vector<Record> read(const std::string& path) {
  auto opened = capture::Reader::open(path);
  EXPECT_TRUE(opened) << path;
  std::vector<Record> records;
  std::array<capture::Frame, 8> frames;
  while (const std::size_t count = opened.value().next_burst(frames)) {
    for (std::size_t i = 0; i < count; ++i) {
      records.push_back({{frames[i].bytes.begin(), frames[i].bytes.end()}, frames[i].time});
    }
  }
  return records;
}

class TrackFragments : public ::testing::Test {
 protected:
  ~TrackFragments() override {
    for (const char* name : {"in", "out", "other"}) std::filesystem::remove(path(name));
  }

  /// One set of files for each test: they may run at the same time.
  static std::string path(const std::string& name) {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    return ::testing::TempDir() + "fragments" + test->name() + "." + name;
  }

  /// Writes frames of the capture, by number, `gap` apart.
  std::string reordered(const std::vector<std::size_t>& numbers, Duration gap = Duration(1)) {
    const std::vector<Record> records = read(kCapture);
    auto made = capture::Writer::create(path("in"));
    EXPECT_TRUE(made);
    Timestamp time = records[0].time;
    for (const std::size_t number : numbers) {
      EXPECT_TRUE(made.value().write(records[number - 1].bytes, time));
      time += gap;
    }
    EXPECT_TRUE(made.value().close());
    return path("in");
  }
};

TEST_F(TrackFragments, TheVerdictIsPrintedWhenItIsKnown) {
  const std::string file = reordered({5, 4, 3, 6, 10, 8, 9, 7, 20, 13, 17});
  EXPECT_EQ(run({"--packets", file}),
            (Lines{"3: new|trk", "1: new|trk", "2: new|trk", "4: new|trk", "8: est|rpl|trk",
                   "5: est|rpl|trk", "6: est|rpl|trk", "7: est|rpl|trk", "10: new|trk",
                   "11: est|rpl|trk", "9: est|rpl|trk"}));
}

TEST_F(TrackFragments, ItIsTheSameHoweverPacketsShareMilliseconds) {
  const std::vector<std::size_t> order = {5, 4, 3, 6, 10, 8, 9, 7, 20, 13, 17};
  const Lines apart = run({"--packets", "--explain", reordered(order)});
  EXPECT_EQ(run({"--packets", "--explain", reordered(order, Duration(0))}), apart);
}

TEST_F(TrackFragments, TheyCountOnTheirConnection) {
  const auto with_counters = [](const std::string& file) {
    return run({"-o", "ovs", "--clock", "frozen", file});
  };
  EXPECT_EQ(with_counters(reordered({6, 5, 4, 3, 8, 9, 10, 7})),
            with_counters(reordered({3, 4, 5, 6, 7, 8, 9, 10})));
}

TEST_F(TrackFragments, WhatIsWrittenIsTranslatedAndInTheOrderOfLeaving) {
  const Lines words = {"--nat", "src 203.0.113.7:1024-65535, persistent", "--write"};
  const auto translated = [&](const std::string& file, const std::string& to) {
    run({words[0], words[1], words[2], to, file});
    return read(to);
  };
  const auto plain = translated(reordered({3, 4, 5, 6, 7, 8, 9, 10}), path("other"));
  const auto late = translated(reordered({5, 6, 3, 4, 7, 10, 9, 8}), path("out"));
  ASSERT_EQ(plain.size(), 8U);
  ASSERT_EQ(late.size(), 8U);
  EXPECT_NE(plain[0].bytes, read(kCapture)[2].bytes) << "nothing was translated";
  const std::size_t leaving[] = {0, 2, 3, 1, 4, 7, 6, 5};
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(late[i].bytes, plain[leaving[i]].bytes) << i;
    EXPECT_GE(late[i].time, late[i == 0 ? 0 : i - 1].time) << i;
  }
}

TEST_F(TrackFragments, WhatWaitsInVainIsToldAtTheEndAndNotWritten) {
  const std::string file = reordered({5, 7, 4});
  EXPECT_EQ(run({"--packets", "--explain", "--write", path("out"), file}),
            (Lines{"2: new|trk  udp 198.51.100.2:7 -> 192.0.2.2:47179  (none) -> FIRST",
                   "1: inv|trk  fragment_without_first: no first fragment of this datagram has "
                   "been tracked",
                   "3: inv|trk  fragment_without_first: no first fragment of this datagram has "
                   "been tracked"}));
  EXPECT_EQ(read(path("out")).size(), 1U);
}

TEST_F(TrackFragments, WhatWaitsInVainIsToldWhenItsTimeEnds) {
  const std::string file = reordered({5, 13, 18}, Duration(20'000));
  EXPECT_EQ(run({"--packets", file}), (Lines{"2: new|trk", "1: inv|trk", "3: inv|trk"}));
  EXPECT_EQ(run({"--packets", "--clock", "frozen", file}),
            (Lines{"2: new|trk", "1: inv|trk", "3: inv|trk"}));
  const std::string late = reordered({5, 13, 3}, Duration(20'000));
  EXPECT_EQ(run({"--packets", late}), (Lines{"2: new|trk", "1: inv|trk", "3: new|trk"}));
  EXPECT_EQ(run({"--packets", "--clock", "frozen", late}),
            (Lines{"2: new|trk", "3: new|trk", "1: new|trk"}));
}

TEST_F(TrackFragments, ACopyOfOneThatWaitsIsInvalid) {
  const Lines lines = run({"--packets", "--explain", reordered({5, 5, 3})});
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0], "2: inv|trk  fragment_duplicate: a copy of a fragment that is held");
  EXPECT_EQ(lines[1].substr(0, 10), "3: new|trk");
  EXPECT_EQ(lines[2].substr(0, 10), "1: new|trk");
}

}  // namespace
}  // namespace uct::cli
