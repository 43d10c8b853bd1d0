/// What happens to connections, told while it happens.
///
/// Included by embedders that log, export or replicate. A tracker without an EventSink pays
/// nothing.
/// Threads   see EventSink.
#pragma once

#include <cstdint>
#include <string_view>

#include <uct/connection.h>

namespace uct {

enum class EventKind : std::uint8_t {
  created,    ///< a connection entered the table
  updated,    ///< its state, status, mark or label changed
  destroyed,  ///< it left the table; the counters are final
};

/// Why a connection left the table.
enum class DestroyCause : std::uint8_t {
  none,      ///< it did not: the event is of another kind
  expired,   ///< its timeout passed
  replaced,  ///< a new connection with the same tuple took its place
  flushed,   ///< flush() asked for it
};

std::string_view name(EventKind kind);
std::string_view name(DestroyCause cause);

struct Event {
  EventKind kind = EventKind::created;
  DestroyCause cause = DestroyCause::none;
  Timestamp time{};  ///< the `now` of the call in which it happened
  ConnectionInfo connection;
};

/// Receives events.
class EventSink {
 public:
  virtual ~EventSink() = default;

  /// Takes note of one event, quickly.
  ///
  /// Requires  does not call back into the tracker: the lock of the connection's shard is held.
  /// Threads   called on whichever thread processes packets, sweeps or flushes; two calls may run
  ///           at once for connections of different shards. Events of one connection come in order.
  virtual void on_event(const Event& event) noexcept = 0;
};

}  // namespace uct
