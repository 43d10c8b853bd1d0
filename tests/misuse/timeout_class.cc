/// Promise E9: a time or a number cannot be passed where a timeout class is meant.
///
/// The code before the patch of 2016 had that very bug: a function took the class and the time as
/// integers, and a caller swapped them. Compiles as it is; with -DMISUSE it must not, and neither
/// must any single line of the misuse (each is checked here by name lookup on the types).
#include <concepts>
#include <cstdint>

#include <uct/time.h>
#include <uct/timeout_policy.h>

#include "expiry/tick.h"

namespace {

template <typename T>
concept AcceptedAsTimeoutClass = requires(const uct::TimeoutPolicy& policy, T value) {
  policy[value];
};

static_assert(AcceptedAsTimeoutClass<uct::TimeoutClass>);
static_assert(!AcceptedAsTimeoutClass<uct::Timestamp>);
static_assert(!AcceptedAsTimeoutClass<uct::Duration>);
static_assert(!AcceptedAsTimeoutClass<uct::core::Tick>);
static_assert(!AcceptedAsTimeoutClass<int>);
static_assert(!AcceptedAsTimeoutClass<std::int64_t>);

// Nor does one kind of time become another by itself.
static_assert(!std::convertible_to<uct::Timestamp, uct::Duration>);
static_assert(!std::convertible_to<uct::Duration, uct::core::Tick>);
static_assert(!std::convertible_to<std::uint32_t, uct::core::Tick>);
static_assert(!std::convertible_to<uct::core::Tick, std::uint32_t>);

}  // namespace

uct::Duration timeout_of(const uct::TimeoutPolicy& policy, uct::Timestamp now);

uct::Duration timeout_of(const uct::TimeoutPolicy& policy, uct::Timestamp now) {
#ifdef MISUSE
  return policy[now];
#else
  static_cast<void>(now);
  return policy[uct::TimeoutClass::tcp_established];
#endif
}
