/// Reads capture files: classic pcap and pcapng, plain or gzip'd, from a file or standard input.
///
///     path -> Input -> (gzip) -> Window -> ClassicFormat | PcapngFormat -> frames, in bursts
///
/// Included by the command line and by tools. libpcap is not used for reading: it refuses pcapng
/// files whose interfaces have different link types, tells no byte offsets, knows no gzip, and
/// hands out one packet a call. (It is used for filters: filter.h.)
/// Threads   one thread at a time; several readers share nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "ports/capture/frame.h"
#include "ports/capture/outcome.h"

namespace uct::capture {

class Reader {
 public:
  /// Opens the file at `path`, or standard input for "-", and reads its header.
  ///
  /// Errors    everything that keeps the first record from being read: missing, forbidden, a
  ///           directory, empty, no capture (the message shows its first bytes)
  static Outcome<Reader, ReadError> open(const std::string& path);

  /// Reads a capture that lies in memory, taking at most `piece` bytes of it at a time.
  ///
  /// Requires  `bytes` outlives the reader; piece > 0.
  static Outcome<Reader, ReadError> from_memory(
      std::span<const std::byte> bytes,
      std::size_t piece = std::numeric_limits<std::size_t>::max());

  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;
  ~Reader();

  /// Fills `frames` from the front with the frames that come next.
  ///
  /// Gives     how many. 0 (for a non-empty span) at the end, of which error() tells what kind: a
  ///           file that is cut or corrupt first gives every whole record before.
  /// Owns      the frames' bytes, until the next call or the reader's end.
  /// Cost      a few ns a frame beside read() (README.md). Memory: 256 KiB, or what the largest
  ///           record needs; never more because the file is large. Waits for input only when no
  ///           frame is at hand.
  std::size_t next_burst(std::span<Frame> frames);

  /// Gives     why next_burst() gave 0; nothing at the proper end of the file.
  const std::optional<ReadError>& error() const;

  /// Gives     bytes of the file taken so far; compressed ones where it is compressed.
  std::uint64_t bytes_read() const;

  /// Gives     what bytes_read() is at the end; nothing for a pipe.
  std::optional<std::uint64_t> size() const;

 private:
  struct Implementation;
  explicit Reader(std::unique_ptr<Implementation> implementation);
  static Outcome<Reader, ReadError> start(std::string name, std::unique_ptr<class Input> input);

  std::unique_ptr<Implementation> implementation_;
};

}  // namespace uct::capture
