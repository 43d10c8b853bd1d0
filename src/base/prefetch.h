/// Lines of memory that will be written to, sent for ahead.
///
/// Relies on nothing; used where the addresses of many are known before the first is needed.
/// Threads   pure functions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace uct::core {

/// Sends for the kSize bytes, at most two lines, at `place`; a line that is not there is not
/// fetched. Inlined at once: GCC 12 takes calls of a function that does nothing but prefetch for
/// idle, and leaves them out.
template <std::size_t kSize>
[[gnu::always_inline]] inline void prefetch_lines(std::uintptr_t place) {
  __builtin_prefetch(reinterpret_cast<const void*>(place), 1, 3);
  if constexpr (kSize > 64) __builtin_prefetch(reinterpret_cast<const void*>(place + 64), 1, 3);
}

}  // namespace uct::core
