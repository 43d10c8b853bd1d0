#include "ports/capture/writer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "ports/capture/capture_builder.h"

namespace uct::capture::testing {
namespace {

// Writes to a file of its own and reads it back.
class WriterTest : public ::testing::Test {
 protected:
  ~WriterTest() override { ::unlink(path_.c_str()); }

  Story read_back() const {
    Reader reader = Reader::open(path_).value();
    return read_all(reader);
  }

  const std::string path_ =
      std::filesystem::temp_directory_path() / ("uct_writer_test_" + std::to_string(::getpid()));
};

TEST_F(WriterTest, WhatIsWrittenIsReadBack) {
  Writer writer = Writer::create(path_, {.dlt = 101}).value();
  EXPECT_TRUE(writer.write(content_of("first"), timestamp_from_ns(1'000'002'999), 1500));
  EXPECT_TRUE(writer.write({}, timestamp_from_ns(2'000'000'000)));
  EXPECT_TRUE(writer.close());
  EXPECT_EQ(writer.size(), std::filesystem::file_size(path_));
  const Story story = read_back();
  ASSERT_EQ(story.frames.size(), 2U) << message_of(story);
  EXPECT_EQ(story.frames[0].text, "first");
  EXPECT_EQ(story.frames[0].frame.wire_size, 1500U);
  EXPECT_EQ(story.frames[0].frame.link, LinkType::raw_ip);
  EXPECT_EQ(ns_of(story.frames[0]), 1'000'002'000);
  EXPECT_FALSE(story.error);
}

TEST_F(WriterTest, NanosecondsAreKeptOnRequest) {
  Writer writer = Writer::create(path_, {.nanoseconds = true}).value();
  writer.write(content_of("x"), timestamp_from_ns(1'700'000'000'123'456'789));
  writer.close();
  EXPECT_EQ(ns_of(read_back().frames.at(0)), 1'700'000'000'123'456'789);
}

TEST_F(WriterTest, TimesThatTheFormatCannotHoldAreMovedToItsEnds) {
  Writer writer = Writer::create(path_, {.nanoseconds = true}).value();
  writer.write(content_of("x"), Timestamp::min());
  writer.write(content_of("x"), Timestamp::max());
  writer.close();
  const Story story = read_back();
  EXPECT_EQ(ns_of(story.frames.at(0)), 0);
  EXPECT_EQ(ns_of(story.frames.at(1)), 4'294'967'295'999'999'999);
}

TEST(Writer, FileThatCannotBeMadeIsNamed) {
  const auto writer = Writer::create("/nowhere/x.pcap");
  ASSERT_FALSE(writer.ok());
  EXPECT_EQ(writer.error(), "/nowhere/x.pcap: No such file or directory");
}

TEST(Writer, FullDiskIsAnErrorAndStaysOne) {
  auto created = Writer::create("/dev/full");
  ASSERT_TRUE(created.ok());
  Writer writer = std::move(created).value();
  const Content large(1 << 20);
  const bool written = writer.write(large, Timestamp{}) && writer.write(large, Timestamp{});
  EXPECT_FALSE(written && writer.close());
  EXPECT_EQ(writer.error(), "/dev/full: No space left on device");
  EXPECT_FALSE(writer.write(large, Timestamp{}));
}

}  // namespace
}  // namespace uct::capture::testing
