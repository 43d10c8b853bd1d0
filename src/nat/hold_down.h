/// Ports that were freed a moment ago and must rest before somebody else gets them.
///
/// A packet for the old mapping that is still under way would reach the new owner: "once an
/// external port is deallocated, it SHOULD NOT be reallocated to a new mapping until at least 120
/// seconds have passed" (RFC 6888 REQ-8, which also wants that time and the number of such ports to
/// be configurable). Ports that rest are neither used nor free.
///
/// One queue for all addresses of a protocol, not one for each: all rest equally long, so the queue
/// is in order of time as it is, and what is due anywhere is found at its front.
///
/// Relies on nothing but the standard library; used by nat/pool.h and nat/port_blocks.h.
/// Threads   none of its own: the caller locks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace uct::core {

/// How long, RFC 6888 REQ-8.
inline constexpr std::uint32_t kHoldDownMs = 120'000;

/// Whether a freed port rests. REQ-8 exempts TCP ports whose connection was seen to end, and ports
/// that belong to one subscriber for good.
enum class Hold : std::uint8_t { rest, free_now };

/// A port of an address, by the address's place in its pool.
struct PortPlace {
  std::uint16_t address = 0;
  std::uint16_t port = 0;

  bool operator==(const PortPlace&) const = default;
};

class HoldDown {
 public:
  /// duration_ms  how long a port rests; 0 lets the next release() have it
  /// ports_max    rest at the same time; beyond it the one that rested longest goes early, because
  ///              an address whose ports all rest serves nobody
  HoldDown(std::uint32_t duration_ms, std::uint32_t ports_max)
      : duration_ms_(duration_ms), ports_max_(ports_max) {}

  /// Lets a port rest from now on. Until release() is called next there may be one more than
  /// ports_max.
  ///
  /// Requires  `now_ms` not before that of the last call; otherwise the ports behind wait for this
  ///           one, and nothing is released early. Any start of time below 2^48 ms, 8900 years.
  /// Cost      O(1), ten bytes until it is released
  void hold(PortPlace place, std::uint64_t now_ms) {
    const std::uint64_t due_ms = now_ms + duration_ms_;
    queue_.push_back({place,
                      {static_cast<std::uint16_t>(due_ms), static_cast<std::uint16_t>(due_ms >> 16),
                       static_cast<std::uint16_t>(due_ms >> 32)}});
  }

  /// Calls give_back(place) for what is due at `now_ms`, oldest first, at most `limit` times.
  ///
  /// Gives     how many
  /// Cost      O(due), and one comparison when nothing is
  template <typename F>
  std::uint32_t release(std::uint64_t now_ms, std::uint32_t limit, F&& give_back) {
    std::uint32_t released = 0;
    while (released < limit && has_due(now_ms)) {
      const PortPlace place = queue_.front().place;
      queue_.pop_front();
      give_back(place);
      ++released;
    }
    return released;
  }

  bool has_due(std::uint64_t now_ms) const {
    return !queue_.empty() &&
           (due_ms(queue_.front()) <= now_ms || queue_.size() > std::size_t{ports_max_});
  }

  /// Gives     how many ports rest.
  std::size_t size() const { return queue_.size(); }

  /// Gives     bytes, as far as an object knows them.
  std::size_t memory_bytes() const { return queue_.size() * sizeof(Entry); }

 private:
  struct Entry {
    PortPlace place;
    std::array<std::uint16_t, 3> due_ms;  ///< 48 bits, the lowest first; so that ten bytes do
  };
  static_assert(sizeof(Entry) == 10, "no padding: there are as many as ports freed in two minutes");

  static std::uint64_t due_ms(const Entry& entry) {
    return entry.due_ms[0] | std::uint64_t{entry.due_ms[1]} << 16 |
           std::uint64_t{entry.due_ms[2]} << 32;
  }

  std::deque<Entry> queue_;  ///< gives memory back as it drains, which a ring would not
  std::uint32_t duration_ms_;
  std::uint32_t ports_max_;
};

}  // namespace uct::core
