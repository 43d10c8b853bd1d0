/// The sweep of 2016 behind the interface of the timer wheel: one list for each timeout value.
///
/// The algorithm of Open vSwitch's patch "conntrack: Periodically delete expired connections"
/// (commit e6ef6cc63). Refreshing a connection moves it to the tail of the list of its timeout.
/// Time only goes forward, so every list is sorted by deadline, and a sweep takes expired heads
/// until it meets the first live entry of each list. Kept to be measured against and to pass the
/// same contract suite (tests/contract/expiry_contract_test.cc); the library does not use it.
///
/// Where the original broke, and what is done here:
///   - it had a list for each of 9 (later 11) timeout *classes*. When a class got several values
///     (policies by zone, 2020), expired entries stood behind live ones. Here: a list for each
///     distinct *value*, made and dropped as needed. A sweep then looks at the head of every list.
///   - its bound was max(10 % of the bucket, limit / 2560): 0 with a small limit and a small
///     bucket, so that nothing was ever removed (fixed in 2019 by c61a85f6c). Here: at least one.
///   - `now` was taken once for a pass over all buckets, so a slow pass used an old one. Here: the
///     caller's, for each call.
///   - always the same list came first, so that under a bound the last lists could starve. Here: a
///     sweep goes on at the list after the one where it stopped.
/// Threads   none of its own; the caller locks.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <vector>

#include "expiry/expiry_queue.h"
#include "expiry/tick.h"

namespace uct::peers {

using core::ExpirySweep;
using core::ExpiryVisitor;
using core::Tick;

class TimeoutLists {
 public:
  bool reserve(std::uint32_t capacity, Tick now);

  /// Requires  number < capacity and not armed; `now` not earlier than in any call before.
  void arm(std::uint32_t number, Tick now, Tick deadline);
  void disarm(std::uint32_t number);

  /// Moves `number` to the tail of the list of its timeout; an unarmed number stays so.
  void refresh(std::uint32_t number, Tick now, Tick old_deadline, Tick new_deadline);

  template <ExpiryVisitor Visitor>
  ExpirySweep sweep(Tick now, std::uint32_t max_timers, Visitor&& visitor);

  /// Exact: the earliest head of all lists.
  bool next(Tick& when) const;

  std::uint32_t size() const { return size_; }
  std::size_t memory_bytes() const;
  bool shrink();

 private:
  static constexpr std::uint32_t kNone = 0xffff'ffff;

  struct Node {
    std::uint32_t previous;
    std::uint32_t next;
    std::uint32_t timeout_ms;  ///< key of the list it is in; 0 when it is in none
    Tick deadline;
  };

  struct List {
    std::uint32_t head = kNone;
    std::uint32_t tail = kNone;
  };

  /// std::map: sweeps go on by key although lists come and go.
  using Lists = std::map<std::uint32_t, List>;

  /// Spares most searches in lists_; the original, with a list for each class, had none.
  struct Recent {
    std::uint32_t timeout_ms = 0;  ///< 0: nothing
    List* list = nullptr;
  };

  Recent& recent(std::uint32_t timeout_ms);
  List& list_of(std::uint32_t timeout_ms);
  void push_back(std::uint32_t number, Tick now, Tick deadline);
  void unlink(std::uint32_t number);
  Lists::iterator drop(Lists::iterator list);
  template <typename Visitor>
  bool sweep_list(List& list, Tick now, std::uint32_t max_timers, Visitor& visitor,
                  ExpirySweep& result);

  std::vector<Node> nodes_;  ///< by number; grows with use
  Lists lists_;              ///< by timeout, milliseconds; empty ones go with the next sweep
  std::array<Recent, 16> recent_{};
  std::uint32_t capacity_ = 0;
  std::uint32_t size_ = 0;
  std::uint32_t resume_at_ = 0;  ///< the timeout whose list the next sweep begins with
};

template <ExpiryVisitor Visitor>
ExpirySweep TimeoutLists::sweep(Tick now, std::uint32_t max_timers, Visitor&& visitor) {
  ExpirySweep result;
  max_timers = std::max(max_timers, 1U);
  // From where the last sweep stopped to the end, then from the beginning to there.
  const std::uint32_t start = resume_at_;
  for (const bool first_part : {true, false}) {
    auto list = first_part ? lists_.lower_bound(start) : lists_.begin();
    while (list != lists_.end() && (first_part || list->first < start)) {
      if (!sweep_list(list->second, now, max_timers, visitor, result)) {
        resume_at_ = list->first;
        result.finished = false;
        return result;
      }
      list = list->second.head == kNone ? drop(list) : std::next(list);
    }
  }
  return result;
}

/// Gives     false when stopped by the bound, before an expired entry.
template <typename Visitor>
bool TimeoutLists::sweep_list(List& list, Tick now, std::uint32_t max_timers, Visitor& visitor,
                              ExpirySweep& result) {
  while (list.head != kNone && !core::earlier(now, nodes_[list.head].deadline)) {
    if (result.visited == max_timers) return false;
    const std::uint32_t number = list.head;
    unlink(number);
    if (list.head != kNone) visitor.prefetch(list.head);
    ++result.visited;
    const std::optional<Tick> deadline = visitor.visit(number);
    if (deadline) {
      ++result.rearmed;
      push_back(number, now, core::earlier(now, *deadline) ? *deadline : core::add(now, 1));
    } else {
      ++result.removed;
    }
  }
  return true;
}

static_assert(core::ExpiryQueue<TimeoutLists>);

}  // namespace uct::peers
