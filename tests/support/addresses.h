/// Addresses from texts.
///
/// Included by tests that name addresses.
/// Threads   pure functions.
#pragma once

#include <gtest/gtest.h>

#include <string_view>

#include <uct/nat.h>

namespace uct::test {

inline Address address(std::string_view text) {
  Address parsed;
  EXPECT_TRUE(parse_address(text, parsed)) << text;
  return parsed;
}

inline AddressRange range(std::string_view first, std::string_view last) {
  return {address(first), address(last)};
}

inline NatRange nat_range(std::string_view first, std::string_view last) {
  return {address(first), address(last), 0, 0};
}

}  // namespace uct::test
