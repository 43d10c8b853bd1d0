/// Writes classic pcap files, in this machine's byte order.
///
/// Included by tools and tests that make captures.
/// Threads   one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <uct/time.h>

#include "ports/capture/outcome.h"

namespace uct::capture {

struct WriterConfig {
  std::uint32_t dlt = 1;                  ///< LINKTYPE_ number of every frame; 1 is Ethernet
  bool nanoseconds = false;               ///< times in nanoseconds; otherwise cut to microseconds
  std::uint32_t snapshot_size = 262'144;  ///< told to readers only; tcpdump's own default
};

class Writer {
 public:
  /// Makes the file, or empties it, and writes its header.
  ///
  /// Errors    the path and the system's words
  static Outcome<Writer> create(const std::string& path, const WriterConfig& config = {});

  /// Writes one record. `wire_size` 0 means bytes.size(). The format holds times from 1970 to 2106;
  /// others are moved to the nearer end.
  ///
  /// Gives     false when writing failed, now or before; error() says why.
  bool write(std::span<const std::byte> bytes, Timestamp time, std::uint32_t wire_size = 0);

  /// Writes what is still buffered and closes the file. A Writer that goes away does so too, but
  /// can tell nobody when the disk is full.
  bool close();

  /// Gives     the size of the file as written so far, its header included.
  std::uint64_t size() const { return size_; }

  const std::optional<std::string>& error() const { return error_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  Writer(std::string path, std::FILE* file, bool nanoseconds)
      : path_(std::move(path)), file_(file), nanoseconds_(nanoseconds) {}
  bool put(const void* data, std::size_t size);
  bool fail();

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  bool nanoseconds_;
  std::uint64_t size_ = 0;
  std::optional<std::string> error_;
};

}  // namespace uct::capture
