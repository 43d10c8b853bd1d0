/// What is done to a tracker and to its naive model, as data: made at random, shrunk, printed.
///
/// Included by tracker_model.h and tracker_comparison.h; tests/model plays the sequences.
/// Threads   values only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <uct/tracker.h>

namespace uct::model {

enum class PacketKind : std::uint8_t {
  plain,             ///< carries the tuple
  error,             ///< an ICMP error that quotes a packet with the tuple
  udp_length,        ///< its UDP length is below 8
  link_unsupported,  ///< of a link type that nobody knows
};

struct PacketSpec {
  PacketKind kind = PacketKind::plain;
  Tuple tuple;
  std::uint8_t tcp_choice = 0;  ///< which segment; the model takes the nearest that fits the state
  std::uint8_t payload = 0;
};

enum class Verb : std::uint8_t {
  packets,             ///< one burst
  advance,             ///< the clock by `amount` ms
  sweep,               ///< `amount` timers
  flush,               ///< by `filter`
  dump,                ///< by `filter`, `amount` at a time
  dump_piece,          ///< `amount` more of a dump that other operations interrupt
  find,                ///< by the tuple of packets[0] and by handles
  max_connections,     ///< `amount`
  zone_limit,          ///< `amount`, or none when `unset`
  default_zone_limit,  ///< likewise
  policy,              ///< `timeouts` for request.timeout_policy
  sequence_check,      ///< `amount` for the zone
};

struct Operation {
  Verb verb = Verb::packets;
  std::vector<PacketSpec> packets;
  Request request;
  Filter filter;
  std::uint64_t amount = 0;
  bool unset = false;
  TimeoutPolicy timeouts;
};

/// What a sequence is played on.
struct Settings {
  std::uint64_t seed = 0;
  std::uint32_t shards = 1;
  std::uint32_t max_connections = 1000;
  std::int64_t start_ms = 0;
  bool pick_up = true;
  bool events = true;
};

/// Policies that exist besides `standard`; their ids are 1 to this.
inline constexpr std::uint32_t kNamedPolicies = 4;
inline constexpr std::uint32_t kCapacity = 4096;

/// The zones that sequences use.
inline constexpr Zone kZones[] = {0, 1, 7, 65535};

struct Sequence {
  Settings settings;
  std::vector<Operation> operations;
};

/// Gives     the same sequence for the same seed, for ever.
Sequence random_sequence(std::uint64_t seed, std::size_t length);

/// Gives     one line a person can read.
std::string to_text(const Settings& settings);
std::string to_text(const Operation& operation);
std::string to_text(const Tuple& tuple);
std::string to_text(const ConnectionInfo& info);

}  // namespace uct::model
