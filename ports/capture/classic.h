/// Classic pcap: a file header, then records.
///
///   file    magic 4 | major 2 | minor 2 | zone 4 | accuracy 4 | snapshot 4 | link type 4
///   record  seconds 4 | fraction 4 | captured 4 | on the wire 4 | (modified: 8 more) | bytes
///
/// The magic tells the byte order, whether fractions are micro- or nanoseconds, and whether it is
/// the modified format of A. Kuznetzov's patches, which adds interface, protocol and packet type to
/// each record (draft-ietf-opsawg-pcap; libpcap's sf-pcap.c). Included by format.cc.
/// Threads   one thread at a time.
#pragma once

#include "ports/capture/byte_order.h"
#include "ports/capture/format.h"

namespace uct::capture {

class ClassicFormat final : public Format {
 public:
  static bool starts(std::span<const std::byte> bytes);

  /// Requires  starts(window.bytes())
  static FormatOutcome open(Window& window);

  ClassicFormat(Window& window, ByteOrder order, bool nanoseconds, bool modified);
  std::size_t next_burst(std::span<Frame> frames) override;

 private:
  struct Lengths {
    std::uint32_t captured;
    std::uint32_t wire;
  };

  Lengths lengths_of(const std::byte* record) const;
  std::size_t cut(std::span<Frame> frames);
  bool bring_record();

  ByteOrder order_;
  std::uint32_t nanoseconds_per_fraction_;
  std::uint32_t header_size_;  ///< of a record
  bool lengths_may_be_swapped_;
  std::uint32_t dlt_;
  LinkType link_;
};

}  // namespace uct::capture
