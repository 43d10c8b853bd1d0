/// A bar on standard error while a long file is read.
///
/// Included by the session. Silent unless standard error is a terminal, and during the first half
/// second, so that short files leave no flicker.
/// Threads   one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "cli/output.h"

namespace uct::cli {

/// How far a file is read.
struct ReadingPosition {
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> bytes_max;  ///< nothing for a pipe
  std::uint64_t packets = 0;
};

class Progress {
 public:
  Progress(std::string file, bool enabled);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { clear(); }

  /// Draws the bar anew when it is time to; costs a look at the clock.
  void update(const ReadingPosition& position);

  /// Takes the bar away.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  std::string file_;
  bool enabled_;
  bool drawn_ = false;
  Clock::time_point start_;
  Clock::time_point next_;
};

/// Appends the bar's line, without control characters, in at most `width` columns.
void append_bar(Text& out, const std::string& file, const ReadingPosition& position,
                std::chrono::duration<double> elapsed, unsigned width);

}  // namespace uct::cli
