/// What is known of one file's run when it ends.
///
/// Filled by the session; included by the summary and by the JSON lines.
/// Threads   values only.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <uct/stats.h>
#include <uct/time.h>

namespace uct::cli {

struct RunFacts {
  std::string file;
  Stats stats;
  std::uint64_t frames_read = 0;
  std::uint64_t frames_tracked = 0;      ///< read, in the range, and matched by the filter
  Timestamp first{};                     ///< of the frames tracked, by capture time
  Timestamp last{};                      ///< the clock at the end
  std::chrono::nanoseconds elapsed{};    ///< reading and tracking, by the wall
  std::uint64_t peak_memory_bytes = 0;   ///< of the process, resident
  std::string error;                     ///< why reading ended early; empty otherwise
  std::uint64_t error_offset_bytes = 0;  ///< where
  std::uint64_t written = 0;             ///< packets written with --write
  std::string write_error;               ///< why not all; empty otherwise

  /// Gives     0 when nothing was tracked.
  double packets_per_second() const {
    const double seconds = std::chrono::duration<double>(elapsed).count();
    return seconds > 0 ? static_cast<double>(frames_tracked) / seconds : 0;
  }
  double ns_per_packet() const {
    const double count = static_cast<double>(frames_tracked);
    return frames_tracked == 0 ? 0 : static_cast<double>(elapsed.count()) / count;
  }
};

}  // namespace uct::cli
