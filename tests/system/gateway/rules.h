/// Which connections may open from which side, and how they are translated.
///
/// A rule reads
///
///   SIDE [PROTOCOL] [MATCH] = SPEC
///   SIDE      inside | outside: where the first packet comes from
///   PROTOCOL  tcp | udp | icmp | icmpv6 | sctp
///   MATCH     what the first packet carries, in the words of `uct track --nat`
///   SPEC      what it becomes, in the same words
///
/// for example 'inside = src 198.51.100.1:1024-65535' or 'outside tcp dst 198.51.100.1:80 = dst
/// 10.1.1.2:8080'. The first rule that matches holds. A rule is for the family of its addresses.
/// Relies on cli/nat_option.h and wire.h; used by the gateway.
/// Threads   values; safe everywhere.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <uct/nat.h>

#include "wire.h"

namespace uct::gateway {

enum class Side : std::uint8_t { inside, outside };
constexpr Side opposite(Side side) { return side == Side::inside ? Side::outside : Side::inside; }

struct Rule {
  Side from = Side::inside;
  std::optional<Protocol> protocol;
  std::optional<NatRange> source;
  std::optional<NatRange> destination;
  NatSpec spec;
  NatId id = NatId::none;  ///< given by the tracker

  bool matches(Side side, const IpHeader& packet) const;
};

struct ParsedRule {
  std::optional<Rule> rule;  ///< nothing when `error` says what is wrong
  std::string error;
};

ParsedRule parse_rule(std::string_view text);

/// Gives     whether the rules make the gateway answer for this address on its outer side: inner
///           hosts hide behind it, or connections to it are sent on.
bool is_external(const std::vector<Rule>& rules, const Address& address);

}  // namespace uct::gateway
