#include "tests/support/scenario.h"

#include <cctype>
#include <charconv>

namespace uct::scenario {

void Fields::set(std::string_view name, std::string value) {
  for (Field& field : all_) {
    if (field.name != name) continue;
    field.value = std::move(value);
    return;
  }
  add(std::string(name), std::move(value));
}

const std::string* Fields::find(std::string_view name) const {
  for (const Field& field : all_) {
    if (field.name == name) return &field.value;
  }
  return nullptr;
}

std::string Fields::text(std::string_view name, std::string_view otherwise) const {
  const std::string* value = find(name);
  return value != nullptr ? *value : std::string(otherwise);
}

std::uint64_t Fields::number(std::string_view name, std::uint64_t otherwise) const {
  const std::string* value = find(name);
  return value != nullptr ? parse_number(*value).value_or(otherwise) : otherwise;
}

const Host* Scenario::find_host(std::string_view name) const {
  for (const Host& host : hosts) {
    if (host.name == name) return &host;
  }
  return nullptr;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  const bool hexadecimal = text.substr(0, 2) == "0x";
  if (hexadecimal) text.remove_prefix(2);
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value, hexadecimal ? 16 : 10);
  if (text.empty() || result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return value;
}

namespace {

struct Unit {
  std::string_view name;
  std::int64_t ns;
};

constexpr Unit kUnits[] = {
    {"ns", 1},
    {"us", 1'000},
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"h", 3'600'000'000'000},
    {"d", 86'400'000'000'000},
};

}  // namespace

std::optional<std::int64_t> parse_duration_ns(std::string_view text) {
  std::size_t digits = 0;
  while (digits < text.size() && (std::isdigit(text[digits]) != 0 || text[digits] == '.')) ++digits;
  const std::string_view name = text.substr(digits);
  const std::string_view number = text.substr(0, digits);
  const std::size_t point = number.find('.');
  const auto whole = parse_number(number.substr(0, point));
  if (!whole) return std::nullopt;
  for (const Unit& unit : kUnits) {
    if (unit.name != name) continue;
    std::int64_t ns = static_cast<std::int64_t>(*whole) * unit.ns;
    if (point == std::string_view::npos) return ns;
    std::int64_t part = unit.ns;
    for (const char digit : number.substr(point + 1)) {
      if (digit == '.') return std::nullopt;
      part /= 10;
      ns += (digit - '0') * part;
    }
    return ns;
  }
  return std::nullopt;
}

std::string format_duration(std::int64_t ns) {
  const std::string sign = ns < 0 ? "-" : "";
  if (ns < 0) ns = -ns;
  const Unit* best = &kUnits[0];
  for (const Unit& unit : kUnits) {
    if (unit.ns <= 1'000'000'000 && ns % unit.ns == 0) best = &unit;
  }
  return sign + std::to_string(ns / best->ns) + std::string(best->name);
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

}  // namespace uct::scenario
