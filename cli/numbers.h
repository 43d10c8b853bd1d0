/// Numbers as they are typed.
///
/// Included by options.
/// Threads   a pure function.
#pragma once

#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace uct::cli {

/// Gives     the number that the whole text is, in decimal digits alone, or nothing.
inline std::optional<std::uint64_t> parse_number(
    std::string_view text, std::uint64_t max = std::numeric_limits<std::uint64_t>::max()) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stopped != end || number > max) return {};
  return number;
}

}  // namespace uct::cli
