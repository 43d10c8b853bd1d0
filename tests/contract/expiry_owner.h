/// A naive owner of connections with a virtual clock: the model that expiry tests compare with.
///
/// Included by tests/contract/expiry_*_test.cc. Keeps true deadlines in a plain array, checks each
/// visit against them, and counts what a queue must not do.
/// Threads   none.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <vector>

#include "expiry/expiry_queue.h"

namespace uct::core {

template <ExpiryQueue Queue>
class ExpiryOwner {
 public:
  ExpiryOwner(std::uint32_t capacity, Tick now) : now_(now), connections_(capacity) {
    EXPECT_TRUE(queue_.reserve(capacity, now));
  }

  void open(std::uint32_t number, std::uint32_t timeout_ms) {
    connections_[number] = {add(now_, timeout_ms), true};
    queue_.arm(number, now_, connections_[number].deadline);
  }

  /// A packet was accepted; the connection's state has this timeout now.
  void packet(std::uint32_t number, std::uint32_t timeout_ms) {
    const Tick old_deadline = connections_[number].deadline;
    connections_[number].deadline = add(now_, timeout_ms);
    queue_.refresh(number, now_, old_deadline, connections_[number].deadline);
  }

  void close(std::uint32_t number) {
    connections_[number].alive = false;
    queue_.disarm(number);
  }

  void advance(std::uint32_t length_ms) { now_ = add(now_, length_ms); }

  ExpirySweep sweep(std::uint32_t max_timers = std::numeric_limits<std::uint32_t>::max()) {
    const ExpirySweep result = queue_.sweep(now_, max_timers, *this);
    EXPECT_EQ(result.visited, result.removed + result.rearmed);
    return result;
  }

  /// Sleeps until next() and sweeps, until nothing is armed. Gives the number of sweeps.
  std::uint32_t sweep_until_empty() {
    std::uint32_t sweeps = 0;
    Tick when{};
    while (queue_.next(when)) {
      if (earlier(now_, when)) now_ = when;
      sweep();
      ++sweeps;
    }
    return sweeps;
  }

  // ExpiryVisitor
  void prefetch(std::uint32_t number) { EXPECT_LT(number, connections_.size()); }
  std::optional<Tick> visit(std::uint32_t number) {
    Connection& connection = connections_[number];
    EXPECT_TRUE(connection.alive) << number;
    if (earlier(now_, connection.deadline)) return connection.deadline;
    connection.alive = false;
    if (connection.deadline != now_) ++removed_late_;
    if (on_removed) on_removed(number);
    return std::nullopt;
  }

  bool alive(std::uint32_t number) const { return connections_[number].alive; }
  Tick deadline(std::uint32_t number) const { return connections_[number].deadline; }
  Tick now() const { return now_; }
  Queue& queue() { return queue_; }

  /// Gives     connections removed in another millisecond than that of their deadline.
  std::uint32_t removed_late() const { return removed_late_; }

  /// Gives     connections past their deadline that no sweep removed yet. Cost O(capacity).
  std::uint32_t expired_and_present() const {
    std::uint32_t count = 0;
    for (const Connection& c : connections_) count += c.alive && !earlier(now_, c.deadline) ? 1 : 0;
    return count;
  }

  /// Requires  a connection that lives. Cost O(capacity).
  Tick first_deadline() const {
    std::optional<Tick> first;
    for (const Connection& c : connections_) {
      if (c.alive && (!first || earlier(c.deadline, *first))) first = c.deadline;
    }
    return first.value();
  }

  std::function<void(std::uint32_t number)> on_removed;

 private:
  struct Connection {
    Tick deadline{};
    bool alive = false;
  };

  Queue queue_;
  Tick now_;
  std::vector<Connection> connections_;
  std::uint32_t removed_late_ = 0;
};

}  // namespace uct::core
