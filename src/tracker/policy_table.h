/// The timeout policies of a tracker: looked up for every packet, changed while packets flow.
///
/// Relies on base; used by tracker.
/// Threads   timeout() on any thread; changes are serialised by a lock and seen value by value.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>

#include <uct/result.h>
#include <uct/timeout_policy.h>

#include "base/spinlock.h"

namespace uct::core {

/// Gives     Error::none when every value lies in kMinTimeout to kMaxTimeout.
Error check_policy(const TimeoutPolicy& policy);

class PolicyTable {
 public:
  explicit PolicyTable(const TimeoutPolicy& standard);

  /// Gives     milliseconds.
  std::uint32_t timeout(std::uint8_t policy, TimeoutClass timeout_class) const {
    return timeouts(timeout_class)[policy].load(std::memory_order_relaxed);
  }

  /// Gives     the milliseconds of one class, by policy.
  const std::atomic<std::uint32_t>* timeouts(TimeoutClass timeout_class) const {
    return values_[static_cast<std::size_t>(timeout_class)].data();
  }

  Result<TimeoutPolicyId> set(std::string_view name, const TimeoutPolicy& policy);
  Error set(TimeoutPolicyId id, const TimeoutPolicy& policy);
  std::optional<TimeoutPolicyId> find(std::string_view name) const;
  std::optional<TimeoutPolicy> get(TimeoutPolicyId id) const;
  Duration shortest() const;

 private:
  using Name = std::array<char, kMaxPolicyName + 1>;

  void store(std::size_t place, const TimeoutPolicy& policy);
  std::size_t place_of(std::string_view name) const UCT_REQUIRES(lock_);

  /// By class, then by policy: the packet path asks one class of many connections.
  std::array<std::array<std::atomic<std::uint32_t>, kMaxTimeoutPolicies>, kTimeoutClassCount>
      values_{};
  mutable Spinlock lock_;
  std::array<Name, kMaxTimeoutPolicies> names_ UCT_GUARDED_BY(lock_){};
  std::size_t count_ UCT_GUARDED_BY(lock_) = 1;
};

}  // namespace uct::core
