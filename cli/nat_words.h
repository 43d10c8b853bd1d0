/// The words of --nat beyond its sides: how mappings are made and who may come in.
///
/// Relies on uct/nat.h; used by cli/nat_option.cc.
/// Threads   pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <uct/nat.h>

namespace uct::cli {

/// Reads ADDRESS, ADDRESS-ADDRESS or ADDRESS/BITS.
std::optional<AddressRange> parse_address_range(std::string_view text);

/// Gives     nothing for a name that no profile has.
std::optional<NatProfile> parse_nat_profile(std::string_view name);

/// Every word that a part of --nat may begin with, but for src and dst.
std::span<const std::string_view> nat_words();

/// Gives     whether a part with one word cannot stand beside a part with the other, or, where both
///           are the same, twice.
bool nat_words_exclude(std::string_view word, std::string_view other);

/// Applies a part such as "filter address" or "blocks 512x4" to a spec whose sides are known.
///
/// Gives     what is wrong, or nothing.
/// Requires  `word` is one of nat_words()
std::string apply_nat_word(std::string_view word, std::string_view value, NatSpec& spec);

}  // namespace uct::cli
