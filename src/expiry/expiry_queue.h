/// What every way of finding expired connections offers: one interface for the timer wheel and for
/// the list-per-timeout algorithm of 2016 (bench/peers/timeout_lists.h).
///
/// Included by both and by the contract suite (tests/contract/expiry_contract_test.cc), which says
/// by promise, E1 to E10, what an ExpiryQueue must do. A queue knows connections by number only;
/// the owner keeps the true deadline in the connection record and refuses expired ones on lookup.
/// Threads   none of its own: the shard that owns the queue holds its lock.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "expiry/tick.h"

namespace uct::core {

/// Numbers that are prefetched, prepared and then visited together, at most.
inline constexpr std::uint32_t kExpiryBatch = 64;

/// What one call of sweep() did.
struct ExpirySweep {
  std::uint32_t visited = 0;  ///< numbers given to the visitor; removed + rearmed
  std::uint32_t removed = 0;  ///< visited and gone
  std::uint32_t rearmed = 0;  ///< visited and found alive, because it was refreshed since armed
  std::uint32_t moved = 0;    ///< timers sorted within the queue, their connections not visited
  bool finished = true;       ///< false: stopped by the bound, more may be due; sweep again
};

/// The owner's side of a sweep.
template <typename V>
concept ExpiryVisitor = requires(V& visitor, std::uint32_t number) {
  /// Called some numbers ahead of visit(), so that the connection record can be fetched meanwhile.
  /// A number that is prefetched is not always visited: an earlier visit may have disarmed it.
  visitor.prefetch(number);
  /// Decides about a connection whose timer is due. Without a value: it expired and the visitor
  /// removed it; its timer is gone. With a value: it lives until then, which is later than the
  /// sweep's `now`, and is armed again. May arm and disarm other numbers.
  { visitor.visit(number) } -> std::same_as<std::optional<Tick>>;
};

/// An ExpiryVisitor may also have `prepare(numbers)`, called between the prefetches and the visits
/// of a batch: the records have arrived, and what they point at can be prefetched. Visits follow in
/// that order; an entry becomes another number when an earlier visit disarmed it.
template <typename V>
concept PreparingVisitor = requires(V& visitor, std::span<const std::uint32_t> numbers) {
  visitor.prepare(numbers);
};

namespace detail {

struct ArchetypeVisitor {
  void prefetch(std::uint32_t number);
  std::optional<Tick> visit(std::uint32_t number);
};

}  // namespace detail

template <typename Q>
concept ExpiryQueue = requires(Q& queue, const Q& constant, std::uint32_t number, Tick tick,
                               Tick& out, detail::ArchetypeVisitor& visitor) {
  { queue.reserve(number /* capacity */, tick) } -> std::same_as<bool>;
  queue.arm(number, tick /* now */, tick /* deadline */);
  queue.disarm(number);
  queue.refresh(number, tick /* now */, tick /* old deadline */, tick /* new deadline */);
  { queue.sweep(tick /* now */, number /* max visited */, visitor) } -> std::same_as<ExpirySweep>;
  { constant.next(out) } -> std::same_as<bool>;
  { constant.size() } -> std::same_as<std::uint32_t>;
  { constant.memory_bytes() } -> std::same_as<std::size_t>;
  { queue.shrink() } -> std::same_as<bool>;
};

}  // namespace uct::core
