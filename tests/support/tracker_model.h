/// What a tracker must do, written as plainly as possible: a std::map, no buckets, no wheel.
///
/// Included by tracker_comparison.h. Follows the documentation of include/uct; of TCP it knows
/// handshakes, pick-up, acknowledgements and exact resets, and makes only such segments.
/// Threads   none.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include <uct/tracker.h>

#include "tests/support/tracker_operations.h"
#include "tests/support/tuple_packet.h"

namespace uct::model {

/// A connection as the model has it; `info` holds all but handle and id, which are the tracker's.
struct Connection {
  std::uint64_t life = 0;  ///< a number of its own, never used again
  ConnectionInfo info;
};

/// What the tracker must say of a packet.
struct Expected {
  StateFlags state = StateFlags::untracked;
  Reason reason = Reason::none;
  std::uint32_t mark = 0;
  Label label{};
  std::uint64_t life = 0;  ///< of the connection that it names; 0: none
};

/// What is known of the tracker's table before a packet. Expired connections that no sweep has met
/// still count for limits, and which ones were met is the tracker's business: where the model's
/// count allows and the tracker's forbids, both answers are right.
struct Held {
  std::uint32_t connections = 0;
  std::uint32_t in_zone = 0;
  Reason refused = Reason::none;  ///< the tracker's answer, if it is a refusal
};

class Model {
 public:
  using Key = std::pair<Zone, Tuple>;  ///< by the original tuple

  explicit Model(const Settings& settings);

  /// Moves the clock, and forgets what expired.
  void advance(std::uint64_t ms);
  Timestamp now() const { return test::at_ms(now_ms_); }

  /// Gives     the segment that a packet carries: the one wanted, or one that fits the state.
  test::TcpSegment segment(const PacketSpec& packet, Zone zone) const;

  /// Does what `packet` does, and tells what the tracker must say.
  ///
  /// Requires  `segment` as made for it; `bytes`: its size.
  Expected apply(const PacketSpec& packet, const test::TcpSegment& segment, std::uint32_t bytes,
                 const Request& request, const Held& held);

  std::size_t flush(const Filter& filter);
  void set(const Operation& operation);

  /// Gives     null when there is none.
  const Connection* find(Zone zone, const Tuple& tuple) const;
  const std::map<Key, Connection>& connections() const { return connections_; }
  std::uint32_t count(Zone zone) const;
  std::uint32_t max_connections() const { return max_connections_; }
  std::optional<std::uint32_t> limit(Zone zone) const;

  /// Packets by verdict, and connections opened and removed by protocol; the rest stays 0.
  const Stats& stats() const { return stats_; }

 private:
  struct Effect {
    enum class Kind : std::uint8_t { accept, pass, replace, reject } kind = Kind::accept;
    Reason reason = Reason::none;
    bool is_new = false;
  };

  Expected track(const PacketSpec& packet, const test::TcpSegment& segment, std::uint32_t bytes,
                 const Request& request, const Held& held);
  Expected open(const PacketSpec& packet, const test::TcpSegment& segment, std::uint32_t bytes,
                const Request& request, const Held& held);
  Reason can_open(const Tuple& tuple, const test::TcpSegment& segment) const;
  Reason refusal(Zone zone, const Held& held) const;
  static Effect update(ConnectionInfo& info, Direction direction, std::uint8_t flags);
  static Effect update_tcp(ConnectionInfo& info, Direction direction, std::uint8_t flags);
  void refresh(ConnectionInfo& info) const;
  static void mark(ConnectionInfo& info, const Request& request);
  Connection* find_any(Zone zone, const Tuple& tuple);
  void remove(const ConnectionInfo& info);

  bool pick_up_;
  std::int64_t now_ms_;
  std::uint64_t lives_ = 0;
  std::uint32_t max_connections_;
  std::optional<std::uint32_t> default_limit_;
  std::map<Zone, std::uint32_t> limits_;
  std::array<TimeoutPolicy, kNamedPolicies + 1> policies_;
  std::map<Key, Connection> connections_;
  Stats stats_;
};

}  // namespace uct::model
