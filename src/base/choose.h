/// A choice that is never a branch: for conditions that nobody can predict.
///
/// Relies on nothing; used where packets of two kinds come in any order.
/// Threads   a pure function.
#pragma once

#include <cstdint>

namespace uct::core {

/// Gives     `yes` or `no`. Of a plain ?: compilers make a branch as they like.
inline std::uint64_t choose(bool condition, std::uint64_t yes, std::uint64_t no) {
  std::uint64_t mask = 0 - std::uint64_t{condition};
  asm("" : "+r"(mask));  // where it comes from the compiler shall not see
  return no ^ ((yes ^ no) & mask);
}

}  // namespace uct::core
