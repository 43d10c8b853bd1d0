// The command from end to end, on captures of the tree.
#include "cli/track.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

namespace uct::cli {
namespace {

const std::string kCaptures = std::string(UCT_SOURCE_DIR) + "/tests/captures/";

struct Ran {
  int exit_code = 0;
  std::string out;
  std::string errors;

  std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    std::istringstream text(out);
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }
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

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// A copy of the first bytes of a capture, removed at the end of the test.
class CutCapture {
 public:
  CutCapture(const std::string& name, std::size_t size) : path_(::testing::TempDir() + "cut.pcap") {
    std::filesystem::copy_file(kCaptures + name, path_,
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(path_, size);
  }
  CutCapture(const CutCapture&) = delete;
  CutCapture& operator=(const CutCapture&) = delete;
  ~CutCapture() { std::filesystem::remove(path_); }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(Track, PacketLinesAreInCaptureOrderFromOne) {
  const Ran ran = run({"--packets", kCaptures + "refused.pcap"});
  EXPECT_EQ(ran.exit_code, 0);
  const std::vector<std::string> lines = ran.lines();
  ASSERT_EQ(lines.size(), 16U);
  EXPECT_EQ(lines[4], "5: untracked");
  EXPECT_EQ(lines[6], "7: new|trk");
  EXPECT_EQ(lines[7], "8: est|rpl|trk");
  EXPECT_EQ(lines[13], "14: rel|rpl|trk");
  EXPECT_EQ(ran.errors, "");
}

TEST(Track, ExplanationsShowStates) {
  const Ran ran = run({"--explain", kCaptures + "refused.pcap"});
  EXPECT_TRUE(contains(ran.out,
                       "\n7: new|trk  tcp 192.0.2.2:39964 -> 198.51.100.2:81  "
                       "(none) -> SYN_SENT\n"
                       "8: est|rpl|trk  tcp 198.51.100.2:81 -> 192.0.2.2:39964  "
                       "SYN_SENT -> CLOSE\n"));
}

TEST(Track, ConnectionsComeInTheOrderOfOpening) {
  const Ran ran = run({"-o", "json", kCaptures + "dns.pcap"});
  EXPECT_EQ(ran.exit_code, 0);
  std::vector<nlohmann::json> objects;
  for (const std::string& line : ran.lines()) objects.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(objects.size(), 18U);
  EXPECT_EQ(objects.front()["type"], "metainfo");
  EXPECT_EQ(objects.back()["type"], "summary");
  EXPECT_EQ(objects.back()["connections"]["udp"]["opened"], 12);
  EXPECT_TRUE(std::is_sorted(objects.begin() + 1, objects.end() - 1,
                             [](const auto& a, const auto& b) { return a["start"] < b["start"]; }));
}

TEST(Track, TimeoutsExpireByCaptureTimeUnlessFrozen) {
  std::vector<std::string> words = {"--events", "--timeout", "other.bidir=1ms",
                                    kCaptures + "dns.pcap"};
  const Ran expired = run(words);
  const auto count = [](const Ran& ran, std::string_view part) {
    const std::vector<std::string> lines = ran.lines();
    return std::count_if(lines.begin(), lines.end(),
                         [&](const std::string& line) { return contains(line, part); });
  };
  EXPECT_EQ(count(expired, "    [NEW] udp "), 12);
  EXPECT_GE(count(expired, "[DESTROY] udp      17 src="), 11);
  words.push_back("--clock=frozen");
  const Ran frozen = run(words);
  EXPECT_EQ(count(frozen, "[DESTROY]"), 0);
  EXPECT_TRUE(contains(frozen.errors, "flow events have been shown."));
}

TEST(Track, FiltersAndRangesKeepThePacketsNumbers) {
  EXPECT_EQ(run({"--packets", "--filter", "tcp port 81 and ip", kCaptures + "refused.pcap"}).out,
            "7: new|trk\n8: est|rpl|trk\n");
  EXPECT_EQ(run({"--packets", "--from", "#7", "--to", "#8", kCaptures + "refused.pcap"}).out,
            "7: new|trk\n8: est|rpl|trk\n");
}

// More frames than a burst has, many of a millisecond; a filter that keeps all takes another way.
TEST(Track, ChoosingEveryPacketIsAsChoosingNone) {
  const std::string capture = kCaptures + "iperf3.pcap";
  for (const std::string shown : {"--packets", "--explain", "--events"}) {
    const Ran all = run({shown, capture});
    ASSERT_GT(all.lines().size(), 0U);
    EXPECT_EQ(run({shown, "--filter", "greater 1", capture}).out, all.out) << shown;
    EXPECT_EQ(run({shown, "--from", "#1", capture}).out, all.out) << shown;
  }
  const Ran some = run({"--packets", "--from", "#200", "--to", "#400", capture});
  ASSERT_EQ(some.lines().size(), 201U);
  for (std::size_t i = 0; i < 201; ++i) {
    EXPECT_TRUE(some.lines()[i].starts_with(std::to_string(200 + i) + ": ")) << i;
  }
}

TEST(Track, NothingMatchedIsExitOne) {
  EXPECT_EQ(run({"--filter", "tcp port 4", kCaptures + "refused.pcap"}).exit_code, 1);
  EXPECT_EQ(run({"--from", "#9999", kCaptures + "refused.pcap"}).exit_code, 1);
}

TEST(Track, UsageIsExitTwo) {
  EXPECT_EQ(run({"--bogus"}).exit_code, 2);
  const Ran ran = run({"--filter", "tcp port port", kCaptures + "refused.pcap"});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_TRUE(contains(ran.errors, "no capture filter"));
}

TEST(Track, UnreadableFilesAreNamedAndTheOthersTracked) {
  const Ran ran = run({"/nonexistent.pcap", kCaptures + "refused.pcap"});
  EXPECT_EQ(ran.exit_code, 5);
  EXPECT_TRUE(contains(ran.errors, "uct track: /nonexistent.pcap: cannot be opened: No such file"));
  EXPECT_TRUE(contains(ran.out, "refused.pcap <==\n"));
  EXPECT_TRUE(contains(ran.out, "tcp    CLOSE  192.0.2.2:39964 -> 198.51.100.2:81"));
}

TEST(Track, CutCapturesPrintWhatWasReadThenTheOffset) {
  const CutCapture cut("refused.pcap", 700);
  const Ran ran = run({"-o", "json", cut.path()});
  EXPECT_EQ(ran.exit_code, 5);
  const auto summary = nlohmann::json::parse(ran.lines().back());
  EXPECT_EQ(summary["complete"], false);
  const auto frames = summary["frames_read"].get<std::uint64_t>();
  EXPECT_GE(frames, 5U);
  const auto offset = summary["error_offset_bytes"].get<std::uint64_t>();
  EXPECT_LT(offset, 700U);
  EXPECT_TRUE(contains(ran.errors, "byte " + std::to_string(offset)));
  EXPECT_TRUE(contains(ran.errors, "the " + std::to_string(frames) + " packets before it"));
}

TEST(Track, NoCommitKeepsTheTableEmpty) {
  const Ran ran = run({"--no-commit", kCaptures + "refused.pcap"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_TRUE(contains(ran.out, "No connection is left at the end.\n"));
}

TEST(Track, FullTablesRefuseAndSaySo) {
  const Ran ran =
      run({"--explain", "--clock", "frozen", "--max-connections", "1", kCaptures + "refused.pcap"});
  EXPECT_TRUE(contains(ran.out,
                       "11: new|trk  tcp [2001:db8:1::2]:57572 -> [2001:db8:2::2]:81  "
                       "table_full: "));
}

TEST(Track, ForeignFormsKeepStandardOutputForTheirLines) {
  const Ran ran =
      run({"-o", "conntrack", "--zone", "9", kCaptures + "refused.pcap", kCaptures + "dns.pcap"});
  for (const std::string& line : ran.lines()) EXPECT_TRUE(line.ends_with(" zone=9 use=1")) << line;
  EXPECT_TRUE(contains(ran.errors, "(uct track): 4 flow entries have been shown.\n"));
  EXPECT_TRUE(contains(ran.errors, "dns.pcap <==\n"));
}

TEST(Track, ColourOnlyWhenAskedForOffATerminal) {
  EXPECT_FALSE(contains(run({kCaptures + "refused.pcap"}).out, "\x1b["));
  EXPECT_TRUE(contains(run({"--color", "always", kCaptures + "refused.pcap"}).out, "\x1b[1m"));
}

}  // namespace
}  // namespace uct::cli
