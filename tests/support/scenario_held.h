/// Takes the fragments that a tracker held and hands out, for "leaves" lines to ask about.
///
/// Used by scenario_run.cc.
/// Threads   one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include <uct/fragments.h>

namespace uct::scenario {

struct HandedOut {
  std::uint64_t number = 0;  ///< of the packet, from 1
  Verdict verdict;
  std::vector<std::byte> bytes;
  std::int64_t moment_ns = 0;
};

class HandedOutFragments : public FragmentSink {
 public:
  void on_fragment(const HeldFragment& fragment) noexcept override {
    const Packet& packet = fragment.packet;
    waiting.push_back(
        {packet.user, fragment.verdict, {packet.data, packet.data + packet.size}, moment_ns});
  }

  std::int64_t moment_ns = 0;     ///< now, in the file's time
  std::deque<HandedOut> waiting;  ///< that no line has asked about yet
};

}  // namespace uct::scenario
