/// One capture through one tracker: the loop.
///
///     frames -> range, filter -> bursts of one millisecond -> sweep when due, process -> lines
///
/// Included by track.cc, which makes a session for each file.
/// Threads   one thread at a time.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include <uct/tracker.h>

#include "cli/capture_copy.h"
#include "cli/event_lines.h"
#include "cli/leaving_fragments.h"
#include "cli/packet_lines.h"
#include "cli/progress.h"
#include "cli/run_facts.h"
#include "ports/capture/filter.h"
#include "ports/capture/reader.h"

namespace uct::cli {

/// What a session works with; all of it outlives the session.
struct SessionParts {
  const TrackOptions& options;
  capture::Reader& reader;
  capture::Filter* filter;  ///< null matches every frame
  Output& out;
  Style style;
};

class Session {
 public:
  /// Errors    those of Tracker::create and Tracker::add_nat
  static Result<std::unique_ptr<Session>> start(const SessionParts& parts, const std::string& file);

  /// Reads the capture to its end, or until nobody reads the output, and prints lines on the way.
  ///
  /// Gives     what it came to. A capture that is cut or corrupt counts up to there, and says so.
  RunFacts run();

  const Tracker& tracker() const { return *tracker_; }

  /// Gives     the tracker's time: that of the last packet, unless the clock is frozen.
  Timestamp now() const { return now_; }

  std::uint64_t event_count() const { return events_.count(); }

 private:
  Session(const SessionParts& parts, const std::string& file);

  bool is_wanted(const capture::Frame& frame);
  std::size_t keep_wanted(std::size_t count);
  void track(std::size_t count);
  void track_burst(std::size_t first, std::size_t count);
  void advance_clock(Timestamp time);
  void sweep_if_due();
  void sweep_all();
  void emit_burst(std::size_t first, std::size_t count);
  void emit_leaving(const Packet* behind, Timestamp time);
  void flush_fragments();
  void emit(const capture::Frame& frame, const JudgedPacket& judged);
  RunFacts finish();

  const TrackOptions& options_;
  capture::Reader& reader_;
  capture::Filter* filter_;
  Output& out_;
  PacketLines packet_lines_;
  EventLines events_;
  LeavingFragments leaving_;
  Progress progress_;
  std::unique_ptr<Tracker> tracker_;
  Request request_;
  std::optional<CaptureCopy> copy_;
  Duration shortest_timeout_{};

  RunFacts facts_;
  Timestamp first_read_{};  ///< time of the file's first frame
  Timestamp now_{};
  Timestamp burst_end_ = Timestamp::min();  ///< where the burst's millisecond ends
  Timestamp sweep_due_ = Timestamp::min();
  bool ended_ = false;  ///< no later frame can be wanted

  std::array<capture::Frame, kBurstMax> frames_;
  std::array<Packet, kBurstMax> packets_;  ///< one for each wanted frame
  std::array<Verdict, kBurstMax> verdicts_;
  std::array<Explanation, kBurstMax> explanations_;
};

}  // namespace uct::cli
