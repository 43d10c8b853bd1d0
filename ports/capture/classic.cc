#include "ports/capture/classic.h"

#include <algorithm>

#include "ports/capture/link_type.h"

namespace uct::capture {

namespace {

constexpr std::size_t kFileHeaderSize = 24;
constexpr std::uint32_t kHeaderSize = 16;
constexpr std::uint32_t kModifiedHeaderSize = 24;

constexpr std::uint32_t kMicroseconds = 0xa1b2c3d4;
constexpr std::uint32_t kNanoseconds = 0xa1b23c4d;
constexpr std::uint32_t kModified = 0xa1b2cd34;

// The upper bits tell of checksums behind the frame, which the IP length excludes anyway.
constexpr std::uint32_t kLinkTypeMask = 0x03ffffff;

constexpr bool is_magic(std::uint32_t value) {
  return value == kMicroseconds || value == kNanoseconds || value == kModified;
}

}  // namespace

bool ClassicFormat::starts(std::span<const std::byte> bytes) {
  return bytes.size() >= 4 && (is_magic(ByteOrder(false).u32(bytes.data())) ||
                               is_magic(ByteOrder(true).u32(bytes.data())));
}

FormatOutcome ClassicFormat::open(Window& window) {
  if (!window.require(kFileHeaderSize)) {
    if (!window.input().failure().empty()) return ReadError{window.input().failure(), 0};
    return ReadError{
        "its header claims 24 bytes, the file ends after " + std::to_string(window.bytes().size()),
        0};
  }
  const std::byte* header = window.bytes().data();
  const ByteOrder order(!is_magic(ByteOrder(false).u32(header)));
  const std::uint16_t major = order.u16(header + 4);
  if (major != 2) {
    return ReadError{"is a pcap file of version " + std::to_string(major) + "." +
                         std::to_string(order.u16(header + 6)) + ", only version 2 is known",
                     0};
  }
  const std::uint32_t magic = order.u32(header);
  std::unique_ptr<Format> format =
      std::make_unique<ClassicFormat>(window, order, magic == kNanoseconds, magic == kModified);
  window.consume(kFileHeaderSize);
  return format;
}

// The window still stands at the file's header.
ClassicFormat::ClassicFormat(Window& window, ByteOrder order, bool nanoseconds, bool modified)
    : Format(window),
      order_(order),
      nanoseconds_per_fraction_(nanoseconds ? 1 : 1000),
      header_size_(modified ? kModifiedHeaderSize : kHeaderSize),
      // Versions up to 2.2 wrote the two lengths the other way round, 2.3 either way (sf-pcap.c).
      lengths_may_be_swapped_(order.u16(window.bytes().data() + 6) <= 3),
      dlt_(order.u32(window.bytes().data() + 20) & kLinkTypeMask),
      link_(link_type_of(dlt_)) {}

std::size_t ClassicFormat::next_burst(std::span<Frame> frames) {
  const std::size_t count = cut(frames);
  if (count != 0 || !bring_record()) return count;
  return cut(frames);
}

ClassicFormat::Lengths ClassicFormat::lengths_of(const std::byte* record) const {
  const Lengths lengths{order_.u32(record + 8), order_.u32(record + 12)};
  if (lengths_may_be_swapped_ && lengths.captured > lengths.wire) {
    return {lengths.wire, lengths.captured};
  }
  return lengths;
}

// Cuts frames off the window until one is not whole, or claims too much.
std::size_t ClassicFormat::cut(std::span<Frame> frames) {
  const std::span<const std::byte> bytes = window_.bytes();
  const std::uint64_t offset = window_.offset();
  const std::uint64_t delivered = delivered_;
  std::size_t count = 0;
  std::size_t at = 0;
  while (count < frames.size() && bytes.size() - at >= header_size_) {
    const std::byte* record = bytes.data() + at;
    const Lengths lengths = lengths_of(record);
    const std::size_t room = bytes.size() - at - header_size_;
    if (lengths.captured > std::min<std::size_t>(room, kMaxRecordSize)) break;
    const std::int64_t seconds = order_.u32(record);
    const std::int64_t fraction = order_.u32(record + 4);
    Frame& frame = frames[count++];
    frame.bytes = {record + header_size_, lengths.captured};
    frame.wire_size = std::max(lengths.wire, lengths.captured);
    frame.link = link_;
    frame.dlt = dlt_;
    frame.number = delivered + count;
    frame.time = timestamp_from_ns(seconds * 1'000'000'000 + fraction * nanoseconds_per_fraction_);
    frame.offset = offset + at;
    at += header_size_ + lengths.captured;
  }
  window_.consume(at);
  delivered_ += count;
  return count;
}

// Reads until the next record is whole. Gives false at the end, with error() set if it is no end.
bool ClassicFormat::bring_record() {
  const std::string name = "record " + std::to_string(delivered_ + 1);
  if (!window_.require(header_size_)) {
    if (ended_well()) return false;
    fail_short("the header of " + name, window_.offset(), header_size_, window_.bytes().size());
    return false;
  }
  const std::uint32_t captured = lengths_of(window_.bytes().data()).captured;
  if (captured > kMaxRecordSize) {
    fail(window_.offset(), name + " claims " + std::to_string(captured) +
                               " bytes, more than the limit of " + std::to_string(kMaxRecordSize));
    return false;
  }
  if (window_.require(header_size_ + captured)) return true;
  fail_short(name, window_.offset(), captured, window_.bytes().size() - header_size_);
  return false;
}

}  // namespace uct::capture
