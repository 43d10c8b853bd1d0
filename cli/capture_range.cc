#include "cli/capture_range.h"

#include "cli/durations.h"
#include "cli/numbers.h"

namespace uct::cli {

namespace {

std::optional<Bound> parse_packet_number(std::string_view text) {
  const auto number = parse_number(text);
  if (!number || *number == 0) return std::nullopt;
  Bound bound;
  bound.kind = Bound::Kind::number;
  bound.number = *number;
  return bound;
}

/// Reads seconds with up to nine decimals.
std::optional<std::chrono::nanoseconds> parse_seconds(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos || dot == 0) return std::nullopt;
  const std::string_view fraction = text.substr(dot + 1);
  const std::optional<Duration> whole = parse_duration(text.substr(0, dot));
  if (!whole || fraction.empty() || fraction.size() > 9) return std::nullopt;
  if (text.substr(0, dot).find_first_not_of("0123456789") != std::string_view::npos) return {};
  std::int64_t ns = 0;
  for (std::size_t i = 0; i < 9; ++i) {
    const char digit = i < fraction.size() ? fraction[i] : '0';
    if (digit < '0' || digit > '9') return std::nullopt;
    ns = ns * 10 + (digit - '0');
  }
  // parse_duration's limit in milliseconds leaves room for less than a second more only here.
  if (*whole > std::chrono::hours(24 * 365 * 290)) return std::nullopt;
  return std::chrono::nanoseconds(*whole) + std::chrono::nanoseconds(ns);
}

std::optional<std::chrono::nanoseconds> parse_offset(std::string_view text) {
  if (const auto seconds = parse_seconds(text)) return seconds;
  if (const auto duration = parse_duration(text)) return std::chrono::nanoseconds(*duration);
  return std::nullopt;
}

/// Gives     where the packet lies: below zero before the bound, above zero behind it.
int compare(const Bound& bound, std::uint64_t number, Timestamp time, Timestamp first) {
  const auto order = [](auto a, auto b) { return a < b ? -1 : a > b ? 1 : 0; };
  switch (bound.kind) {
    case Bound::Kind::open:
      break;
    case Bound::Kind::number:
      return order(number, bound.number);
    case Bound::Kind::offset:
      return order(time - first, bound.offset);
    case Bound::Kind::time:
      return order(time, bound.time);
  }
  return 0;
}

}  // namespace

std::optional<Bound> parse_bound(std::string_view text) {
  if (text.starts_with('#')) return parse_packet_number(text.substr(1));
  Bound bound;
  if (const auto offset = parse_offset(text)) {
    bound.kind = Bound::Kind::offset;
    bound.offset = *offset;
    return bound;
  }
  if (const auto time = parse_time(text)) {
    bound.kind = Bound::Kind::time;
    bound.time = *time;
    return bound;
  }
  return std::nullopt;
}

bool CaptureRange::contains(std::uint64_t number, Timestamp time, Timestamp first) const {
  return compare(from, number, time, first) >= 0 && compare(to, number, time, first) <= 0;
}

}  // namespace uct::cli
