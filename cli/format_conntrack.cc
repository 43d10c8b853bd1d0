#include "cli/format_conntrack.h"

#include "cli/durations.h"
#include "cli/tuple_text.h"

namespace uct::cli {

namespace {

/// Gives     the protocol's name as libnetfilter_conntrack knows it.
std::string_view protocol_name(Protocol protocol) {
  switch (protocol) {
    case Protocol::tcp:
      return "tcp";
    case Protocol::udp:
      return "udp";
    case Protocol::udplite:
      return "udplite";
    case Protocol::icmp:
      return "icmp";
    case Protocol::icmpv6:
      return "icmpv6";
    case Protocol::sctp:
      return "sctp";
    case Protocol::gre:
      return "gre";
    case Protocol::dccp:
      return "dccp";
    default:
      return "unknown";
  }
}

void append_protocol_column(Text& out, Protocol protocol) {
  fmt::format_to(fmt::appender(out), "{:<8} {} ", protocol_name(protocol),
                 static_cast<unsigned>(protocol));
}

void append_state(Text& out, const ConnectionInfo& info) {
  if (info.protocol != Protocol::tcp && info.protocol != Protocol::sctp) return;
  append(out, state_name(info));
  out.push_back(' ');
}

void append_one_way(Text& out, const Tuple& tuple) {
  append(out, "src=");
  append_address(out, tuple.source);
  append(out, " dst=");
  append_address(out, tuple.destination);
  const auto to = fmt::appender(out);
  if (has_ports(tuple.protocol)) {
    fmt::format_to(to, " sport={} dport={} ", tuple.source_port, tuple.destination_port);
  } else if (has_icmp_id(tuple.protocol)) {
    fmt::format_to(to, " type={} code={} id={} ", tuple.icmp_type, tuple.icmp_code, tuple.icmp_id);
  } else if (tuple.protocol == Protocol::gre) {
    append(out, " srckey=0x0 dstkey=0x0 ");  // tracked by addresses: what version 0 shows there
  } else {
    out.push_back(' ');
  }
}

void append_counters(Text& out, const Counters& counters) {
  fmt::format_to(fmt::appender(out), "packets={} bytes={} ", counters.packets, counters.bytes);
}

/// Appends both directions with what is known of them.
void append_ways(Text& out, const ConnectionInfo& info, bool with_counters) {
  append_one_way(out, info.original);
  if (with_counters) append_counters(out, info.counters[0]);
  if (!info.seen_reply) append(out, "[UNREPLIED] ");
  append_one_way(out, info.reply);
  if (with_counters) append_counters(out, info.counters[1]);
  if (info.assured) append(out, "[ASSURED] ");
}

void append_zone(Text& out, const ConnectionInfo& info) {
  if (info.zone != 0) fmt::format_to(fmt::appender(out), "zone={} ", info.zone);
}

std::string_view event_column(EventKind kind) {
  switch (kind) {
    case EventKind::created:
      return "    [NEW] ";
    case EventKind::updated:
      return " [UPDATE] ";
    case EventKind::destroyed:
      break;
  }
  return "[DESTROY] ";
}

}  // namespace

std::uint64_t seconds_left(const ConnectionInfo& info, Timestamp now) {
  const Duration left = between(now, info.expires);
  return left.count() <= 0 ? 0 : static_cast<std::uint64_t>(left.count()) / 1000;
}

void append_conntrack(Text& out, const ConnectionInfo& info, Timestamp now) {
  append_protocol_column(out, info.protocol);
  fmt::format_to(fmt::appender(out), "{} ", seconds_left(info, now));
  append_state(out, info);
  append_ways(out, info, true);
  fmt::format_to(fmt::appender(out), "mark={} ", info.mark);
  append_zone(out, info);
  append(out, "use=1\n");
}

void append_conntrack(Text& out, const Event& event) {
  const ConnectionInfo& info = event.connection;
  const bool destroyed = event.kind == EventKind::destroyed;
  append(out, event_column(event.kind));
  append_protocol_column(out, info.protocol);
  const std::uint64_t left = seconds_left(info, event.time);
  if (!destroyed || left != 0) fmt::format_to(fmt::appender(out), "{} ", left);
  append_state(out, info);
  append_ways(out, info, destroyed);
  if (info.mark != 0) fmt::format_to(fmt::appender(out), "mark={} ", info.mark);
  append_zone(out, info);
  out.resize(out.size() - 1);  // the blank after the last field
  out.push_back('\n');
}

}  // namespace uct::cli
