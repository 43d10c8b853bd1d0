/// What the two file formats have in common: they cut a window of bytes into frames.
///
/// Included by classic.h and pcapng.h, which implement it, and by reader.cc.
/// Threads   one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "ports/capture/frame.h"
#include "ports/capture/outcome.h"
#include "ports/capture/window.h"

namespace uct::capture {

/// Bytes in one record at most. A frame has 64 KiB, what the kernel hands over after offloads 512
/// KiB; whoever claims more is a corrupt or a hostile file.
inline constexpr std::uint32_t kMaxRecordSize = std::uint32_t{16} << 20;

class Format {
 public:
  explicit Format(Window& window) : window_(window) {}
  virtual ~Format() = default;
  Format(const Format&) = delete;
  Format& operator=(const Format&) = delete;

  /// Fills `frames` from the front with as many as lie whole in the window, and reads on only when
  /// that is none: frames given stay where they are, and a live pipe never waits for a full burst.
  ///
  /// Requires  frames is not empty.
  /// Gives     how many; 0 at the end of the file or when error() is set.
  virtual std::size_t next_burst(std::span<Frame> frames) = 0;

  /// Gives     why reading stopped. It may be known while frames before it are still being given.
  ///           The message lacks the file's name and the offset, which Reader adds.
  const std::optional<ReadError>& error() const { return error_; }

 protected:
  /// Ends the reading at the record that starts at `offset`.
  void fail(std::uint64_t offset, std::string cause) {
    error_ = ReadError{std::move(cause), offset};
  }

  /// Ends the reading because the input ended or failed within the record at `offset`: `what` names
  /// it, of its `wanted` bytes only `present` are there.
  void fail_short(const std::string& what, std::uint64_t offset, std::uint64_t wanted,
                  std::uint64_t present);

  /// Gives     true when nothing is left and nothing went wrong. Asked where a record may start.
  bool ended_well() const { return window_.bytes().empty() && window_.input().failure().empty(); }

  Window& window_;
  std::uint64_t delivered_ = 0;  ///< frames given so far

 private:
  std::optional<ReadError> error_;
};

using FormatOutcome = Outcome<std::unique_ptr<Format>, ReadError>;

/// Finds out by its first bytes what the window holds, and reads the file's header.
///
/// Errors    empty, no capture file (with the bytes it starts with), a header cut short
FormatOutcome detect_format(Window& window);

}  // namespace uct::capture
