#include "cli/nat_words.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "cli/nearest.h"
#include "cli/numbers.h"

namespace uct::cli {

namespace {

constexpr std::uint32_t kSecondsMax = 30 * 24 * 3600;

NatMapping& mapping_of(NatSpec& spec) {
  return spec.mapping ? *spec.mapping : spec.mapping.emplace();
}
NatBlocks& blocks_of(NatSpec& spec) {
  NatMapping& mapping = mapping_of(spec);
  return mapping.blocks ? *mapping.blocks : mapping.blocks.emplace();
}

constexpr std::array<std::string_view, 3> kProfiles = {"plain", "home", "cgn"};

using Ranges = std::vector<AddressRange> NatMapping::*;
using Wish = bool NatMapping::*;

std::string add_range(std::string_view value, Ranges ranges, NatSpec& spec) {
  const std::optional<AddressRange> range = parse_address_range(value);
  if (!range) return in_quotes(value) + " is no address, range or prefix";
  (mapping_of(spec).*ranges).push_back(*range);
  return {};
}

std::string set_filter(std::string_view value, NatSpec& spec) {
  constexpr std::array<std::string_view, 3> kFilters = {"any", "address", "port"};
  for (std::size_t i = 0; i < kFilters.size(); ++i) {
    if (value != kFilters[i]) continue;
    mapping_of(spec).filtering = static_cast<NatFiltering>(i);
    return {};
  }
  return in_quotes(value) + " is no filter" + did_you_mean(value, kFilters) +
         ", which are: " + listed(kFilters);
}

std::string set_blocks(std::string_view value, bool deterministic, NatSpec& spec) {
  const std::size_t at = value.find('x');
  const bool several = at != std::string_view::npos;
  const auto ports = parse_number(value.substr(0, at), 65535);
  const auto most = several ? parse_number(value.substr(at + 1), 65535) : std::uint64_t{1};
  if (!ports || !most || *most == 0 || (deterministic && several)) {
    return in_quotes(value) + (deterministic ? " is no number of ports, such as 512"
                                             : " is no size and number of blocks, such as 512x4");
  }
  NatBlocks& blocks = blocks_of(spec);
  blocks.ports = static_cast<std::uint16_t>(*ports);
  blocks.blocks_max = static_cast<std::uint16_t>(*most);
  blocks.deterministic = deterministic;
  blocks.ports_max = std::numeric_limits<std::uint32_t>::max();
  return {};
}

std::string set_profile(std::string_view value, NatSpec& spec) {
  if (const auto profile = parse_nat_profile(value)) {
    if (*profile == NatProfile::plain) return {};
    if (!spec.source) return "profile " + std::string(value) + " needs src";
    spec.mapping = make_nat_spec(*profile, *spec.source).mapping;
    return {};
  }
  return in_quotes(value) + " is no profile" + did_you_mean(value, kProfiles) +
         ", which are: " + listed(kProfiles);
}

std::string set_number(std::string_view word, std::string_view value, NatSpec& spec) {
  const bool quota = word == "quota";
  const auto number =
      parse_number(value, quota ? std::numeric_limits<std::uint32_t>::max() : kSecondsMax);
  if (!number) {
    return in_quotes(value) + (quota ? " is no number of ports" : " is no number of seconds");
  }
  if (quota) {
    blocks_of(spec).ports_max = static_cast<std::uint32_t>(*number);
  } else {
    mapping_of(spec).hold_down = std::chrono::seconds(*number);
  }
  return {};
}

constexpr std::array<std::string_view, 5> kSelections = {"hash", "persistent", "random", "prefix",
                                                         "npt"};
constexpr std::array<std::pair<std::string_view, Ranges>, 3> kRanges = {
    std::pair{"also", &NatMapping::more},
    {"inside", &NatMapping::inside},
    {"exempt", &NatMapping::exempt}};
constexpr std::array<std::pair<std::string_view, Wish>, 4> kSwitches = {
    std::pair{"keep-port", &NatMapping::keep_port},
    {"keep-class", &NatMapping::keep_class},
    {"keep-parity", &NatMapping::keep_parity},
    {"overflow", &NatMapping::overflow}};

/// A word that stands alone. Gives whether it was one.
bool apply_switch(std::string_view word, NatSpec& spec) {
  for (std::size_t i = 0; i < kSelections.size(); ++i) {
    if (word == kSelections[i]) spec.selection = static_cast<NatSelection>(i);
    if (word == kSelections[i]) return true;
  }
  for (const auto& [name, wish] : kSwitches) {
    if (word == name) mapping_of(spec).*wish = true;
    if (word == name) return true;
  }
  if (word == "outbound-refresh") mapping_of(spec).inbound_refresh = false;
  if (word == "endpoint-independent") mapping_of(spec);
  return word == "outbound-refresh" || word == "endpoint-independent";
}

}  // namespace

std::optional<AddressRange> parse_address_range(std::string_view text) {
  AddressRange range;
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    if (!parse_address(text.substr(0, slash), range.first)) return {};
    const auto bits =
        parse_number(text.substr(slash + 1), range.first.family == Family::ipv4 ? 32 : 128);
    if (!bits) return {};
    return prefix_range(range.first, static_cast<unsigned>(*bits));
  }
  const std::size_t dash = text.find('-');
  const std::string_view last = dash == std::string_view::npos ? text : text.substr(dash + 1);
  if (!parse_address(text.substr(0, dash), range.first) || !parse_address(last, range.last)) {
    return {};
  }
  return range;
}

std::optional<NatProfile> parse_nat_profile(std::string_view name) {
  const auto* const found = std::find(kProfiles.begin(), kProfiles.end(), name);
  if (found == kProfiles.end()) return {};
  return static_cast<NatProfile>(found - kProfiles.begin());
}

std::span<const std::string_view> nat_words() {
  static constexpr std::array<std::string_view, 20> kWords = {
      "hash",        "persistent", "random",    "prefix",           "npt",
      "profile",     "filter",     "inside",    "exempt",           "also",
      "keep-port",   "keep-class", "overflow",  "blocks",           "deterministic",
      "keep-parity", "quota",      "hold-down", "outbound-refresh", "endpoint-independent"};
  return kWords;
}

bool nat_words_exclude(std::string_view word, std::string_view other) {
  const auto is_in = [](std::string_view wanted, const auto& words) {
    return std::find(words.begin(), words.end(), wanted) != words.end();
  };
  constexpr std::array<std::string_view, 2> kBlocks = {"blocks", "deterministic"};
  if (word == other) {
    return std::none_of(kRanges.begin(), kRanges.end(),
                        [&](const auto& range) { return range.first == word; });
  }
  return (is_in(word, kSelections) && is_in(other, kSelections)) ||
         (is_in(word, kBlocks) && is_in(other, kBlocks));
}

std::string apply_nat_word(std::string_view word, std::string_view value, NatSpec& spec) {
  for (const auto& [name, ranges] : kRanges) {
    if (word == name) return add_range(value, ranges, spec);
  }
  if (word == "filter") return set_filter(value, spec);
  if (word == "profile") return set_profile(value, spec);
  if (word == "blocks" || word == "deterministic") {
    return set_blocks(value, word == "deterministic", spec);
  }
  if (word == "quota" || word == "hold-down") return set_number(word, value, spec);
  if (!value.empty()) return in_quotes(word) + " stands alone, without " + in_quotes(value);
  apply_switch(word, spec);
  return {};
}

}  // namespace uct::cli
