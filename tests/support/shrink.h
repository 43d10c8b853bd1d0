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

/// Likewise for a sequence that has its elements in `operations`, and failed at the `failed`-th of
/// them or behind the last one.
template <typename Sequence, typename Fails>
Sequence shrink_operations(const Sequence& sequence, std::size_t failed, Fails&& fails,
                           std::size_t attempts) {
  using Operations = decltype(Sequence::operations);
  Sequence shorter = sequence;
  if (failed < sequence.operations.size()) shorter.operations.resize(failed + 1);
  if (!fails(shorter)) shorter = sequence;
  Sequence part = sequence;
  const auto part_fails = [&](const Operations& operations) {
    part.operations = operations;
    return fails(part);
  };
  shorter.operations =
      shrink<typename Operations::value_type>(shorter.operations, part_fails, attempts);
  return shorter;
}

}  // namespace uct::test
