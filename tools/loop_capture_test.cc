// Runs bin/loop_capture as a user does, and reads what it made.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "ports/capture/reader.h"
#include "ports/capture/writer.h"

namespace uct::capture {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProgram = UCT_BINARY_DIR "/bin/loop_capture";

// A folder of its own with one capture of two frames: a datagram and its answer a second later.
class LoopCapture : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(kProgram)) GTEST_SKIP() << kProgram << " is not built";
    fs::create_directory(folder_);
    write(in_, 1);
  }
  ~LoopCapture() override { fs::remove_all(folder_); }

  static void write(const std::string& path, std::uint32_t dlt) {
    Writer writer = Writer::create(path, {.dlt = dlt}).value();
    writer.write(datagram(1, 2), timestamp_from_ns(10'000'000'000));
    writer.write(datagram(2, 1), timestamp_from_ns(11'000'000'000));
    writer.close();
  }

  // From 10.0.0.`from` to 10.0.0.`to`, without a UDP checksum.
  static std::vector<std::byte> datagram(std::uint8_t from, std::uint8_t to) {
    std::vector<std::byte> frame(42);
    frame[12] = std::byte{8};
    frame[14] = std::byte{0x45};
    frame[23] = std::byte{17};
    frame[26] = frame[30] = std::byte{10};
    frame[29] = std::byte{from};
    frame[33] = std::byte{to};
    return frame;
  }

  int run(const std::string& arguments) const {
    const std::string command =
        kProgram + (" " + arguments) + " >" + folder_.string() + "/log 2>&1";
    const int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  const fs::path folder_ =
      fs::temp_directory_path() / ("uct_loop_capture_test_" + std::to_string(::getpid()));
  const std::string in_ = folder_ / "in.pcap";
  const std::string out_ = folder_ / "out.pcap";
};

TEST_F(LoopCapture, RoundsHaveOtherAddressesAndTimesGoOn) {
  ASSERT_EQ(run("--size 10K " + out_ + " " + in_), 0);
  EXPECT_GE(fs::file_size(out_), 10'000U);
  EXPECT_LT(fs::file_size(out_), 10'100U);
  Reader reader = Reader::open(out_).value();
  std::set<std::string> sources;
  Timestamp latest{};
  std::array<Frame, 256> frames;
  while (const std::size_t count = reader.next_burst(frames)) {
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_GT(frames[i].time, latest);
      latest = frames[i].time;
      sources.emplace(reinterpret_cast<const char*>(frames[i].bytes.data()) + 26, 4);
    }
  }
  EXPECT_FALSE(reader.error());
  EXPECT_EQ(sources.size(), (fs::file_size(out_) - 24) / 58) << "each frame has its own source";
}

TEST_F(LoopCapture, OtherLinkTypesAreLeftOut) {
  const std::string other = folder_ / "raw.pcap";
  write(other, 101);
  EXPECT_EQ(run("--size 1K " + out_ + " " + other), 5) << "nothing to repeat";
  EXPECT_EQ(run("--size 1K " + out_ + " " + other + " " + in_), 0);
}

TEST_F(LoopCapture, MistakesHaveTheirOwnExitCodes) {
  EXPECT_EQ(run(""), 2);
  EXPECT_EQ(run("--size 10X " + out_ + " " + in_), 2);
  EXPECT_EQ(run("--size 10K " + out_ + " /nowhere.pcap"), 5);
  EXPECT_EQ(run("--size 10K /nowhere/out.pcap " + in_), 6);
}

}  // namespace
}  // namespace uct::capture
