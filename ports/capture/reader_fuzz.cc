// Fuzzes the capture reader over memory: both formats and gzip, with everything they claim.
//
// The same bytes are read twice, whole in bursts of 64 and in pieces of 61 bytes in bursts of 3:
// the two must agree, whatever is in the file. Promises checked: frames lie inside the limits,
// offsets and numbers rise, times stay in range, and reading ends.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>

#include "ports/capture/format.h"
#include "ports/capture/pcapng_interface.h"
#include "ports/capture/reader.h"

namespace {

using uct::capture::Frame;
using uct::capture::Reader;

void check(bool promise) {
  if (!promise) std::abort();
}

// What became of a file, to compare two readings. The words of an error are no part of it: where in
// its input zlib notices a mistake depends on the pieces, by a few bytes.
struct Outline {
  std::uint64_t frames = 0;
  std::uint64_t digest = 0;
  std::optional<std::uint64_t> error_offset;

  bool operator==(const Outline&) const = default;
};

void take(Outline& outline, const Frame& frame, std::uint64_t& last_offset) {
  check(frame.bytes.size() <= uct::capture::kMaxRecordSize);
  check(frame.wire_size >= frame.bytes.size());
  check(frame.number == ++outline.frames);
  check(frame.offset > last_offset);
  last_offset = frame.offset;
  const std::int64_t ns = frame.time.time_since_epoch().count();
  check(ns >= 0 && ns <= uct::capture::TickClock::kLatestSecond * 1'000'000'000);
  std::uint64_t digest = outline.digest * 31 + frame.offset + static_cast<std::uint64_t>(ns);
  // Touches every byte, so that the address sanitizer judges the span.
  for (const std::byte byte : frame.bytes) digest = digest * 31 + std::to_integer<unsigned>(byte);
  outline.digest = digest * 31 + frame.dlt;
}

Outline read_all(std::span<const std::byte> content, std::size_t burst, std::size_t piece) {
  Outline outline;
  auto opened = Reader::from_memory(content, piece);
  if (!opened) {
    check(!opened.error().message.empty());
    outline.error_offset = opened.error().offset;
    return outline;
  }
  Reader& reader = opened.value();
  std::array<Frame, 64> frames;
  std::uint64_t last_offset = 0;
  while (const std::size_t count = reader.next_burst({frames.data(), burst})) {
    check(count <= burst && !reader.error());
    for (std::size_t i = 0; i < count; ++i) take(outline, frames[i], last_offset);
  }
  if (reader.error()) {
    check(reader.error()->offset >= last_offset);
    check(!reader.error()->message.empty());
    outline.error_offset = reader.error()->offset;
  }
  check(reader.next_burst(frames) == 0);
  return outline;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> content(reinterpret_cast<const std::byte*>(data), size);
  const Outline whole = read_all(content, 64, size + 1);
  const Outline pieces = read_all(content, 3, 61);
  check(whole == pieces);
  return 0;
}
