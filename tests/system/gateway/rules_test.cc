#include "rules.h"

#include <gtest/gtest.h>

#include "tests/support/addresses.h"

namespace uct::gateway {
namespace {

using uct::test::address;

Rule rule(std::string_view text) {
  const ParsedRule parsed = parse_rule(text);
  EXPECT_TRUE(parsed.rule) << parsed.error;
  return parsed.rule.value_or(Rule{});
}

IpHeader packet(Protocol protocol, std::string_view source, std::string_view destination,
                std::uint16_t port) {
  IpHeader header;
  header.source = address(source);
  header.destination = address(destination);
  header.family = header.source.family;
  header.protocol = static_cast<unsigned>(protocol);
  header.destination_port = port;
  return header;
}

TEST(GatewayRule, OfTheInsideIsNotForPacketsFromOutside) {
  const Rule all = rule("inside = src 198.51.100.1");
  const IpHeader udp = packet(Protocol::udp, "10.0.0.1", "192.0.2.1", 53);
  EXPECT_TRUE(all.matches(Side::inside, udp));
  EXPECT_FALSE(all.matches(Side::outside, udp));
}

TEST(GatewayRule, IsForTheFamilyOfItsAddresses) {
  const IpHeader v6 = packet(Protocol::udp, "fd00::1", "2001:db8::1", 53);
  EXPECT_FALSE(rule("inside = src 198.51.100.1").matches(Side::inside, v6));
  EXPECT_TRUE(rule("inside = src 2001:db8::2").matches(Side::inside, v6));
  EXPECT_TRUE(rule("inside = src any").matches(Side::inside, v6));
}

TEST(GatewayRule, WithAProtocolAndADestinationIsForThemAlone) {
  const Rule forward = rule("outside tcp dst 198.51.100.1:80 = dst 10.0.0.2:8080");
  const auto matches = [&](Protocol protocol, std::string_view destination, std::uint16_t port) {
    return forward.matches(Side::outside, packet(protocol, "192.0.2.1", destination, port));
  };
  EXPECT_TRUE(matches(Protocol::tcp, "198.51.100.1", 80));
  EXPECT_FALSE(matches(Protocol::udp, "198.51.100.1", 80));
  EXPECT_FALSE(matches(Protocol::tcp, "198.51.100.2", 80));
  EXPECT_FALSE(matches(Protocol::tcp, "198.51.100.1", 81));
}

TEST(GatewayRule, TellsIcmpFromIcmpv6) {
  EXPECT_EQ(rule("inside icmp = src 198.51.100.1").protocol, Protocol::icmp);
  EXPECT_EQ(rule("inside icmpv6 = src 2001:db8::2").protocol, Protocol::icmpv6);
}

TEST(GatewayRule, SaysWhatIsWrong) {
  EXPECT_NE(parse_rule("inside src 198.51.100.1").error, "");
  EXPECT_NE(parse_rule("upstairs = src 198.51.100.1").error, "");
  EXPECT_NE(parse_rule("inside tcpx = src 198.51.100.1").error, "");
  EXPECT_NE(parse_rule("inside = src 198.51.100.1:0").error, "");
}

TEST(GatewayRule, MakesExternalWhatHostsHideBehindAndWhatIsSentOn) {
  const std::vector<Rule> rules = {rule("inside = src 198.51.100.1-198.51.100.3"),
                                   rule("outside tcp dst 198.51.100.9:80 = src 10.0.0.1, dst any"),
                                   rule("inside tcp dst any:7 = src any")};
  EXPECT_TRUE(is_external(rules, address("198.51.100.2")));
  EXPECT_TRUE(is_external(rules, address("198.51.100.9")));
  EXPECT_FALSE(is_external(rules, address("198.51.100.4")));
  EXPECT_FALSE(is_external(rules, address("10.0.0.1")));
  EXPECT_FALSE(is_external(rules, address("::")));
}

}  // namespace
}  // namespace uct::gateway
