#include "ports/capture/pcapng_interface.h"

#include <algorithm>
#include <string>

#include "ports/capture/link_type.h"

namespace uct::capture {

namespace {

__extension__ using Wide = __int128;

constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

constexpr std::size_t kFixedSize = 8;
constexpr std::size_t kOptionHeaderSize = 4;

constexpr std::uint16_t kEndOfOptions = 0;
constexpr std::uint16_t kResolutionOption = 9;  // if_tsresol
constexpr std::uint16_t kOffsetOption = 14;     // if_tsoffset

constexpr std::uint64_t power_of_ten(unsigned exponent) {
  std::uint64_t power = 1;
  for (; exponent != 0; --exponent) power *= 10;
  return power;
}

std::string wrong_size(std::uint16_t code, std::uint16_t size) {
  return "option " + std::to_string(code) + " of an interface has " + std::to_string(size) +
         " bytes";
}

}  // namespace

TickClock::TickClock(std::uint8_t resolution, std::int64_t offset_seconds)
    : multiplier_(kNanosecondsPerSecond), offset_seconds_(offset_seconds) {
  const unsigned exponent = resolution & 0x7f;
  if ((resolution & 0x80) != 0) {
    shift_ = exponent;
  } else if (exponent <= 9) {
    multiplier_ = power_of_ten(9 - exponent);
  } else {
    // 10^19 is the largest power in 64 bits; ticks of 10^-29 s make less than 1 ns all together.
    multiplier_ = exponent <= 28 ? 1 : 0;
    divisor_ = power_of_ten(std::min(exponent - 9, 19U));
  }
}

Timestamp TickClock::at(std::uint64_t ticks) const {
  Wide nanoseconds = static_cast<Wide>(ticks) * static_cast<Wide>(multiplier_);
  if (divisor_ != 1) nanoseconds /= static_cast<Wide>(divisor_);
  nanoseconds >>= shift_;
  nanoseconds += static_cast<Wide>(offset_seconds_) * kNanosecondsPerSecond;
  const Wide latest = static_cast<Wide>(kLatestSecond) * kNanosecondsPerSecond;
  return timestamp_from_ns(
      static_cast<std::int64_t>(std::clamp(nanoseconds, static_cast<Wide>(0), latest)));
}

Outcome<PcapngInterface> parse_interface(std::span<const std::byte> body, ByteOrder order) {
  if (body.size() < kFixedSize) return std::string("an interface has no room for its link type");
  PcapngInterface interface;
  interface.dlt = order.u16(body.data());
  interface.link = link_type_of(interface.dlt);
  interface.snapshot_size = order.u32(body.data() + 4);

  std::uint8_t resolution = 6;
  std::int64_t offset_seconds = 0;
  body = body.subspan(kFixedSize);
  while (body.size() >= kOptionHeaderSize) {
    const std::uint16_t code = order.u16(body.data());
    const std::uint16_t size = order.u16(body.data() + 2);
    if (code == kEndOfOptions) break;
    body = body.subspan(kOptionHeaderSize);
    if (size > body.size()) return wrong_size(code, size) + ", its block ends before";
    if (code == kResolutionOption) {
      if (size != 1) return wrong_size(code, size) + ", not 1";
      resolution = std::to_integer<std::uint8_t>(body[0]);
    } else if (code == kOffsetOption) {
      if (size != 8) return wrong_size(code, size) + ", not 8";
      offset_seconds = static_cast<std::int64_t>(order.u64(body.data()));
    }
    body = body.subspan(std::min<std::size_t>(body.size(), (size + 3U) & ~3U));
  }
  interface.clock = TickClock(resolution, offset_seconds);
  return interface;
}

}  // namespace uct::capture
