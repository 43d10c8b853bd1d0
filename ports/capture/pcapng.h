/// pcapng: a file of blocks.
///
///   block   type 4 | total 4 | body, padded to 4 | total 4
///
///   0x0a0d0d0a  section header: byte order; starts a section, which has interfaces of its own
///   1           interface description: link type and clock of the next interface number
///   6           enhanced packet: interface 4 | ticks 4+4 | captured 4 | on the wire 4 | bytes
///   3           simple packet: on the wire 4 | bytes; of interface 0, without a time
///   2           packet (obsolete): interface 2 | drops 2 | ticks 4+4 | captured 4 | wire 4 | bytes
///
/// All others (names, statistics, secrets, custom ones) are stepped over, whatever their size
/// (draft-ietf-opsawg-pcapng). Included by format.cc.
/// Threads   one thread at a time.
#pragma once

#include <vector>

#include "ports/capture/byte_order.h"
#include "ports/capture/format.h"
#include "ports/capture/pcapng_interface.h"

namespace uct::capture {

class PcapngFormat final : public Format {
 public:
  static bool starts(std::span<const std::byte> bytes);

  /// Requires  starts(window.bytes())
  static FormatOutcome open(Window& window);

  explicit PcapngFormat(Window& window) : Format(window) {}
  std::size_t next_burst(std::span<Frame> frames) override;

 private:
  /// What became of the block at the window's start.
  enum class Step : std::uint8_t {
    frame,  ///< a frame was cut off
    other,  ///< a block without a frame was consumed
    later,  ///< the block is not whole in the window, which must stay while frames point into it
    stop,   ///< the file ends here, or error() is set
  };

  struct Block {
    std::uint32_t type;
    std::uint32_t size;  ///< all of it, as its header claims
  };

  Step step(Frame& frame, bool may_read);
  Step bring_header(bool may_read);
  bool parse_header(Block& block);
  Step bring_block(const Block& block, bool may_read);
  Step skip_block(const Block& block, bool may_read);
  Step use_block(const Block& block, Frame& frame);
  Step start_section(std::span<const std::byte> body);
  Step add_interface(std::span<const std::byte> body);
  Step enhanced_packet(std::span<const std::byte> body, Frame& frame);
  Step simple_packet(std::span<const std::byte> body, Frame& frame);
  Step obsolete_packet(std::span<const std::byte> body, Frame& frame);
  Step timed_packet(std::uint32_t interface_number, std::span<const std::byte> rest, Frame& frame);
  Step fail_here(std::string cause);
  void fill(Frame& frame, const PcapngInterface& interface, std::span<const std::byte> bytes,
            std::uint32_t wire_size);

  ByteOrder order_;                          ///< of the present section
  std::vector<PcapngInterface> interfaces_;  ///< of the present section, by number
  Timestamp latest_{};                       ///< of the frame before
};

}  // namespace uct::capture
