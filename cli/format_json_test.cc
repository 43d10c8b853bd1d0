#include "cli/format_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/samples_test.h"

namespace uct::cli::testing {
namespace {

using nlohmann::json;

template <typename Append>
json parsed(Append&& append) {
  const std::string line = text_of(append);
  EXPECT_TRUE(line.ends_with("}\n"));
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  return json::parse(line);
}

TEST(JsonLines, MetainfoNamesSchemaAndVersion) {
  TrackOptions options;
  options.filter = "port \"80\"";
  const json line = parsed([&](Text& out) { append_json_metainfo(out, "a.pcap", options); });
  EXPECT_EQ(line["type"], "metainfo");
  EXPECT_EQ(line["schema"], "uct.track");
  EXPECT_EQ(line["version"], 1);
  EXPECT_EQ(line["file"], "a.pcap");
  EXPECT_EQ(line["filter"], "port \"80\"");
}

TEST(JsonLines, ConnectionHasUnitsInItsKeys) {
  ConnectionInfo info = closed_tcp();
  info.tcp[0].window_scale_known = true;
  info.tcp[0].window_scale = 7;
  const json line = parsed([&](Text& out) { append_json_connection(out, info, at(2.5)); });
  EXPECT_EQ(line["type"], "connection");
  EXPECT_EQ(line["protocol"], "tcp");
  EXPECT_EQ(line["state"], "TIME_WAIT");
  EXPECT_EQ(line["original"]["source"], "10.9.0.1");
  EXPECT_EQ(line["original"]["source_port"], 53636);
  EXPECT_EQ(line["reply"]["bytes"], 269);
  EXPECT_EQ(line["assured"], true);
  EXPECT_EQ(line["start"], "2026-11-23T10:00:00.000Z");
  EXPECT_DOUBLE_EQ(line["age_seconds"], 2.5);
  EXPECT_DOUBLE_EQ(line["timeout_seconds"], 120);
  EXPECT_DOUBLE_EQ(line["timeout_left_seconds"], 118.5);
  EXPECT_EQ(line["tcp"]["original"]["window_scale"], 7);
  EXPECT_TRUE(line["tcp"]["reply"]["window_scale"].is_null());
}

TEST(JsonLines, OnlyWhatAProtocolHasIsThere) {
  const ConnectionInfo info = echo(Protocol::icmpv6, "fd00::1", "fd00::2", 128, 129, 9);
  const json line = parsed([&](Text& out) { append_json_connection(out, info, at(0)); });
  EXPECT_EQ(line["reply"]["icmp_type"], 129);
  EXPECT_FALSE(line["original"].contains("source_port"));
  EXPECT_FALSE(line.contains("tcp"));
}

TEST(JsonLines, DestroyedEventsSayWhy) {
  Event event{EventKind::destroyed, DestroyCause::expired, at(121), closed_tcp()};
  json line = parsed([&](Text& out) { append_json_event(out, event); });
  EXPECT_EQ(line["event"], "destroyed");
  EXPECT_EQ(line["cause"], "expired");
  EXPECT_EQ(line["time"], "2026-11-23T10:02:01.000Z");
  event.kind = EventKind::created;
  line = parsed([&](Text& out) { append_json_event(out, event); });
  EXPECT_FALSE(line.contains("cause"));
}

TEST(JsonLines, SummaryTellsWhetherTheFileWasWhole) {
  RunFacts facts;
  facts.file = "a.pcap";
  facts.stats.invalid = 2;
  facts.stats.reasons[static_cast<std::size_t>(Reason::tcp_checksum)] = 2;
  facts.stats.protocols[0] = {5, 3, 1, 1};
  json line = parsed([&](Text& out) { append_json_summary(out, facts); });
  EXPECT_EQ(line["complete"], true);
  EXPECT_EQ(line["states"]["invalid"], 2);
  EXPECT_EQ(line["reasons"]["tcp_checksum"], 2);
  EXPECT_EQ(line["connections"]["tcp"]["expired"], 3);
  facts.error = "a.pcap: byte 99: record 3 claims 60 bytes";
  facts.error_offset_bytes = 99;
  line = parsed([&](Text& out) { append_json_summary(out, facts); });
  EXPECT_EQ(line["complete"], false);
  EXPECT_EQ(line["error_offset_bytes"], 99);
}

}  // namespace
}  // namespace uct::cli::testing
