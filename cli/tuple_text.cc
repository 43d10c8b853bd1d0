#include "cli/tuple_text.h"

#include <arpa/inet.h>

namespace uct::cli {

namespace {

void append_ipv4(Text& out, const Address& address) {
  for (std::size_t i = 0; i < 4; ++i) {
    if (i != 0) out.push_back('.');
    const fmt::format_int number(address.bytes[i]);
    out.append(number.data(), number.data() + number.size());
  }
}

void append_end(Text& out, const Address& address, std::uint16_t port, bool with_port) {
  const bool brackets = with_port && address.family == Family::ipv6;
  if (brackets) out.push_back('[');
  append_address(out, address);
  if (brackets) out.push_back(']');
  if (with_port) fmt::format_to(fmt::appender(out), ":{}", port);
}

}  // namespace

void append_address(Text& out, const Address& address) {
  if (address.family == Family::ipv4) return append_ipv4(out, address);
  char text[INET6_ADDRSTRLEN];
  if (::inet_ntop(AF_INET6, address.bytes.data(), text, sizeof(text)) != nullptr) {
    append(out, text);
  }
}

void append_tuple(Text& out, const Tuple& tuple) {
  const bool ports = has_ports(tuple.protocol);
  append_end(out, tuple.source, tuple.source_port, ports);
  append(out, " -> ");
  append_end(out, tuple.destination, tuple.destination_port, ports);
  if (!has_icmp_id(tuple.protocol)) return;
  fmt::format_to(fmt::appender(out), " type {}", tuple.icmp_type);
  if (tuple.icmp_code != 0) fmt::format_to(fmt::appender(out), " code {}", tuple.icmp_code);
  fmt::format_to(fmt::appender(out), " id {}", tuple.icmp_id);
}

void append_protocol(Text& out, Protocol protocol) { append(out, to_string(protocol)); }

std::string_view state_name(Protocol protocol, std::uint8_t state) {
  ConnectionInfo info;
  info.protocol = protocol;
  info.state = state;
  return uct::state_name(info);
}

}  // namespace uct::cli
