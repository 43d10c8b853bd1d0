/// One captured frame, and what ends the reading of a capture early.
///
/// Included by reader.h, filter.h and who calls them.
/// Threads   values only; the bytes a Frame points to belong to the Reader that gave it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <uct/packet.h>
#include <uct/time.h>

namespace uct::capture {

/// A record of a capture file. Times count from 1970-01-01 00:00:00 UTC.
struct Frame {
  std::span<const std::byte> bytes;  ///< what was captured; valid until the reader's next call
  std::uint32_t wire_size = 0;       ///< bytes on the wire; never less than bytes.size()
  LinkType link = LinkType::unsupported;
  std::uint32_t dlt = 0;     ///< the file's own number of the link type (LINKTYPE_*, tcpdump.org)
  std::uint64_t number = 0;  ///< counts the frames of one file, from 1
  Timestamp time{};
  std::uint64_t offset = 0;  ///< of the record in the file; in a gzip'd one, once decompressed
};

/// Why a capture could not be read, or not to its end.
struct ReadError {
  std::string message;       ///< file, byte offset and cause, without a full stop
  std::uint64_t offset = 0;  ///< of the record that is not whole, counted as Frame::offset is
};

}  // namespace uct::capture
