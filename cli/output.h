/// Where the lines of a command go: text is gathered in memory and written in large pieces.
///
/// Included by every file here that prints. Formatters append to a Text and know no file, so that
/// their tests compare strings.
/// Threads   one thread at a time.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace uct::cli {

/// Characters on their way out.
using Text = fmt::memory_buffer;

inline void append(Text& out, std::string_view words) {
  out.append(words.data(), words.data() + words.size());
}

inline std::string_view view(const Text& text) { return {text.data(), text.size()}; }

/// Text that is written to a descriptor from time to time.
class Output {
 public:
  /// Requires  the process ignores SIGPIPE, so that writing to nobody is an error, not the end.
  explicit Output(int descriptor) : descriptor_(descriptor) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() { flush(); }

  Text& text() { return text_; }

  /// Writes when enough is gathered for a system call to be cheap beside it.
  void flush_when_full() {
    if (text_.size() >= kPiece) flush();
  }

  /// Writes everything gathered; drops it when nobody reads any more.
  void flush();

  /// Gives     true when writing ended for good: the reader went away, or see error().
  bool closed() const { return closed_; }

  /// Gives     the system's words when writing failed for another reason than a closed pipe.
  const std::string& error() const { return error_; }

 private:
  static constexpr std::size_t kPiece = std::size_t{64} << 10;  // a pipe's default size on Linux

  int descriptor_;
  bool closed_ = false;
  std::string error_;
  Text text_;
};

}  // namespace uct::cli
