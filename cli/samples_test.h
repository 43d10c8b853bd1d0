/// Connections made by hand, for the tests of the formats.
///
/// Included by *_test.cc here.
/// Threads   values only.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include <uct/connection.h>

#include "cli/output.h"

namespace uct::cli::testing {

inline Address address(std::string_view text) {
  Address result;
  EXPECT_TRUE(parse_address(text, result)) << text;
  return result;
}

/// 2026-11-23T10:00:00Z and some seconds.
inline Timestamp at(double seconds) {
  return timestamp_from_ns(1'795'428'000'000'000'000) +
         std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

/// A connection between two addresses, opened at at(0).
inline ConnectionInfo between_hosts(Protocol protocol, std::string_view from, std::string_view to) {
  ConnectionInfo info;
  info.protocol = protocol;
  info.original.protocol = info.reply.protocol = protocol;
  info.original.source = info.reply.destination = address(from);
  info.original.destination = info.reply.source = address(to);
  info.start = info.last_seen = at(0);
  info.timeout = Duration(30'000);
  info.expires = at(30);
  return info;
}

inline ConnectionInfo with_ports(Protocol protocol, std::string_view from, std::uint16_t source,
                                 std::string_view to, std::uint16_t destination) {
  ConnectionInfo info = between_hosts(protocol, from, to);
  info.original.source_port = info.reply.destination_port = source;
  info.original.destination_port = info.reply.source_port = destination;
  return info;
}

/// The connection of which the kernel printed `tcp 6 118 TIME_WAIT ... [ASSURED]`.
inline ConnectionInfo closed_tcp() {
  ConnectionInfo info = with_ports(Protocol::tcp, "10.9.0.1", 53636, "10.9.0.2", 8080);
  info.state = static_cast<std::uint8_t>(TcpState::time_wait);
  info.seen_reply = info.assured = true;
  info.counters = {{{5, 270}, {5, 269}}};
  info.timeout = Duration(120'000);
  info.last_seen = at(1);
  info.expires = at(121);
  return info;
}

inline ConnectionInfo echo(Protocol protocol, std::string_view from, std::string_view to,
                           std::uint8_t query, std::uint8_t answer, std::uint16_t id) {
  ConnectionInfo info = between_hosts(protocol, from, to);
  info.original.icmp_type = query;
  info.reply.icmp_type = answer;
  info.original.icmp_id = info.reply.icmp_id = id;
  info.state = static_cast<std::uint8_t>(IcmpState::reply);
  info.seen_reply = true;
  return info;
}

/// Calls append(text) and gives what it appended.
template <typename Append>
std::string text_of(Append&& append) {
  Text text;
  append(text);
  return std::string(view(text));
}

}  // namespace uct::cli::testing
