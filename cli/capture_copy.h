/// Writes what became of the packets of a capture into another one.
///
/// Relies on ports/capture; used by session.cc.
/// Threads   one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ports/capture/frame.h"
#include "ports/capture/writer.h"

namespace uct::cli {

class CaptureCopy {
 public:
  /// The file is made with the first packet, whose link type it gets.
  explicit CaptureCopy(std::string path) : path_(std::move(path)) {}

  /// Gives     false when the packet could not be written, now or before; error() says why.
  bool write(const capture::Frame& frame);

  /// Gives     false when the file is not complete.
  bool close();

  const std::string& path() const { return path_; }
  const std::string& error() const { return error_; }
  std::uint64_t packets() const { return packets_; }

 private:
  bool fail(std::string error);

  std::string path_;
  std::string error_;
  std::optional<capture::Writer> writer_;
  std::uint32_t dlt_ = 0;
  std::uint64_t packets_ = 0;
};

}  // namespace uct::cli
