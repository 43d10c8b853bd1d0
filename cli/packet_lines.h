/// A line for each packet: `3: est|rpl|trk`, with --explain also what stands behind it.
///
/// Included by the session. The plain form is made for speed: a tool may score millions of packets.
/// Threads   one thread at a time.
#pragma once

#include <array>
#include <string>

#include <uct/explanation.h>
#include <uct/verdict.h>

#include "cli/terminal.h"
#include "cli/track_options.h"

namespace uct::cli {

/// One packet and what the tracker said of it.
struct JudgedPacket {
  std::uint64_t number = 0;  ///< in the capture, from 1
  Timestamp time{};          ///< as captured
  const Verdict* verdict = nullptr;
  const Explanation* explanation = nullptr;  ///< null without --explain
};

class PacketLines {
 public:
  PacketLines(const TrackOptions& options, Style style);

  void append(Text& out, const JudgedPacket& packet) const;

 private:
  void append_plain(Text& out, const JudgedPacket& packet) const;
  void append_json(Text& out, const JudgedPacket& packet) const;

  bool json_;
  std::array<std::string, 256> flags_;  ///< by StateFlags; painted when lines are
};

/// Appends the numbers that led to the reason, as ` (seq 1001, ...)`; nothing when there are none.
void append_numbers(Text& out, Reason reason, const Explanation& explanation);

}  // namespace uct::cli
