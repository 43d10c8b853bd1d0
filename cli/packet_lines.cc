#include "cli/packet_lines.h"

#include "cli/format_json.h"
#include "cli/tuple_text.h"

namespace uct::cli {

namespace {

std::string painted_flags(StateFlags flags, Style style) {
  Text text;
  const std::string words = to_string(flags);
  if (has(flags, StateFlags::invalid)) {
    style.paint(text, Color::red, words);
  } else if (has(flags, StateFlags::new_)) {
    style.paint(text, Color::yellow, words);
  } else if (flags == StateFlags::untracked) {
    style.paint(text, Color::dim, words);
  } else {
    append(text, words);
  }
  return std::string(view(text));
}

/// Gives     whether the tuple is that of a packet quoted in an ICMP error.
bool is_quoted(const Verdict& verdict) {
  if (has(verdict.state, StateFlags::related)) return true;
  return verdict.reason == Reason::icmp_quote_unknown ||
         verdict.reason == Reason::icmp_quote_sequence;
}

void append_states(Text& out, const Verdict& verdict, const Explanation& why) {
  if (verdict.connection == ConnectionHandle::none) return;
  const Protocol protocol = why.tuple.protocol;
  append(out, "  ");
  append(out, why.found ? state_name(protocol, why.state_before) : "(none)");
  append(out, " -> ");
  append(out, state_name(protocol, why.state_after));
  if (why.found && why.committed) append(out, " (anew)");
}

void append_explanation(Text& out, const Verdict& verdict, const Explanation& why) {
  if (why.has_tuple) {
    append(out, is_quoted(verdict) ? "  error about " : "  ");
    append_protocol(out, why.tuple.protocol);
    out.push_back(' ');
    append_tuple(out, why.tuple);
    append_states(out, verdict, why);
  }
  if (verdict.reason == Reason::none) return;
  append(out, "  ");
  append(out, name(verdict.reason));
  append(out, ": ");
  append(out, describe(verdict.reason));
  append_numbers(out, verdict.reason, why);
}

void write_numbers(JsonWriter& json, const Explanation& why) {
  if (why.tcp.judged) {
    json.begin("tcp");
    json.field("seq", why.tcp.seq).field("end", why.tcp.end).field("ack", why.tcp.ack);
    json.field("window_bytes", why.tcp.window);
    json.field("seq_low", why.tcp.seq_low).field("seq_high", why.tcp.seq_high);
    json.field("ack_low", why.tcp.ack_low).field("ack_high", why.tcp.ack_high);
    json.field("exact", why.tcp.exact);
    json.end();
  }
  if (why.has_tuple && why.tuple.protocol == Protocol::sctp) {
    json.begin("sctp");
    json.field("tag", why.sctp_tag).field("tag_expected", why.sctp_tag_expected);
    json.end();
  }
}

void write_explanation(JsonWriter& json, const Verdict& verdict, const Explanation& why) {
  if (verdict.reason != Reason::none) {
    json.field("reason", name(verdict.reason)).field("sentence", describe(verdict.reason));
  }
  if (!why.has_tuple) return;
  json.field("protocol", to_string(why.tuple.protocol));
  json.field("quoted", is_quoted(verdict));
  json.begin("tuple");
  write_json_tuple(json, why.tuple);
  json.end();
  if (verdict.connection != ConnectionHandle::none) {
    const Protocol protocol = why.tuple.protocol;
    json.field("direction", why.direction == Direction::original ? "original" : "reply");
    if (why.found) json.field("state_before", state_name(protocol, why.state_before));
    json.field("state_after", state_name(protocol, why.state_after));
    json.field("opened", why.committed);
  }
  write_numbers(json, why);
}

}  // namespace

void append_numbers(Text& out, Reason reason, const Explanation& explanation) {
  const auto to = fmt::appender(out);
  const TcpNumbers& n = explanation.tcp;
  if (reason == Reason::sctp_tag) {
    fmt::format_to(to, " (tag 0x{:08x}, expected 0x{:08x})", explanation.sctp_tag,
                   explanation.sctp_tag_expected);
  }
  if (!n.judged) return;
  if (reason == Reason::tcp_seq_beyond_window) {
    fmt::format_to(to, " (seq {}, end {}, right edge {}: {} bytes beyond)", n.seq, n.end,
                   n.seq_high, n.seq - n.seq_high);
  } else if (reason == Reason::tcp_ack_unsent) {
    fmt::format_to(to, " (ack {}, at most {}: {} bytes beyond)", n.ack, n.ack_high,
                   n.ack - n.ack_high);
  } else if (reason == Reason::tcp_reset_not_exact) {
    const auto off = static_cast<std::int32_t>(n.seq - n.exact);
    fmt::format_to(to, " (seq {}, exact {}, right edge {}: {} bytes {} the exact one)", n.seq,
                   n.exact, n.seq_high, off < 0 ? n.exact - n.seq : n.seq - n.exact,
                   off < 0 ? "before" : "behind");
  } else {
    fmt::format_to(to, " (seq {}, end {}, ack {})", n.seq, n.end, n.ack);
  }
}

PacketLines::PacketLines(const TrackOptions& options, Style style)
    : json_(options.form == Form::json) {
  for (unsigned value = 0; value < flags_.size(); ++value) {
    flags_[value] = painted_flags(static_cast<StateFlags>(value), json_ ? Style() : style);
  }
}

void PacketLines::append(Text& out, const JudgedPacket& packet) const {
  json_ ? append_json(out, packet) : append_plain(out, packet);
}

void PacketLines::append_plain(Text& out, const JudgedPacket& packet) const {
  const fmt::format_int number(packet.number);
  out.append(number.data(), number.data() + number.size());
  cli::append(out, ": ");
  cli::append(out, flags_[static_cast<std::size_t>(packet.verdict->state)]);
  if (packet.explanation != nullptr) {
    append_explanation(out, *packet.verdict, *packet.explanation);
  }
  out.push_back('\n');
}

void PacketLines::append_json(Text& out, const JudgedPacket& packet) const {
  JsonWriter json(out);
  json.begin().field("type", "packet").field("number", packet.number);
  json.time("time", packet.time);
  json.field("flags", flags_[static_cast<std::size_t>(packet.verdict->state)]);
  if (packet.explanation != nullptr) {
    write_explanation(json, *packet.verdict, *packet.explanation);
  }
  json.end_line();
}

}  // namespace uct::cli
