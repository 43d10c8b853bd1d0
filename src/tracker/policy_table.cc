#include "tracker/policy_table.h"

#include <algorithm>

namespace uct::core {

Error check_policy(const TimeoutPolicy& policy) {
  const bool fits = std::all_of(policy.values.begin(), policy.values.end(), [](Duration value) {
    return value >= kMinTimeout && value <= kMaxTimeout;
  });
  return fits ? Error::none : Error::timeout_out_of_range;
}

PolicyTable::PolicyTable(const TimeoutPolicy& standard) {
  for (std::size_t place = 0; place < kMaxTimeoutPolicies; ++place) store(place, standard);
  constexpr std::string_view kStandardName = "standard";
  std::copy(kStandardName.begin(), kStandardName.end(), names_[0].begin());
}

void PolicyTable::store(std::size_t place, const TimeoutPolicy& policy) {
  for (std::size_t i = 0; i < kTimeoutClassCount; ++i) {
    values_[i][place].store(static_cast<std::uint32_t>(policy.values[i].count()),
                            std::memory_order_relaxed);
  }
}

std::size_t PolicyTable::place_of(std::string_view name) const {
  std::size_t place = 0;
  while (place < count_ && name != names_[place].data()) ++place;
  return place;
}

Result<TimeoutPolicyId> PolicyTable::set(std::string_view name, const TimeoutPolicy& policy) {
  if (name.empty() || name.size() > kMaxPolicyName) return Error::timeout_policy_name;
  if (const Error error = check_policy(policy); error != Error::none) return error;
  const SpinlockGuard guard(lock_);
  const std::size_t place = place_of(name);
  if (place == kMaxTimeoutPolicies) return Error::timeout_policy_full;
  store(place, policy);
  if (place == count_) {
    std::copy(name.begin(), name.end(), names_[place].begin());
    ++count_;
  }
  return static_cast<TimeoutPolicyId>(place);
}

Error PolicyTable::set(TimeoutPolicyId id, const TimeoutPolicy& policy) {
  if (const Error error = check_policy(policy); error != Error::none) return error;
  const SpinlockGuard guard(lock_);
  if (static_cast<std::size_t>(id) >= count_) return Error::timeout_policy_unknown;
  store(static_cast<std::size_t>(id), policy);
  return Error::none;
}

std::optional<TimeoutPolicyId> PolicyTable::find(std::string_view name) const {
  const SpinlockGuard guard(lock_);
  const std::size_t place = place_of(name);
  if (place == count_) return std::nullopt;
  return static_cast<TimeoutPolicyId>(place);
}

std::optional<TimeoutPolicy> PolicyTable::get(TimeoutPolicyId id) const {
  const SpinlockGuard guard(lock_);
  if (static_cast<std::size_t>(id) >= count_) return std::nullopt;
  TimeoutPolicy policy;
  for (std::size_t i = 0; i < kTimeoutClassCount; ++i) {
    policy.values[i] = Duration(values_[i][static_cast<std::size_t>(id)].load());
  }
  return policy;
}

Duration PolicyTable::shortest() const {
  const SpinlockGuard guard(lock_);
  Duration shortest = kMaxTimeout;
  for (std::size_t place = 0; place < count_; ++place) {
    for (const auto& by_policy : values_) {
      const std::atomic<std::uint32_t>& value = by_policy[place];
      shortest = std::min(shortest, Duration(value.load(std::memory_order_relaxed)));
    }
  }
  return shortest;
}

}  // namespace uct::core
