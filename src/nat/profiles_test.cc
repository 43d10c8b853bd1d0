// What the RFCs ask of a translation that no packet shows: settings and timeouts.
#include <gtest/gtest.h>

#include <uct/nat.h>

namespace uct {
namespace {

NatRange external() {
  NatRange range;
  range.first.bytes = {203, 0, 113, 9};
  range.last = range.first;
  return range;
}

TEST(NatProfiles, PlainIsWhatOthersDo) {
  EXPECT_FALSE(make_nat_spec(NatProfile::plain, external()).mapping.has_value());
  EXPECT_EQ(make_nat_timeouts(NatProfile::plain).values, TimeoutPolicy{}.values);
}

TEST(NatProfiles, CgnAnswersTheRequirementsOfRfc6888) {
  const NatMapping mapping = *make_nat_spec(NatProfile::cgn, external()).mapping;
  EXPECT_EQ(mapping.filtering, NatFiltering::endpoint_independent);  // REQ-7
  EXPECT_FALSE(mapping.overflow) << "REQ-2: paired by default";
  EXPECT_TRUE(mapping.blocks.has_value()) << "REQ-14";
  EXPECT_LT(mapping.blocks->ports_max, 64512U) << "REQ-4";
  EXPECT_GE(mapping.hold_down, std::chrono::seconds(120)) << "REQ-8";
  EXPECT_TRUE(mapping.keep_parity && mapping.keep_class) << "RFC 4787 REQ-3a, REQ-4";
}

TEST(NatProfiles, TimeoutsOfHomeAndCgnAreNoShorterThanTheRfcsAsk) {
  for (const NatProfile profile : {NatProfile::home, NatProfile::cgn}) {
    const TimeoutPolicy policy = make_nat_timeouts(profile);
    EXPECT_GE(policy[TimeoutClass::tcp_established], std::chrono::minutes(124));
    EXPECT_GE(policy[TimeoutClass::tcp_closing], std::chrono::minutes(124));
    for (const TimeoutClass transitory :
         {TimeoutClass::tcp_first, TimeoutClass::tcp_opening, TimeoutClass::tcp_closing,
          TimeoutClass::tcp_fin_wait, TimeoutClass::tcp_closed}) {
      EXPECT_GE(policy[transitory], std::chrono::minutes(4)) << name(transitory);
    }
    for (const TimeoutClass udp :
         {TimeoutClass::other_first, TimeoutClass::other_multiple, TimeoutClass::other_bidir}) {
      EXPECT_GE(policy[udp], std::chrono::minutes(5)) << name(udp);
    }
    EXPECT_GE(policy[TimeoutClass::icmp_first], std::chrono::seconds(60));
    EXPECT_GE(policy[TimeoutClass::icmp_reply], std::chrono::seconds(60));
  }
}

}  // namespace
}  // namespace uct
