#include "cli/format_json.h"

#include "cli/durations.h"
#include "cli/tuple_text.h"

namespace uct::cli {

namespace {

void write_address(JsonWriter& json, std::string_view key, const Address& address) {
  Text text;
  append_address(text, address);
  json.field(key, view(text));
}

void write_way(JsonWriter& json, std::string_view key, const Tuple& tuple,
               const Counters& counters) {
  json.begin(key);
  write_json_tuple(json, tuple);
  json.field("packets", counters.packets).field("bytes", counters.bytes);
  json.end();
}

void write_peer(JsonWriter& json, std::string_view key, const TcpPeerInfo& peer) {
  json.begin(key);
  json.field("end", peer.end).field("max_end", peer.max_end).field("max_ack", peer.max_ack);
  json.field("max_window_bytes", peer.max_window);
  if (peer.window_scale_known) {
    json.field("window_scale", peer.window_scale);
  } else {
    json.null("window_scale");
  }
  json.end();
}

void write_label(JsonWriter& json, const Label& label) {
  Text text;
  append(text, "0x");
  for (const std::uint8_t byte : label) fmt::format_to(fmt::appender(text), "{:02x}", byte);
  json.field("label", view(text));
}

/// Writes a connection as it is at `now` into the object that is open.
void write_connection(JsonWriter& json, const ConnectionInfo& info, Timestamp now) {
  json.field("id", info.id).field("zone", info.zone);
  json.field("protocol", to_string(info.protocol));
  json.field("protocol_number", static_cast<unsigned>(info.protocol));
  json.field("state", state_name(info));
  write_way(json, "original", info.original, info.counters[0]);
  write_way(json, "reply", info.reply, info.counters[1]);
  json.field("seen_reply", info.seen_reply).field("assured", info.assured);
  json.field("picked_up", info.picked_up).field("mark", info.mark);
  if (info.source_translated || info.destination_translated) {
    json.field("source_translated", info.source_translated);
    json.field("destination_translated", info.destination_translated);
  }
  write_label(json, info.label);
  json.time("start", info.start).time("last_seen", info.last_seen);
  json.seconds("age_seconds", between(info.start, now));
  json.seconds("timeout_seconds", info.timeout);
  json.seconds("timeout_left_seconds", between(now, info.expires));
  if (info.protocol != Protocol::tcp) return;
  json.begin("tcp");
  write_peer(json, "original", info.tcp[0]);
  write_peer(json, "reply", info.tcp[1]);
  json.end();
}

void write_protocols(JsonWriter& json, const Stats& stats) {
  json.begin("connections");
  for (std::size_t i = 0; i < kProtocolGroupCount; ++i) {
    const ProtocolStats& of = stats.protocols[i];
    if (of.opened == 0) continue;
    json.begin(name(static_cast<ProtocolGroup>(i)));
    json.field("opened", of.opened).field("expired", of.expired).field("removed", of.removed);
    json.field("live", of.live);
    json.end();
  }
  json.end();
}

void write_reasons(JsonWriter& json, const Stats& stats) {
  json.begin("reasons");
  for (std::size_t i = 1; i < kReasonCount; ++i) {
    if (stats.reasons[i] != 0) json.field(name(static_cast<Reason>(i)), stats.reasons[i]);
  }
  json.end();
}

}  // namespace

void write_json_tuple(JsonWriter& json, const Tuple& tuple) {
  write_address(json, "source", tuple.source);
  write_address(json, "destination", tuple.destination);
  if (has_ports(tuple.protocol)) {
    json.field("source_port", tuple.source_port);
    json.field("destination_port", tuple.destination_port);
  } else if (has_icmp_id(tuple.protocol)) {
    json.field("icmp_type", tuple.icmp_type).field("icmp_code", tuple.icmp_code);
    json.field("icmp_id", tuple.icmp_id);
  }
}

void append_json_metainfo(Text& out, std::string_view file, const TrackOptions& options) {
  JsonWriter json(out);
  json.begin().field("type", "metainfo").field("schema", "uct.track");
  json.field("version", kJsonVersion).field("program", "uct").field("program_version", UCT_VERSION);
  json.field("file", file);
  json.field("clock", options.clock == ClockMode::capture ? "capture" : "frozen");
  json.field("zone", options.zone).field("commit", options.commit);
  json.field("filter", options.filter);
  json.end_line();
}

void append_json_connection(Text& out, const ConnectionInfo& info, Timestamp now) {
  JsonWriter json(out);
  json.begin().field("type", "connection");
  write_connection(json, info, now);
  json.end_line();
}

void append_json_event(Text& out, const Event& event) {
  JsonWriter json(out);
  json.begin().field("type", "event").field("event", name(event.kind));
  if (event.kind == EventKind::destroyed) json.field("cause", name(event.cause));
  json.time("time", event.time);
  write_connection(json, event.connection, event.time);
  json.end_line();
}

void append_json_summary(Text& out, const RunFacts& facts) {
  const Stats& stats = facts.stats;
  JsonWriter json(out);
  json.begin().field("type", "summary").field("file", facts.file);
  json.field("complete", facts.error.empty());
  if (!facts.error.empty()) {
    json.field("error", facts.error).field("error_offset_bytes", facts.error_offset_bytes);
  }
  json.field("frames_read", facts.frames_read).field("packets", facts.frames_tracked);
  json.field("bytes", stats.bytes);
  json.time("first", facts.first).time("last", facts.last);
  json.begin("states");
  json.field("new", stats.new_).field("established", stats.established);
  json.field("related", stats.related).field("reply", stats.reply);
  json.field("invalid", stats.invalid).field("untracked", stats.untracked);
  json.end();
  write_protocols(json, stats);
  write_reasons(json, stats);
  json.seconds("elapsed_seconds", std::chrono::duration_cast<Duration>(facts.elapsed));
  json.field("packets_per_second", static_cast<std::uint64_t>(facts.packets_per_second()));
  json.field("ns_per_packet", static_cast<std::uint64_t>(facts.ns_per_packet()));
  json.field("table_bytes", stats.memory_bytes);
  json.field("peak_memory_bytes", facts.peak_memory_bytes);
  json.end_line();
}

}  // namespace uct::cli
