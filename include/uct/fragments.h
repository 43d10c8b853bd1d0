/// Fragments that come before the first one of their datagram.
///
/// Only the first fragment has ports, so that those that overtake it cannot be judged yet. A
/// tracker with a FragmentSink copies and holds them, within the bounds of Config, and hands each
/// one out exactly once: when its first fragment was decided, or when it is given up. A tracker
/// without one holds nothing: they are `inv` with Reason::fragment_without_first.
///
/// Included by config.h.
/// Threads   see FragmentSink.
#pragma once

#include <uct/explanation.h>
#include <uct/packet.h>
#include <uct/verdict.h>

namespace uct {

/// A fragment that was held, and what is to become of it.
struct HeldFragment {
  /// As it came, `user` included, but with the bytes in the tracker's memory; translated like its
  /// datagram. They may be written, and last until on_fragment() returns.
  Packet packet;
  /// As for a fragment that follows its first one; or `inv|trk`: fragment_without_first when its
  /// time ended, fragment_no_room when others needed its room, or what condemned its datagram.
  Verdict verdict;
  /// Null unless the call that decided the first fragment asked for explanations.
  const Explanation* explanation = nullptr;
  /// Within process(): the packet of the burst that made it leave, behind which it belongs. Else
  /// null.
  const Packet* behind = nullptr;
};

/// Receives fragments that were held.
class FragmentSink {
 public:
  virtual ~FragmentSink() = default;

  /// Sends a fragment on, or counts it.
  ///
  /// Gives     nothing: what is not copied here is gone.
  /// Threads   called within Tracker::process, on the thread that decided the first fragment,
  ///           before the call returns, in the order in which they came; within process() or
  ///           sweep() on the thread that found that they must go. No lock is held: it may call
  ///           the tracker. Two calls may run at once for different datagrams.
  virtual void on_fragment(const HeldFragment& fragment) noexcept = 0;
};

}  // namespace uct
