#include <uct/nat.h>

namespace uct {

NatSpec make_nat_spec(NatProfile profile, const NatRange& external) {
  NatSpec spec;
  spec.source = external;
  if (profile == NatProfile::plain) return spec;
  NatMapping& mapping = spec.mapping.emplace();
  mapping.keep_class = true;
  mapping.keep_parity = true;
  if (profile == NatProfile::home) {
    mapping.filtering = NatFiltering::address_dependent;
    mapping.keep_port = true;
    mapping.overflow = true;  // its addresses are all the same household's
    mapping.hold_down = Duration(0);
  } else {
    mapping.filtering = NatFiltering::endpoint_independent;
    mapping.blocks.emplace();
  }
  return spec;
}

TimeoutPolicy make_nat_timeouts(NatProfile profile) {
  TimeoutPolicy policy;
  if (profile == NatProfile::plain) return policy;
  constexpr Duration kEstablished = std::chrono::hours(2) + std::chrono::minutes(4);
  constexpr Duration kTransitory = std::chrono::minutes(4);
  policy[TimeoutClass::tcp_established] = kEstablished;
  policy[TimeoutClass::tcp_closing] = kEstablished;  // half closed: RFC 6146 section 3.5.2.2
  for (const TimeoutClass transitory : {TimeoutClass::tcp_first, TimeoutClass::tcp_opening,
                                        TimeoutClass::tcp_fin_wait, TimeoutClass::tcp_closed}) {
    policy[transitory] = kTransitory;
  }
  for (const TimeoutClass datagrams :
       {TimeoutClass::other_first, TimeoutClass::other_multiple, TimeoutClass::other_bidir}) {
    policy[datagrams] = std::chrono::minutes(5);
  }
  policy[TimeoutClass::icmp_first] = policy[TimeoutClass::icmp_reply] = std::chrono::seconds(60);
  return policy;
}

}  // namespace uct
