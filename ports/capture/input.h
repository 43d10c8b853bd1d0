/// Where the bytes of a capture come from: a file, standard input, memory.
///
/// Included by window.h, which buffers them, and by gzip.h, which decompresses them.
/// Threads   one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "ports/capture/outcome.h"

namespace uct::capture {

class Input {
 public:
  virtual ~Input() = default;

  /// Reads what is there now, waiting for at least one byte.
  ///
  /// Requires  room is not empty.
  /// Gives     how many bytes were put at the front of `room`; 0 when the input ended or failed.
  virtual std::size_t read(std::span<std::byte> room) = 0;

  /// Gives     why read() gave 0; empty when the input simply ended.
  const std::string& failure() const { return failure_; }

  /// Gives     bytes taken from the file so far; compressed ones when it is compressed.
  virtual std::uint64_t position() const = 0;

  /// Gives     the size that position() ends at, where that is known beforehand.
  virtual std::optional<std::uint64_t> size() const = 0;

 protected:
  std::string failure_;
};

/// Opens a file, or standard input for "-".
///
/// Errors    the system's words, or that it is a directory; without the path.
Outcome<std::unique_ptr<Input>> open_input(const std::string& path);

/// Reads `bytes`, at most `piece` of them at a time, as a pipe might hand them on.
///
/// Requires  `bytes` outlives the input; piece > 0.
std::unique_ptr<Input> input_from_memory(std::span<const std::byte> bytes, std::size_t piece);

}  // namespace uct::capture
