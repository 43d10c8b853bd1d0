#include "ports/capture/classic.h"

#include <gtest/gtest.h>

#include "ports/capture/capture_builder.h"

namespace uct::capture::testing {
namespace {

TEST(Classic, MicrosecondsAreReadInBothByteOrders) {
  for (const Order order : kOrders) {
    ClassicFile file(order);
    file.record(1'700'000'000, 999'999, "abc", 60).record(1'700'000'001, 1, "");
    const Story story = read_all(file.content());
    ASSERT_EQ(story.frames.size(), 2U) << message_of(story);
    EXPECT_FALSE(story.error);
    EXPECT_EQ(story.frames[0].text, "abc");
    EXPECT_EQ(story.frames[0].frame.wire_size, 60U);
    EXPECT_EQ(ns_of(story.frames[0]), 1'700'000'000'999'999'000);
    EXPECT_EQ(ns_of(story.frames[1]), 1'700'000'001'000'001'000);
  }
}

TEST(Classic, NanosecondsAreReadInBothByteOrders) {
  for (const Order order : kOrders) {
    ClassicFile file(order, ClassicFile::kNanoseconds);
    file.record(0xffffffff, 999'999'999, "x");
    const Story story = read_all(file.content());
    ASSERT_EQ(story.frames.size(), 1U) << message_of(story);
    EXPECT_EQ(ns_of(story.frames[0]), 4'294'967'295'999'999'999);
  }
}

TEST(Classic, ModifiedFormatHasLongerRecordHeaders) {
  for (const Order order : kOrders) {
    ClassicFile file(order, ClassicFile::kModified);
    file.record(1, 2, "first").record(3, 4, "second");
    const Story story = read_all(file.content());
    ASSERT_EQ(story.frames.size(), 2U) << message_of(story);
    EXPECT_EQ(story.frames[0].text, "first");
    EXPECT_EQ(story.frames[1].text, "second");
    EXPECT_EQ(ns_of(story.frames[1]), 3'000'004'000);
  }
}

TEST(Classic, FramesAreNumberedFromOneAndKnowTheirOffset) {
  ClassicFile file(Order::little);
  file.record(1, 0, "aaaa").record(1, 0, "bb").record(1, 0, "c");
  const Story story = read_all(file.content());
  ASSERT_EQ(story.frames.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(story.frames[i].frame.number, i + 1);
    EXPECT_EQ(story.frames[i].frame.offset, file.starts[i]);
  }
}

TEST(Classic, LinkTypesAreMapped) {
  const std::pair<std::uint32_t, LinkType> expected[] = {{1, LinkType::ethernet},
                                                         {0, LinkType::null_host},
                                                         {108, LinkType::null_host},
                                                         {101, LinkType::raw_ip},
                                                         {12, LinkType::raw_ip},
                                                         {14, LinkType::raw_ip},
                                                         {228, LinkType::ipv4},
                                                         {229, LinkType::ipv6},
                                                         {113, LinkType::linux_cooked_v1},
                                                         {276, LinkType::linux_cooked_v2},
                                                         {9, LinkType::unsupported}};
  for (const auto& [dlt, link] : expected) {
    ClassicFile file(Order::big, ClassicFile::kMicroseconds, dlt);
    file.record(0, 0, "x");
    const Story story = read_all(file.content());
    ASSERT_EQ(story.frames.size(), 1U);
    EXPECT_EQ(story.frames[0].frame.link, link) << dlt;
    EXPECT_EQ(story.frames[0].frame.dlt, dlt);
  }
}

TEST(Classic, ChecksumLengthBesideTheLinkTypeIsIgnored) {
  ClassicFile file(Order::little, ClassicFile::kMicroseconds, 0x44000001);
  file.record(0, 0, "x");
  EXPECT_EQ(read_all(file.content()).frames.at(0).frame.link, LinkType::ethernet);
}

TEST(Classic, WireSizeIsNeverLessThanTheBytesPresent) {
  ClassicFile file(Order::little);
  file.header(0, 0, 4, 1).text("abcd");
  EXPECT_EQ(read_all(file.content()).frames.at(0).frame.wire_size, 4U);
}

TEST(Classic, OldVersionsMayHaveTheLengthsSwapped) {
  ClassicFile file(Order::little, ClassicFile::kMicroseconds, 1, 2);
  file.header(0, 0, 60, 3).text("abc");
  const Story story = read_all(file.content());
  ASSERT_EQ(story.frames.size(), 1U) << message_of(story);
  EXPECT_EQ(story.frames[0].text, "abc");
  EXPECT_EQ(story.frames[0].frame.wire_size, 60U);
}

TEST(Classic, UnknownMajorVersionIsRefused) {
  Builder file(Order::little);
  file.u32(ClassicFile::kMicroseconds).u16(5).u16(1).u64(0).u64(0);
  EXPECT_EQ(message_of(read_all(file.content())),
            "memory: is a pcap file of version 5.1, only version 2 is known");
}

TEST(Classic, TruncatedAnywhereGivesTheWholeRecordsBeforeAndTheCutOnesOffset) {
  for (const std::uint32_t magic : {ClassicFile::kMicroseconds, ClassicFile::kModified}) {
    ClassicFile file(Order::big, magic);
    file.record(1, 0, "aaaa").record(2, 0, "").record(3, 0, "bbbbbbb");
    std::vector<std::size_t> ends(file.starts.begin() + 1, file.starts.end());
    ends.push_back(file.size());
    for (std::size_t size = 24; size <= file.size(); ++size) {
      Content cut(file.content().begin(), file.content().begin() + static_cast<long>(size));
      const Story story = read_all(cut);
      const auto whole =
          static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), size) - ends.begin());
      EXPECT_EQ(story.frames.size(), whole) << size;
      const bool at_a_border = size == (whole == 0 ? 24 : ends[whole - 1]);
      ASSERT_EQ(story.error.has_value(), !at_a_border) << size << message_of(story);
      if (story.error) {
        EXPECT_EQ(story.error->offset, file.starts[whole]) << size;
      }
    }
  }
}

TEST(Classic, TruncatedFileHeaderIsRefused) {
  const ClassicFile file(Order::little);
  for (std::size_t size = 4; size < 24; ++size) {
    Content cut(file.content().begin(), file.content().begin() + static_cast<long>(size));
    EXPECT_EQ(message_of(read_all(cut)),
              "memory: its header claims 24 bytes, the file ends after " + std::to_string(size));
  }
}

TEST(Classic, TruncatedRecordIsNamedWithItsNumbers) {
  ClassicFile file(Order::little);
  file.record(0, 0, "whole").header(0, 0, 70'000, 70'000).text("twelve bytes");
  EXPECT_EQ(message_of(read_all(file.content())),
            "memory: byte 45: record 2 claims 70000 bytes, the file ends after 12");
}

TEST(Classic, HugeLengthIsRefusedWithoutTakingMemory) {
  ClassicFile file(Order::little);
  file.record(0, 0, "whole").header(0, 0, 0xfffffff0, 0xfffffff0).text("rest");
  const Story story = read_all(file.content());
  EXPECT_EQ(story.frames.size(), 1U);
  EXPECT_EQ(message_of(story),
            "memory: byte 45: record 2 claims 4294967280 bytes, more than the limit of 16777216");
}

TEST(Classic, RecordLargerThanTheWindowIsRead) {
  const std::string large(kWindowSize * 3 + 5, 'L');
  ClassicFile file(Order::little);
  file.record(0, 0, "before").record(0, 0, large).record(0, 0, "after");
  const Story story = read_all(file.content());
  ASSERT_EQ(story.frames.size(), 3U) << message_of(story);
  EXPECT_EQ(story.frames[1].text, large);
  EXPECT_EQ(story.frames[2].text, "after");
}

TEST(Classic, RecordAtTheLimitIsReadAndOneByteMoreIsNot) {
  ClassicFile at_limit(Order::little);
  at_limit.record(0, 0, std::string(kMaxRecordSize, 'x')).record(0, 0, "after");
  EXPECT_EQ(read_all(at_limit.content()).frames.size(), 2U);
  ClassicFile above(Order::little);
  above.record(0, 0, std::string(kMaxRecordSize + 1, 'x'));
  EXPECT_EQ(read_all(above.content()).frames.size(), 0U);
}

TEST(Classic, BurstsAndPiecesOfAnySizeGiveTheSameFrames) {
  ClassicFile file(Order::little);
  for (std::uint32_t i = 0; i < 300; ++i) file.record(i, 0, std::string(i % 97, 'x'));
  for (const std::size_t burst : {1U, 7U, 256U}) {
    for (const std::size_t piece : {1U, 13U, 4096U}) {
      const Story story = read_all(file.content(), burst, piece);
      ASSERT_EQ(story.frames.size(), 300U);
      EXPECT_FALSE(story.error);
      EXPECT_EQ(story.frames[299].frame.offset, file.starts[299]);
      EXPECT_EQ(story.frames[299].text.size(), 299U % 97);
    }
  }
}

}  // namespace
}  // namespace uct::capture::testing
