#include "ports/capture/pcapng.h"

#include <algorithm>

namespace uct::capture {

namespace {

constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a;  // the same in either byte order
constexpr std::uint32_t kInterfaceDescription = 1;
constexpr std::uint32_t kObsoletePacket = 2;
constexpr std::uint32_t kSimplePacket = 3;
constexpr std::uint32_t kEnhancedPacket = 6;

constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;

constexpr std::uint32_t kHeaderSize = 8;             // type and total
constexpr std::uint32_t kSmallestBlock = 12;         // and total again
constexpr std::uint32_t kSmallestSectionBlock = 28;  // magic, version, section length
constexpr std::uint32_t kPacketHeaderSize = 20;      // of enhanced and obsolete packets

// Interfaces of one section at most; each takes memory, and a file of nothing else must end.
constexpr std::size_t kMaxInterfaces = 65'536;

bool is_used(std::uint32_t type) {
  return type == kEnhancedPacket || type == kSimplePacket || type == kObsoletePacket ||
         type == kInterfaceDescription || type == kSectionHeader;
}

std::string name_of(std::uint32_t type) {
  switch (type) {
    case kSectionHeader:
      return "the section header";
    case kInterfaceDescription:
      return "the interface block";
    case kObsoletePacket:
    case kSimplePacket:
    case kEnhancedPacket:
      return "the packet block";
    default:
      return "the block of type " + std::to_string(type);
  }
}

}  // namespace

bool PcapngFormat::starts(std::span<const std::byte> bytes) {
  return bytes.size() >= 4 && ByteOrder().u32(bytes.data()) == kSectionHeader;
}

FormatOutcome PcapngFormat::open(Window& window) {
  auto format = std::make_unique<PcapngFormat>(window);
  Frame none;
  if (format->step(none, true) != Step::other) return *format->error();
  return std::unique_ptr<Format>(std::move(format));
}

std::size_t PcapngFormat::next_burst(std::span<Frame> frames) {
  std::size_t count = 0;
  while (count < frames.size() && !error()) {
    switch (step(frames[count], count == 0)) {
      case Step::frame:
        ++count;
        break;
      case Step::other:
        break;
      case Step::later:
      case Step::stop:
        return count;
    }
  }
  return count;
}

PcapngFormat::Step PcapngFormat::step(Frame& frame, bool may_read) {
  if (window_.bytes().size() < kSmallestBlock) {
    const Step brought = bring_header(may_read);
    if (brought != Step::other) return brought;
  }
  Block block{};
  if (!parse_header(block)) return Step::stop;
  if (!is_used(block.type)) return skip_block(block, may_read);
  if (window_.bytes().size() < block.size) {
    const Step brought = bring_block(block, may_read);
    if (brought != Step::other) return brought;
  }
  const Step used = use_block(block, frame);
  if (used != Step::stop) window_.consume(block.size);
  return used;
}

// Brings the first 12 bytes of a block: the third word tells the byte order of a section header.
PcapngFormat::Step PcapngFormat::bring_header(bool may_read) {
  if (!may_read) return Step::later;
  if (window_.require(kSmallestBlock)) return Step::other;
  if (ended_well()) return Step::stop;
  fail_short("a block", window_.offset(), kSmallestBlock, window_.bytes().size());
  return Step::stop;
}

bool PcapngFormat::parse_header(Block& block) {
  const std::byte* header = window_.bytes().data();
  block.type = order_.u32(header);
  if (block.type == kSectionHeader) {
    const bool same = ByteOrder(false).u32(header + 8) == kByteOrderMagic;
    if (!same && ByteOrder(true).u32(header + 8) != kByteOrderMagic) {
      fail(window_.offset(), "the section header has no byte-order magic");
      return false;
    }
    order_ = ByteOrder(!same);
  }
  block.size = order_.u32(header + 4);
  const std::uint32_t smallest =
      block.type == kSectionHeader ? kSmallestSectionBlock : kSmallestBlock;
  if (block.size < smallest || block.size % 4 != 0) {
    fail(window_.offset(), name_of(block.type) + " claims " + std::to_string(block.size) +
                               " bytes; blocks have " + std::to_string(smallest) +
                               " or more, in fours");
    return false;
  }
  return true;
}

PcapngFormat::Step PcapngFormat::bring_block(const Block& block, bool may_read) {
  if (block.size > kMaxRecordSize) {
    return fail_here(name_of(block.type) + " claims " + std::to_string(block.size) +
                     " bytes, more than the limit of " + std::to_string(kMaxRecordSize));
  }
  if (!may_read) return Step::later;
  if (window_.require(block.size)) return Step::other;
  fail_short(name_of(block.type), window_.offset(), block.size, window_.bytes().size());
  return Step::stop;
}

// Steps over a block without keeping it, so that its size needs no limit.
PcapngFormat::Step PcapngFormat::skip_block(const Block& block, bool may_read) {
  if (!may_read && window_.bytes().size() < block.size) return Step::later;
  const std::uint64_t offset = window_.offset();
  window_.skip(block.size - 4);
  if (!window_.require(4)) {
    fail_short(name_of(block.type), offset, block.size,
               window_.offset() - offset + window_.bytes().size());
    return Step::stop;
  }
  if (order_.u32(window_.bytes().data()) != block.size) {
    fail(offset, name_of(block.type) + " ends with another length than it starts with");
    return Step::stop;
  }
  window_.consume(4);
  return Step::other;
}

// The block is whole in the window.
PcapngFormat::Step PcapngFormat::use_block(const Block& block, Frame& frame) {
  const std::byte* start = window_.bytes().data();
  if (order_.u32(start + block.size - 4) != block.size) {
    return fail_here(name_of(block.type) + " ends with another length than it starts with");
  }
  const std::span<const std::byte> body(start + kHeaderSize, block.size - kSmallestBlock);
  switch (block.type) {
    case kEnhancedPacket:
      return enhanced_packet(body, frame);
    case kSimplePacket:
      return simple_packet(body, frame);
    case kObsoletePacket:
      return obsolete_packet(body, frame);
    case kInterfaceDescription:
      return add_interface(body);
    default:
      return start_section(body);
  }
}

PcapngFormat::Step PcapngFormat::start_section(std::span<const std::byte> body) {
  const std::uint16_t major = order_.u16(body.data() + 4);
  if (major != 1) {
    return fail_here("the section has version " + std::to_string(major) + ", only 1 is known");
  }
  interfaces_.clear();
  return Step::other;
}

PcapngFormat::Step PcapngFormat::add_interface(std::span<const std::byte> body) {
  auto interface = parse_interface(body, order_);
  if (!interface) return fail_here(interface.error());
  if (interfaces_.size() == kMaxInterfaces) {
    return fail_here("the section has more than " + std::to_string(kMaxInterfaces) + " interfaces");
  }
  interfaces_.push_back(interface.value());
  return Step::other;
}

PcapngFormat::Step PcapngFormat::enhanced_packet(std::span<const std::byte> body, Frame& frame) {
  if (body.size() < kPacketHeaderSize)
    return fail_here("the packet block has no room for a packet");
  return timed_packet(order_.u32(body.data()), body.subspan(4), frame);
}

PcapngFormat::Step PcapngFormat::obsolete_packet(std::span<const std::byte> body, Frame& frame) {
  if (body.size() < kPacketHeaderSize)
    return fail_here("the packet block has no room for a packet");
  return timed_packet(order_.u16(body.data()), body.subspan(4), frame);
}

// `rest` starts with the ticks, where the two kinds of packet block have become the same.
PcapngFormat::Step PcapngFormat::timed_packet(std::uint32_t interface_number,
                                              std::span<const std::byte> rest, Frame& frame) {
  if (interface_number >= interfaces_.size()) {
    return fail_here("the packet is of interface " + std::to_string(interface_number) +
                     ", the section has " + std::to_string(interfaces_.size()));
  }
  const std::uint64_t ticks = std::uint64_t{order_.u32(rest.data())} << 32 | order_.u32(&rest[4]);
  const std::uint32_t captured = order_.u32(&rest[8]);
  const std::uint32_t wire_size = order_.u32(&rest[12]);
  const std::span<const std::byte> bytes = rest.subspan(16);
  if (captured > bytes.size()) {
    return fail_here("the packet claims " + std::to_string(captured) + " bytes, its block has " +
                     std::to_string(bytes.size()));
  }
  const PcapngInterface& interface = interfaces_[interface_number];
  latest_ = interface.clock.at(ticks);
  fill(frame, interface, bytes.first(captured), wire_size);
  return Step::frame;
}

// The block has no time: the frame before lends its own, for a clock that follows the capture must
// not fall back to 1970.
PcapngFormat::Step PcapngFormat::simple_packet(std::span<const std::byte> body, Frame& frame) {
  if (interfaces_.empty()) return fail_here("the packet is of interface 0, the section has 0");
  if (body.size() < 4) return fail_here("the packet block has no room for a packet");
  const std::uint32_t wire_size = order_.u32(body.data());
  std::size_t captured = std::min<std::size_t>(wire_size, body.size() - 4);
  const std::uint32_t snapshot_size = interfaces_.front().snapshot_size;
  if (snapshot_size != 0) captured = std::min<std::size_t>(captured, snapshot_size);
  fill(frame, interfaces_.front(), body.subspan(4, captured), wire_size);
  return Step::frame;
}

PcapngFormat::Step PcapngFormat::fail_here(std::string cause) {
  fail(window_.offset(), std::move(cause));
  return Step::stop;
}

void PcapngFormat::fill(Frame& frame, const PcapngInterface& interface,
                        std::span<const std::byte> bytes, std::uint32_t wire_size) {
  frame.bytes = bytes;
  frame.wire_size = std::max(wire_size, static_cast<std::uint32_t>(bytes.size()));
  frame.link = interface.link;
  frame.dlt = interface.dlt;
  frame.number = ++delivered_;
  frame.time = latest_;
  frame.offset = window_.offset();
}

}  // namespace uct::capture
