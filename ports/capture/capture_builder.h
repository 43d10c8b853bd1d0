/// Builds capture files in memory, byte by byte, for this room's tests.
///
/// Included by *_test.cc here.
/// Threads   values only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ports/capture/reader.h"

namespace uct::capture::testing {

enum class Order : std::uint8_t { little, big };

inline constexpr Order kOrders[] = {Order::little, Order::big};

using Content = std::vector<std::byte>;

inline Content content_of(std::string_view text) {
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  return {bytes, bytes + text.size()};
}

inline std::string text_of(const Frame& frame) {
  return {reinterpret_cast<const char*>(frame.bytes.data()), frame.bytes.size()};
}

/// Appends numbers in one byte order.
class Builder {
 public:
  explicit Builder(Order order) : order_(order) {}

  Builder& number(std::uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; ++i) {
      const unsigned shift = 8 * (order_ == Order::little ? i : size - 1 - i);
      content_.push_back(static_cast<std::byte>(value >> shift));
    }
    return *this;
  }
  Builder& u16(std::uint64_t value) { return number(value, 2); }
  Builder& u32(std::uint64_t value) { return number(value, 4); }
  Builder& u64(std::uint64_t value) { return number(value, 8); }
  Builder& text(std::string_view bytes) {
    const Content more = content_of(bytes);
    content_.insert(content_.end(), more.begin(), more.end());
    return *this;
  }
  Builder& padding() { return number(0, static_cast<unsigned>(-content_.size() & 3)); }

  const Content& content() const { return content_; }
  std::size_t size() const { return content_.size(); }
  Order order() const { return order_; }

 protected:
  Content content_;

 private:
  Order order_;
};

/// A classic pcap file. Link type 1 and version 2.4 unless told otherwise.
class ClassicFile : public Builder {
 public:
  static constexpr std::uint32_t kMicroseconds = 0xa1b2c3d4;
  static constexpr std::uint32_t kNanoseconds = 0xa1b23c4d;
  static constexpr std::uint32_t kModified = 0xa1b2cd34;

  explicit ClassicFile(Order order, std::uint32_t magic = kMicroseconds, std::uint32_t dlt = 1,
                       std::uint16_t minor = 4)
      : Builder(order), modified_(magic == kModified) {
    u32(magic).u16(2).u16(minor).u32(0).u32(0).u32(65'535).u32(dlt);
  }

  ClassicFile& record(std::uint32_t seconds, std::uint32_t fraction, std::string_view bytes,
                      std::uint32_t wire_size = 0) {
    header(seconds, fraction, static_cast<std::uint32_t>(bytes.size()),
           wire_size == 0 ? static_cast<std::uint32_t>(bytes.size()) : wire_size);
    text(bytes);
    return *this;
  }

  ClassicFile& header(std::uint32_t seconds, std::uint32_t fraction, std::uint32_t captured,
                      std::uint32_t wire_size) {
    starts.push_back(size());
    u32(seconds).u32(fraction).u32(captured).u32(wire_size);
    if (modified_) u32(3).u16(0x0800).u16(0);
    return *this;
  }

  std::vector<std::size_t> starts;  ///< where each record is

 private:
  bool modified_;
};

/// A pcapng file. Blocks are made of a body; lengths and padding come by themselves.
class PcapngFile : public Builder {
 public:
  explicit PcapngFile(Order order) : Builder(order) { section(); }

  PcapngFile& block(std::uint32_t type, const Builder& body) {
    starts.push_back(size());
    const std::size_t padded = (body.size() + 3) & ~std::size_t{3};
    u32(type).u32(padded + 12);
    content_.insert(content_.end(), body.content().begin(), body.content().end());
    padding().u32(padded + 12);
    return *this;
  }
  PcapngFile& section() {
    return block(0x0a0d0d0a, part().u32(0x1a2b3c4d).u16(1).u16(0).u64(~std::uint64_t{0}));
  }
  PcapngFile& interface(std::uint16_t dlt, const Builder& options, std::uint32_t snapshot = 0) {
    Builder body = part().u16(dlt).u16(0).u32(snapshot);
    for (const std::byte byte : options.content()) body.number(std::to_integer<unsigned>(byte), 1);
    return block(1, body);
  }
  PcapngFile& interface(std::uint16_t dlt) { return interface(dlt, part()); }
  PcapngFile& enhanced(std::uint32_t number, std::uint64_t ticks, std::string_view bytes,
                       std::uint32_t wire_size = 0) {
    Builder body = part().u32(number).u32(ticks >> 32).u32(ticks);
    body.u32(bytes.size()).u32(wire_size == 0 ? bytes.size() : wire_size).text(bytes);
    return block(6, body);
  }
  PcapngFile& obsolete(std::uint16_t number, std::uint64_t ticks, std::string_view bytes) {
    Builder body = part().u16(number).u16(7).u32(ticks >> 32).u32(ticks);
    body.u32(bytes.size()).u32(bytes.size()).text(bytes);
    return block(2, body);
  }
  PcapngFile& simple(std::string_view bytes, std::uint32_t wire_size) {
    return block(3, part().u32(wire_size).text(bytes));
  }

  /// Gives     an empty body or option list in the file's byte order.
  Builder part() const { return Builder(order()); }

  std::vector<std::size_t> starts;  ///< where each block is
};

/// One frame, with its bytes copied, since the reader's go away.
struct Seen {
  Frame frame;
  std::string text;
};

/// What a reader gave until it stopped.
struct Story {
  std::vector<Seen> frames;
  std::optional<ReadError> error;
};

inline Story read_all(Reader& reader, std::size_t burst = 256) {
  Story story;
  std::vector<Frame> frames(burst);
  while (const std::size_t count = reader.next_burst(frames)) {
    for (std::size_t i = 0; i < count; ++i) story.frames.push_back({frames[i], text_of(frames[i])});
  }
  story.error = reader.error();
  return story;
}

/// Gives     the story of a capture in memory; a refusal to open is its error.
inline Story read_all(const Content& content, std::size_t burst = 256,
                      std::size_t piece = 1U << 20) {
  auto opened = Reader::from_memory(content, piece);
  if (!opened) return {{}, opened.error()};
  Reader reader = std::move(opened).value();
  return read_all(reader, burst);
}

inline std::string message_of(const Story& story) {
  return story.error ? story.error->message : "no error";
}

inline std::int64_t ns_of(const Seen& seen) { return seen.frame.time.time_since_epoch().count(); }

}  // namespace uct::capture::testing
