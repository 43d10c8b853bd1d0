// uct track --nat --write, on every capture of the tree: what is written is what a gateway would
// send, so a second look at it finds the same states and every checksum right.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "cli/track.h"

namespace uct::cli {
namespace {

const std::string kCaptures = std::string(UCT_SOURCE_DIR) + "/tests/captures/";

struct Ran {
  int exit_code = 0;
  std::string out;
  std::string errors;
};

Ran run(const std::vector<std::string>& words) {
  std::vector<const char*> arguments;
  for (const std::string& word : words) arguments.push_back(word.c_str());
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  Ran ran;
  ran.exit_code = track(arguments);
  ran.out = ::testing::internal::GetCapturedStdout();
  ran.errors = ::testing::internal::GetCapturedStderr();
  return ran;
}

/// The verdicts of --packets without what is said of translation.
std::vector<std::string> states(const std::string& out) {
  std::vector<std::string> lines;
  std::istringstream text(out);
  for (std::string line; std::getline(text, line);) {
    for (const char* flag : {"|snat", "|dnat"}) {
      if (const std::size_t at = line.find(flag); at != std::string::npos) line.erase(at, 5);
    }
    lines.push_back(line);
  }
  return lines;
}

class TrackNat : public ::testing::Test {
 protected:
  ~TrackNat() override { std::filesystem::remove(written_); }

  /// One for each test: they may run at the same time.
  const std::string written_ = ::testing::TempDir() +
                               ::testing::UnitTest::GetInstance()->current_test_info()->name() +
                               ".pcap";
};

TEST_F(TrackNat, EveryCaptureKeepsItsStatesAndChecksums) {
  std::size_t translated = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kCaptures)) {
    const std::string path = entry.path().string();
    if (path.find(".pcap") == std::string::npos) continue;
    for (const char* const addresses : {"203.0.113.0/30", "[2001:db8:9::/126]"}) {
      const std::string spec = "src " + std::string(addresses) + ":1024-65535, persistent";
      const auto plain = states(run({"--packets", path}).out);
      const Ran once = run({"--packets", "--nat", spec, "--write", written_, path});
      ASSERT_EQ(once.exit_code, 0) << path << once.errors;
      EXPECT_EQ(states(once.out), plain) << path;
      if (once.out.find("snat") != std::string::npos) ++translated;
      // uct verifies every checksum of what it reads.
      EXPECT_EQ(states(run({"--packets", written_}).out), plain) << path;
    }
  }
  EXPECT_GT(translated, 50U) << "captures in which something was translated";
}

TEST_F(TrackNat, WhatCannotBeTranslatedIsNotWritten) {
  // Twelve questions from as many ports, and two ports for them.
  const Ran ran = run(
      {"--nat", "src 203.0.113.9:5000-5001", "--write", written_, kCaptures + "dns-burst.pcap"});
  EXPECT_NE(ran.out.find("nat_exhausted"), std::string::npos) << ran.out;
  const Ran written = run({"-o", "json", written_});
  EXPECT_NE(written.out.find("\"original\":{\"source\":\"203.0.113.9\""), std::string::npos);
  EXPECT_EQ(written.out.find("\"original\":{\"source\":\"192.0.2.2\""), std::string::npos)
      << "left as they were";
}

TEST_F(TrackNat, ErrorsNameTheFileAndTheNextStep) {
  const std::string capture = kCaptures + "dns.pcap";
  const Ran folder = run({"--nat", "src 1.2.3.4", "--write", "/no/such/folder/x.pcap", capture});
  EXPECT_EQ(folder.exit_code, 5);
  EXPECT_NE(folder.errors.find("/no/such/folder/x.pcap"), std::string::npos) << folder.errors;
  EXPECT_NE(folder.errors.find("give --write another file"), std::string::npos);
  const Ran two = run({"--write", written_, capture, capture});
  EXPECT_EQ(two.exit_code, 2);
  EXPECT_NE(two.errors.find("name one file"), std::string::npos) << two.errors;
  const Ran nothing = run({"--nat", "src 1.2.3.4", "--no-commit", capture});
  EXPECT_EQ(nothing.exit_code, 2);
  EXPECT_NE(nothing.errors.find("give one of them"), std::string::npos) << nothing.errors;
  EXPECT_EQ(run({"--nat", "scr 1.2.3.4", capture}).exit_code, 2);
}

}  // namespace
}  // namespace uct::cli
