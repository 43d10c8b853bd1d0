#include "cli/summary.h"

#include "cli/progress.h"
#include "cli/samples_test.h"

namespace uct::cli::testing {
namespace {

std::string counted(std::uint64_t count) {
  return text_of([&](Text& out) { append_count(out, count); });
}

std::string sized(std::uint64_t bytes) {
  return text_of([&](Text& out) { append_size(out, bytes); });
}

TEST(Summary, CountsInGroupsOfThree) {
  EXPECT_EQ(counted(0), "0");
  EXPECT_EQ(counted(999), "999");
  EXPECT_EQ(counted(1'000), "1,000");
  EXPECT_EQ(counted(1'234'567), "1,234,567");
}

TEST(Summary, SizesInPowersOf1024) {
  EXPECT_EQ(sized(0), "0 B");
  EXPECT_EQ(sized(1'536), "1.5 KiB");
  EXPECT_EQ(sized(std::uint64_t{5} << 30), "5.0 GiB");
  EXPECT_EQ(sized(~std::uint64_t{0}), "16384.0 PiB");
}

RunFacts facts() {
  RunFacts facts;
  facts.frames_read = 12;
  facts.frames_tracked = 10;
  facts.first = at(0);
  facts.last = at(3.5);
  facts.elapsed = std::chrono::microseconds(2);
  facts.stats.bytes = 2'048;
  facts.stats.new_ = 3;
  facts.stats.invalid = 1'200;
  facts.stats.reasons[static_cast<std::size_t>(Reason::tcp_checksum)] = 2;
  facts.stats.reasons[static_cast<std::size_t>(Reason::not_ip)] = 1'200;
  facts.stats.protocols[0] = {5, 3, 1, 1};
  facts.stats.memory_bytes = 1'024;
  facts.peak_memory_bytes = 2'097'152;
  return facts;
}

TEST(Summary, SaysWhatHappenedAndWhy) {
  EXPECT_EQ(text_of([](Text& out) { append_summary(out, facts(), Style()); }),
            "  packets      10 of 12, 2.0 KiB, 3.5s of capture time\n"
            "  by state     new 3, established 0, related 0, reply 0, invalid 1,200, untracked 0\n"
            "  connections  tcp      opened 5, expired 3, live 1, replaced 1\n"
            "  reasons      1,200  not_ip        the frame does not carry IPv4 or IPv6\n"
            "                   2  tcp_checksum  the TCP checksum is wrong\n"
            "  speed        5.00 M packets/s, 200 ns a packet (reading included)\n"
            "  memory       1.0 KiB for connections, 2.0 MiB for the whole process\n");
}

TEST(Summary, OfNothingDividesByNothing) {
  const std::string text = text_of([](Text& out) { append_summary(out, RunFacts(), Style()); });
  EXPECT_NE(text.find("connections  none\n"), std::string::npos) << text;
  EXPECT_NE(text.find("0.00 M packets/s, 0 ns"), std::string::npos) << text;
}

std::string bar(std::optional<std::uint64_t> bytes_max, unsigned width) {
  return text_of([&](Text& out) {
    append_bar(out, "a.pcap", {50, bytes_max, 8'000'000}, std::chrono::seconds(2), width);
  });
}

TEST(Progress, ShowsPartPacketsAndRate) {
  EXPECT_EQ(bar(100, 100),
            "[###############...............]  50 %  8.0 M packets  4.0 M/s  a.pcap");
  EXPECT_EQ(bar(std::nullopt, 100), "8.0 M packets  4.0 M/s  a.pcap");
}

TEST(Progress, NeverWiderThanTheTerminal) {
  EXPECT_EQ(bar(100, 12), " 50 %  8.0 M");
  EXPECT_EQ(bar(0, 100), "8.0 M packets  4.0 M/s  a.pcap");
}

}  // namespace
}  // namespace uct::cli::testing
