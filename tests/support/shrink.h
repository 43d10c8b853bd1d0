/// Makes a failing sequence shorter (A. Zeller, R. Hildebrandt, "Simplifying and isolating
/// failure-inducing input", 2002).
///
/// Included by tests that play random sequences.
/// Threads   none.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <vector>

namespace uct::test {

/// Takes out pieces, big ones first, for as long as what is left still fails.
///
/// Requires  fails(sequence)
/// Gives     a part of the sequence, in order, that fails; with enough `attempts`, one of which no
///           single element can be taken out.
template <typename T>
std::vector<T> shrink(std::vector<T> sequence,
                      const std::function<bool(const std::vector<T>&)>& fails,
                      std::size_t attempts) {
  std::size_t piece = std::max<std::size_t>(sequence.size() / 2, 1);
  bool shorter = false;
  for (std::size_t at = 0; attempts != 0;) {
    if (at >= sequence.size()) {
      if (piece == 1 && !shorter) break;
      piece = std::max<std::size_t>(piece / 2, 1);
      shorter = false;
      at = 0;
      continue;
    }
    --attempts;
    const std::size_t end = std::min(at + piece, sequence.size());
    std::vector<T> rest(sequence.begin(), sequence.begin() + static_cast<std::ptrdiff_t>(at));
    rest.insert(rest.end(), sequence.begin() + static_cast<std::ptrdiff_t>(end), sequence.end());
    if (fails(rest)) {
      sequence = std::move(rest);
      shorter = true;
    } else {
      at += piece;
    }
  }
  return sequence;
}

}  // namespace uct::test
