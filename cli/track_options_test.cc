#include "cli/track_options.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "cli/track_help.h"

namespace uct::cli {
namespace {

ParsedTrack parse(std::vector<const char*> arguments) { return parse_track(arguments); }

std::string error_of(std::vector<const char*> arguments) {
  const ParsedTrack parsed = parse(std::move(arguments));
  EXPECT_EQ(parsed.exit_code, 2);
  return parsed.message;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string content_of(const char* path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(TrackOptions, DefaultsAreThoseOfTheLibrary) {
  const ParsedTrack parsed = parse({"a.pcap"});
  ASSERT_EQ(parsed.exit_code, std::nullopt) << parsed.message;
  EXPECT_EQ(parsed.options.files, std::vector<std::string>{"a.pcap"});
  EXPECT_TRUE(parsed.options.commit);
  EXPECT_TRUE(parsed.options.reports());
  EXPECT_EQ(parsed.options.clock, ClockMode::capture);
  EXPECT_EQ(parsed.options.max_connections, kDefaultMaxConnections);
}

TEST(TrackOptions, EverythingSet) {
  const ParsedTrack parsed = parse({"-o",
                                    "json",
                                    "--explain",
                                    "--events",
                                    "--clock=frozen",
                                    "--zone",
                                    "65535",
                                    "--no-commit",
                                    "--strict",
                                    "--max-connections",
                                    "7",
                                    "--filter",
                                    "tcp",
                                    "--from",
                                    "#2",
                                    "--to",
                                    "9",
                                    "--timeout",
                                    "tcp.established=1h",
                                    "--timeout",
                                    "icmp.reply=500ms",
                                    "--color",
                                    "never",
                                    "a",
                                    "-",
                                    "b"});
  ASSERT_EQ(parsed.exit_code, std::nullopt) << parsed.message;
  const TrackOptions& options = parsed.options;
  EXPECT_EQ(options.files, (std::vector<std::string>{"a", "-", "b"}));
  EXPECT_EQ(options.form, Form::json);
  EXPECT_TRUE(options.packets && options.explain && options.events && !options.commit);
  EXPECT_EQ(options.clock, ClockMode::frozen);
  EXPECT_EQ(options.color, ColorMode::never);
  EXPECT_EQ(options.zone, 65535);
  EXPECT_EQ(options.max_connections, 7U);
  EXPECT_EQ(options.sequence_check, SequenceCheck::strict);
  EXPECT_EQ(options.filter, "tcp");
  EXPECT_EQ(options.range.from.number, 2U);
  EXPECT_EQ(options.timeouts[TimeoutClass::tcp_established], Duration(3'600'000));
  EXPECT_EQ(options.timeouts[TimeoutClass::icmp_reply], Duration(500));
  EXPECT_EQ(options.timeouts[TimeoutClass::tcp_first], TimeoutPolicy{}[TimeoutClass::tcp_first]);
}

TEST(TrackOptions, BadTimeoutsNameWhatIsWrong) {
  const std::string unknown = error_of({"--timeout", "tcp.estabished=1h", "a"});
  EXPECT_TRUE(contains(unknown, "'tcp.estabished'"));
  EXPECT_TRUE(contains(unknown, "did you mean 'tcp.established'"));
  EXPECT_TRUE(contains(unknown, "sctp.closing"));
  EXPECT_TRUE(contains(error_of({"--timeout", "tcp.first", "a"}), "sets nothing"));
  EXPECT_TRUE(contains(error_of({"--timeout", "tcp.first=soon", "a"}), "'soon'"));
  EXPECT_TRUE(contains(error_of({"--timeout", "tcp.first=0", "a"}), "between 1ms and 20d"));
  EXPECT_TRUE(contains(error_of({"--timeout", "tcp.first=21d", "a"}), "between 1ms and 20d"));
}

TEST(TrackOptions, ErrorsNameTheThing) {
  EXPECT_TRUE(contains(error_of({}), "which capture?"));
  EXPECT_TRUE(contains(error_of({"--exlain", "a"}), "did you mean '--explain'"));
  EXPECT_TRUE(contains(error_of({"-o", "jsn", "a"}), "did you mean 'json'"));
  EXPECT_TRUE(contains(error_of({"--clock", "wall", "a"}), "capture, frozen"));
  EXPECT_TRUE(contains(error_of({"--zone", "65536", "a"}), "--zone"));
  EXPECT_TRUE(contains(error_of({"--zone", "x", "a"}), "--zone"));
  EXPECT_TRUE(contains(error_of({"--max-connections", "0", "a"}), "--max-connections"));
  EXPECT_TRUE(contains(error_of({"--from", "noon", "a"}), "--from cannot be 'noon'"));
  EXPECT_TRUE(contains(error_of({"--strict", "--no-seq-check", "a"}), "contradict"));
  EXPECT_TRUE(contains(error_of({"-", "-"}), "more than once"));
  EXPECT_TRUE(contains(error_of({"--filter"}), "--filter"));
}

TEST(TrackOptions, LinesHaveNoTable) {
  EXPECT_TRUE(contains(error_of({"--packets", "-o", "ovs", "a"}), "-o json"));
  EXPECT_TRUE(contains(error_of({"--events", "-o", "wide", "a"}), "-o json"));
  EXPECT_EQ(parse({"--events", "-o", "conntrack", "a"}).exit_code, std::nullopt);
}

TEST(TrackOptions, HelpManPageAndCompletionKnowEveryOption) {
  const std::string source = UCT_SOURCE_DIR;
  const std::string man = content_of((source + "/docs/man/uct.1.scd").c_str());
  const std::string completion = content_of((source + "/share/completions/uct.bash").c_str());
  for (const std::string& name : track_option_names()) {
    EXPECT_TRUE(contains(std::string(track_help()), name)) << name;
    EXPECT_TRUE(contains(man, name)) << name;
    EXPECT_TRUE(contains(completion, name)) << name;
  }
}

TEST(TrackOptions, HelpFitsAnOldTerminalAndHasExamples) {
  const ParsedTrack parsed = parse({"--help"});
  EXPECT_EQ(parsed.exit_code, 0);
  EXPECT_TRUE(contains(parsed.message, "Examples"));
  std::istringstream lines(parsed.message);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
}

}  // namespace
}  // namespace uct::cli
