#include "cli/nat_option.h"

#include <array>
#include <charconv>
#include <vector>

#include "cli/nearest.h"

namespace uct::cli {

namespace {

constexpr std::string_view kExample =
    "; write for example 'src 198.51.100.0/28:1024-65535, dst [2001:db8::1]:80'";
constexpr std::array<std::string_view, 3> kSelections = {"hash", "persistent", "random"};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// Cuts `text` at the first `separator`. Gives what is behind it.
std::string_view cut_at(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = text.substr(at + 1);
  text = text.substr(0, at);
  return rest;
}

std::optional<unsigned> parse_number(std::string_view text, unsigned max) {
  unsigned number = 0;
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stopped != text.data() + text.size() || number > max) return {};
  return number;
}

/// The addresses that begin with the first `bits` of range.first.
void spread(unsigned bits, NatRange& range) {
  const std::size_t size = range.first.family == Family::ipv4 ? 4 : 16;
  range.last = range.first;
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t first_bit = i * 8;
    const std::size_t fixed = bits <= first_bit ? 0 : std::min<std::size_t>(bits - first_bit, 8);
    const auto host = static_cast<std::uint8_t>(0xffU >> fixed);
    range.first.bytes[i] = static_cast<std::uint8_t>(range.first.bytes[i] & ~host);
    range.last.bytes[i] = static_cast<std::uint8_t>(range.last.bytes[i] | host);
  }
}

/// Gives     whether the text is addresses.
bool parse_addresses(std::string_view text, NatRange& range) {
  if (text == "any") return true;
  std::string_view first = text;
  if (const std::string_view bits = cut_at(first, '/'); !bits.empty()) {
    if (!parse_address(first, range.first)) return false;
    const auto count = parse_number(bits, range.first.family == Family::ipv4 ? 32 : 128);
    if (!count) return false;
    spread(*count, range);
    return true;
  }
  const std::string_view last = cut_at(first, '-');
  return parse_address(first, range.first) &&
         parse_address(last.empty() ? first : last, range.last);
}

bool parse_ports(std::string_view text, NatRange& range) {
  std::string_view first = text;
  const std::string_view last = cut_at(first, '-');
  const auto from = parse_number(first, 65535);
  const auto to = parse_number(last.empty() ? first : last, 65535);
  if (!from || !to || *from == 0 || *from > *to) return false;
  range.port_first = static_cast<std::uint16_t>(*from);
  range.port_last = static_cast<std::uint16_t>(*to);
  return true;
}

/// Gives     what is wrong, or nothing.
std::string parse_range(std::string_view text, NatRange& range) {
  std::string_view addresses = text;
  std::string_view ports;
  if (text.starts_with('[')) {
    addresses.remove_prefix(1);
    const std::string_view rest = cut_at(addresses, ']');
    if (rest.starts_with(':')) ports = rest.substr(1);
    if (!rest.empty() && ports.empty()) return in_quotes(rest) + " stands where ports would";
  } else if (text.find(':') == text.rfind(':')) {  // more colons are an IPv6 address
    ports = cut_at(addresses, ':');
  }
  if (!parse_addresses(addresses, range)) {
    return in_quotes(addresses) + " is no address, range or prefix";
  }
  if (!ports.empty() && !parse_ports(ports, range)) {
    return in_quotes(ports) + " is no port from 1 to 65535 and no range of ports";
  }
  return {};
}

/// Reads one part into the spec. Gives what is wrong, or nothing.
std::string parse_part(std::string_view part, NatSpec& spec) {
  std::string_view word = part;
  const std::string_view rest = trimmed(cut_at(word, ' '));
  if (word == "src" || word == "dst") {
    std::optional<NatRange>& side = word == "src" ? spec.source : spec.destination;
    if (side) return in_quotes(word) + " stands there twice";
    return parse_range(rest, side.emplace());
  }
  for (std::size_t i = 0; i < kSelections.size(); ++i) {
    if (part != kSelections[i]) continue;
    spec.selection = static_cast<NatSelection>(i);
    return {};
  }
  constexpr std::array<std::string_view, 5> kWords = {"src", "dst", "hash", "persistent", "random"};
  return in_quotes(word) + " is neither a side nor a selection" + did_you_mean(word, kWords) +
         ", which are: " + listed(kWords);
}

}  // namespace

ParsedNat parse_nat(std::string_view text) {
  const std::string option = "--nat " + in_quotes(text) + ": ";
  NatSpec spec;
  std::string_view left = text;
  while (!left.empty()) {
    std::string_view part = left;
    left = cut_at(part, ',');
    if (const std::string error = parse_part(trimmed(part), spec); !error.empty()) {
      return {std::nullopt, option + error + std::string(kExample)};
    }
  }
  if (!spec.source && !spec.destination) {
    return {std::nullopt, option + "neither src nor dst is there" + std::string(kExample)};
  }
  return {spec, {}};
}

}  // namespace uct::cli
