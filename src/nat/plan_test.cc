#include "nat/plan.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "tests/support/addresses.h"

namespace uct::core {
namespace {

using uct::test::address;
using uct::test::nat_range;

NatSpec source(const char* first, const char* last) {
  NatSpec spec;
  spec.source = nat_range(first, last);
  return spec;
}

/// What the source side makes of an address.
std::string translated(const NatPlan& plan, std::uint32_t place, const char* from) {
  Address words = address(from);
  std::uint32_t memory[4];
  std::memcpy(memory, words.bytes.data(), sizeof(memory));
  EXPECT_TRUE(plan.fill_address(plan.source, place, memory));
  std::memcpy(words.bytes.data(), memory, sizeof(memory));
  return to_string(words);
}

TEST(NatPlan, CountsFromTheFirstAddressOfARange) {
  const NatPlan plan(source("203.0.113.250", "203.0.114.1"));
  EXPECT_EQ(plan.source.addresses, 8U);
  EXPECT_EQ(translated(plan, 0, "10.0.0.1"), "203.0.113.250");
  EXPECT_EQ(translated(plan, 6, "10.0.0.1"), "203.0.114.0");
}

TEST(NatPlan, CarriesIntoTheBytesAboveInIpv6) {
  const NatPlan plan(source("2001:db8::ff", "2001:db9::"));
  EXPECT_EQ(plan.source.addresses, 0xffffffffU) << "no more of them are used";
  EXPECT_EQ(translated(plan, 1, "fc00::1"), "2001:db8::100");
}

TEST(NatPlan, KeepsTheAddressWhereTheRangeIsAllZero) {
  const NatPlan plan(source("0.0.0.0", "0.0.0.0"));
  EXPECT_TRUE(plan.source.is_given);
  EXPECT_FALSE(plan.source.translated);
  EXPECT_EQ(translated(plan, 0, "10.0.0.1"), "10.0.0.1");
}

TEST(NatPlan, HasOneAddressWherePrefixesMove) {
  NatSpec spec = source("203.0.113.0", "203.0.113.255");
  spec.selection = NatSelection::prefix;
  const NatPlan plan(spec);
  EXPECT_EQ(plan.source.addresses, 1U);
  EXPECT_EQ(translated(plan, 0, "10.1.2.77"), "203.0.113.77");
}

TEST(NatPlan, IsForTheFamilyOfItsAddresses) {
  const NatPlan of_v6(source("2001:db8::1", "2001:db8::1"));
  EXPECT_TRUE(of_v6.is_for(Family::ipv6));
  EXPECT_FALSE(of_v6.is_for(Family::ipv4));
  const NatPlan of_any(source("0.0.0.0", "0.0.0.0"));
  EXPECT_TRUE(of_any.is_for(Family::ipv4));
  EXPECT_TRUE(of_any.is_for(Family::ipv6)) << "ports alone are changed";
}

TEST(NatPlan, VariesTheDestinationsPortOnlyWhereTheSourceStays) {
  NatSpec spec;
  spec.destination = nat_range("203.0.113.9", "203.0.113.9");
  spec.destination->port_first = 8000;
  spec.destination->port_last = 8009;
  EXPECT_TRUE(NatPlan(spec).varies_destination_port);
  spec.source = nat_range("203.0.113.8", "203.0.113.8");
  EXPECT_FALSE(NatPlan(spec).varies_destination_port);
}

}  // namespace
}  // namespace uct::core
