#include "cli/format_ovs.h"

#include <algorithm>

#include "cli/format_conntrack.h"
#include "cli/tuple_text.h"

namespace uct::cli {

namespace {

void append_protocol_name(Text& out, Protocol protocol) {
  switch (protocol) {
    case Protocol::icmp:
    case Protocol::icmpv6:
    case Protocol::tcp:
    case Protocol::udp:
    case Protocol::sctp:
    case Protocol::udplite:
    case Protocol::dccp:
    case Protocol::igmp:
      return append_protocol(out, protocol);
    default:
      fmt::format_to(fmt::appender(out), "{}", static_cast<unsigned>(protocol));
  }
}

void append_way(Text& out, std::string_view title, const Tuple& tuple, const Counters& counters) {
  const auto to = fmt::appender(out);
  append(out, title);
  append(out, "src=");
  append_address(out, tuple.source);
  append(out, ",dst=");
  append_address(out, tuple.destination);
  if (has_icmp_id(tuple.protocol)) {
    fmt::format_to(to, ",id={},type={},code={}", tuple.icmp_id, tuple.icmp_type, tuple.icmp_code);
  } else {
    fmt::format_to(to, ",sport={},dport={}", tuple.source_port, tuple.destination_port);
  }
  if (counters.packets != 0 || counters.bytes != 0) {
    fmt::format_to(to, ",packets={},bytes={}", counters.packets, counters.bytes);
  }
  out.push_back(')');
}

void append_status(Text& out, const ConnectionInfo& info) {
  append(out, ",status=");
  if (info.seen_reply) append(out, "SEEN_REPLY|");
  if (info.assured) append(out, "ASSURED|");
  append(out, "CONFIRMED");  // entered in the table: every connection we print
}

/// Appends 128 bits in hexadecimal without leading zeros; nothing when all are 0.
void append_labels(Text& out, const Label& label) {
  const auto* first = std::find_if(label.begin(), label.end(), [](auto byte) { return byte != 0; });
  if (first == label.end()) return;
  fmt::format_to(fmt::appender(out), ",labels=0x{:x}", *first);
  for (++first; first != label.end(); ++first) {
    fmt::format_to(fmt::appender(out), "{:02x}", *first);
  }
}

/// Gives     the state as Open vSwitch translates those of the kernel.
std::string_view ovs_state(TcpState state) {
  switch (state) {
    case TcpState::none:
      return "CLOSED";
    case TcpState::syn_sent:
    case TcpState::syn_sent2:
      return "SYN_SENT";
    case TcpState::syn_recv:
      return "SYN_RECV";
    case TcpState::established:
      return "ESTABLISHED";
    case TcpState::fin_wait:
      return "FIN_WAIT_1";
    case TcpState::close_wait:
      return "CLOSE_WAIT";
    case TcpState::last_ack:
      return "LAST_ACK";
    case TcpState::time_wait:
      return "TIME_WAIT";
    case TcpState::close:
      return "CLOSING";
  }
  return "CLOSED";
}

void append_protoinfo(Text& out, const ConnectionInfo& info) {
  if (info.protocol != Protocol::tcp) return;
  const auto to = fmt::appender(out);
  const std::string_view state = ovs_state(info.tcp_state());
  fmt::format_to(to, ",protoinfo=(state_orig={},state_reply={}", state, state);
  const auto& [original, reply] = info.tcp;
  if (original.window_scale != 0 || reply.window_scale != 0) {
    fmt::format_to(to, ",wscale_orig={},wscale_reply={}", original.window_scale,
                   reply.window_scale);
  }
  const auto flags = [](const TcpPeerInfo& peer) {
    return peer.window_scale_known ? "WINDOW_SCALE" : "0";
  };
  fmt::format_to(to, ",flags_orig={},flags_reply={})", flags(original), flags(reply));
}

}  // namespace

void append_ovs(Text& out, const ConnectionInfo& info, Timestamp now) {
  const auto to = fmt::appender(out);
  append_protocol_name(out, info.protocol);
  append_way(out, ",orig=(", info.original, info.counters[0]);
  append_way(out, ",reply=(", info.reply, info.counters[1]);
  fmt::format_to(to, ",id={}", info.id);
  if (info.zone != 0) fmt::format_to(to, ",zone={}", info.zone);
  append_status(out, info);
  fmt::format_to(to, ",timeout={}", seconds_left(info, now));
  if (info.mark != 0) fmt::format_to(to, ",mark={}", info.mark);
  append_labels(out, info.label);
  append_protoinfo(out, info);
  out.push_back('\n');
}

}  // namespace uct::cli
