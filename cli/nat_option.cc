#include "cli/nat_option.h"

#include <algorithm>
#include <vector>

#include <uct/tracker.h>

#include "cli/nat_words.h"
#include "cli/nearest.h"
#include "cli/numbers.h"

namespace uct::cli {

namespace {

constexpr std::string_view kExample =
    "; write for example 'src 198.51.100.0/28:1024-65535, dst [2001:db8::1]:80'";

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// Cuts `text` at the first `separator`. Gives what is behind it, if there is one.
std::optional<std::string_view> cut_at(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = text.substr(at + 1);
  text = text.substr(0, at);
  return rest;
}

/// Gives     whether the text is addresses.
bool parse_addresses(std::string_view text, NatRange& range) {
  if (text == "any") return true;
  const std::optional<AddressRange> addresses = parse_address_range(text);
  if (!addresses) return false;
  range.first = addresses->first;
  range.last = addresses->last;
  return true;
}

bool parse_ports(std::string_view text, NatRange& range) {
  std::string_view first = text;
  const auto last = cut_at(first, '-');
  const auto from = parse_number(first, 65535);
  const auto to = parse_number(last.value_or(first), 65535);
  if (!from || !to || *from == 0 || *from > *to) return false;
  range.port_first = static_cast<std::uint16_t>(*from);
  range.port_last = static_cast<std::uint16_t>(*to);
  return true;
}

/// Gives     what is wrong, or nothing.
std::string parse_range(std::string_view text, NatRange& range) {
  std::string_view addresses = text;
  std::optional<std::string_view> ports;
  if (text.starts_with('[')) {
    addresses.remove_prefix(1);
    const std::string_view rest = cut_at(addresses, ']').value_or("");
    if (rest.starts_with(':')) ports = rest.substr(1);
    if (!rest.empty() && !ports) return in_quotes(rest) + " stands where ports would";
  } else if (text.find(':') == text.rfind(':')) {  // more colons are an IPv6 address
    ports = cut_at(addresses, ':');
  }
  if (!parse_addresses(addresses, range)) {
    return in_quotes(addresses) + " is no address, range or prefix";
  }
  if (ports && !parse_ports(*ports, range)) {
    return in_quotes(*ports) + " is no port from 1 to 65535 and no range of ports";
  }
  return {};
}

struct Part {
  std::string_view word;
  std::string_view value;
};

/// Reads a side, or checks that the part is another known word.
std::string parse_side(const Part& part, NatSpec& spec) {
  if (part.word == "src") return parse_range(part.value, spec.source.emplace());
  if (part.word == "dst") return parse_range(part.value, spec.destination.emplace());
  const auto known = nat_words();
  if (std::find(known.begin(), known.end(), part.word) != known.end()) return {};
  std::vector<std::string_view> words = {"src", "dst"};
  words.insert(words.end(), known.begin(), known.end());
  return in_quotes(part.word) + " is none of the words of a translation" +
         did_you_mean(part.word, words) + ", which are: " + listed(words);
}

/// Gives     which of the parts cannot stand together, or nothing.
std::string contradiction(const std::vector<Part>& parts) {
  for (auto part = parts.begin(); part != parts.end(); ++part) {
    const auto other = std::find_if(parts.begin(), part, [&](const Part& before) {
      return nat_words_exclude(before.word, part->word);
    });
    if (other == part) continue;
    if (other->word == part->word) return in_quotes(part->word) + " stands there twice";
    return in_quotes(part->word) + " contradicts " + in_quotes(other->word);
  }
  return {};
}

/// Gives     what a tracker finds wrong with a spec.
Error error_of(const NatSpec& spec) {
  Config config;
  config.max_connections = 1;
  config.shards = 1;
  const auto tracker = Tracker::create(config);
  return tracker ? tracker.value()->add_nat(spec).error() : Error::none;
}

bool is_side(const Part& part) { return part.word == "src" || part.word == "dst"; }

}  // namespace

ParsedNat parse_nat(std::string_view text) {
  const std::string option = "--nat " + in_quotes(text) + ": ";
  const auto wrong = [&](const std::string& what) {
    return ParsedNat{std::nullopt, NatProfile::plain, option + what + std::string(kExample)};
  };
  NatSpec spec;
  NatProfile profile = NatProfile::plain;
  std::vector<Part> parts;
  std::optional<std::string_view> left = text;
  while (left && !text.empty()) {
    std::string_view part = *left;
    left = cut_at(part, ',');
    std::string_view word = trimmed(part);
    const std::string_view value = trimmed(cut_at(word, ' ').value_or(""));
    parts.push_back({word, value});
    if (const std::string error = parse_side(parts.back(), spec); !error.empty()) {
      return wrong(error);
    }
  }
  if (!spec.source && !spec.destination) return wrong("neither src nor dst is there");
  if (const std::string error = contradiction(parts); !error.empty()) return wrong(error);
  // A profile is what the other words then change.
  std::stable_partition(parts.begin(), parts.end(),
                        [](const Part& part) { return part.word == "profile"; });
  for (const Part& part : parts) {
    if (is_side(part)) continue;
    if (const std::string error = apply_nat_word(part.word, part.value, spec); !error.empty()) {
      return wrong(error);
    }
    if (part.word == "profile") profile = *parse_nat_profile(part.value);
  }
  if (const Error error = error_of(spec); error != Error::none) {
    return wrong(std::string(describe(error)));
  }
  return {spec, profile, {}};
}

}  // namespace uct::cli
