/// Fragments that the tracker held and hands out: kept until the session prints and writes them.
///
/// Relies on ports/capture; used by session.cc, which hands it to the tracker as its FragmentSink.
/// Threads   one thread at a time: `uct track` has one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include <uct/explanation.h>
#include <uct/fragments.h>

#include "ports/capture/frame.h"

namespace uct::cli {

/// A fragment that was held, and what became of it.
struct LeavingFragment {
  capture::Frame frame;  ///< as captured; its bytes are `bytes`, so that it may not be moved
  Verdict verdict;
  std::optional<Explanation> explanation;
  std::vector<std::byte> bytes;
  const Packet* behind = nullptr;  ///< see HeldFragment
};

class LeavingFragments final : public FragmentSink {
 public:
  /// Notes where the bytes of a held packet were found; its Packet::user is the frame's number.
  void note_held(const capture::Frame& frame);

  void on_fragment(const HeldFragment& fragment) noexcept override;

  /// Gives     the next one that left behind that packet, or null. Good until pop().
  ///
  /// Requires  every held packet up to that one was noted
  LeavingFragment* front(const Packet* behind);
  void pop() { leaving_.pop_front(); }

 private:
  std::map<std::uint64_t, capture::Frame> held_;  ///< by number, without bytes
  std::deque<LeavingFragment> leaving_;
};

}  // namespace uct::cli
