#include "cli/durations.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>

namespace uct::cli {

namespace {

struct Unit {
  std::string_view name;
  std::int64_t ms;
};

// From large to small: parse_duration takes them in this order only. `ms` stands before `m`, which
// it begins with.
constexpr std::array kUnits = {Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"ms", 1},
                               Unit{"m", 60'000}, Unit{"s", 1000}};

constexpr std::int64_t kLongest = std::numeric_limits<std::int64_t>::max() / 1'000'000;

/// Takes decimal digits from the front of `text`.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  return value;
}

const Unit* take_unit(std::string_view& text) {
  for (const Unit& unit : kUnits) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return &unit;
  }
  return nullptr;
}

/// Takes a number of exactly `digits` digits and the character that follows it, if any is wanted.
bool take_field(std::string_view& text, std::size_t digits, char after, unsigned& value) {
  if (text.size() < digits + (after == '\0' ? 0 : 1)) return false;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return false;
  }
  std::from_chars(text.data(), text.data() + digits, value);
  if (after != '\0' && text[digits] != after) return false;
  text.remove_prefix(digits + (after == '\0' ? 0 : 1));
  return true;
}

/// Reads `.123` and the like, up to nine digits; nothing is zero.
std::optional<std::chrono::nanoseconds> take_fraction(std::string_view& text) {
  if (!text.starts_with('.')) return std::chrono::nanoseconds(0);
  text.remove_prefix(1);
  std::int64_t ns = 0;
  std::int64_t weight = 100'000'000;
  if (text.empty()) return std::nullopt;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9' && weight > 0) {
    ns += (text.front() - '0') * weight;
    weight /= 10;
    text.remove_prefix(1);
  }
  return std::chrono::nanoseconds(ns);
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  std::int64_t total = 0;
  std::int64_t smallest = kLongest;
  do {
    const std::optional<std::int64_t> number = take_number(text);
    if (!number) return std::nullopt;
    const bool bare = text.empty() && smallest == kLongest;
    const Unit seconds{"s", 1000};
    const Unit* unit = bare ? &seconds : take_unit(text);
    if (unit == nullptr || unit->ms >= smallest) return std::nullopt;
    if (*number > (kLongest - total) / unit->ms) return std::nullopt;
    total += *number * unit->ms;
    smallest = unit->ms;
  } while (!text.empty());
  return Duration(total);
}

void append_duration(Text& out, Duration duration) {
  std::int64_t ms = duration.count();
  if (ms < 0) {
    out.push_back('-');
    ms = -ms;
  }
  const auto to = fmt::appender(out);
  if (ms < 1000) {
    fmt::format_to(to, "{}ms", ms);
  } else if (ms < 60'000) {
    fmt::format_to(to, "{}.{}s", ms / 1000, ms % 1000 / 100);
  } else if (ms < 3'600'000) {
    fmt::format_to(to, "{}m{:02}s", ms / 60'000, ms % 60'000 / 1000);
  } else if (ms < 86'400'000) {
    fmt::format_to(to, "{}h{:02}m", ms / 3'600'000, ms % 3'600'000 / 60'000);
  } else {
    fmt::format_to(to, "{}d{:02}h", ms / 86'400'000, ms % 86'400'000 / 3'600'000);
  }
}

void append_seconds(Text& out, Duration duration) {
  const std::int64_t ms = duration.count();
  const std::int64_t size = ms < 0 ? -ms : ms;
  fmt::format_to(fmt::appender(out), "{}{}.{:03}", ms < 0 ? "-" : "", size / 1000, size % 1000);
}

std::optional<Timestamp> parse_time(std::string_view text) {
  unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!take_field(text, 4, '-', year) || !take_field(text, 2, '-', month) ||
      !take_field(text, 2, 'T', day) || !take_field(text, 2, ':', hour) ||
      !take_field(text, 2, ':', minute) || !take_field(text, 2, '\0', second)) {
    return std::nullopt;
  }
  const std::optional<std::chrono::nanoseconds> fraction = take_fraction(text);
  if (text == "Z") text = {};
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(month), std::chrono::day(day)};
  // A Timestamp ends in 2262; the year before is the last that fits whole.
  if (!fraction || !text.empty() || !date.ok() || year < 1970 || year > 2261) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const auto days = std::chrono::sys_days(date).time_since_epoch();
  return Timestamp(std::chrono::nanoseconds(days) + std::chrono::hours(hour) +
                   std::chrono::minutes(minute) + std::chrono::seconds(second) + *fraction);
}

void append_time(Text& out, Timestamp time) {
  const std::chrono::milliseconds ms = millisecond_of(time);
  const auto days = std::chrono::floor<std::chrono::days>(ms);
  const std::chrono::year_month_day date{std::chrono::sys_days(days)};
  const std::int64_t rest = (ms - days).count();
  fmt::format_to(fmt::appender(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
                 static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                 static_cast<unsigned>(date.day()), rest / 3'600'000, rest / 60'000 % 60,
                 rest / 1000 % 60, rest % 1000);
}

}  // namespace uct::cli
