#include "rules.h"

#include <array>

#include "cli/nat_option.h"

namespace uct::gateway {

namespace {

constexpr std::array kProtocols = {Protocol::tcp, Protocol::udp, Protocol::icmp, Protocol::icmpv6,
                                   Protocol::sctp};

bool is_any(const NatRange& range) { return range.first == Address{}; }

bool has_address(const NatRange& range, const Address& address) {
  return !is_any(range) && range.first.family == address.family && range.first <= address &&
         address <= range.last;
}

bool matches_end(const std::optional<NatRange>& range, const Address& address, unsigned port) {
  if (!range) return true;
  if (!is_any(*range) && !has_address(*range, address)) return false;
  return !range->has_ports() || (range->port_first <= port && port <= range->port_last);
}

bool is_for(const std::optional<NatRange>& range, Family family) {
  return !range || is_any(*range) || range->first.family == family;
}

/// Takes the word at the front of `text`, and the blanks behind it, if it is there.
bool take_word(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  const std::string_view rest = text.substr(word.size());
  if (!rest.empty() && rest.front() != ' ') return false;
  text = rest.substr(std::min(rest.find_first_not_of(' '), rest.size()));
  return true;
}

/// Gives     what is wrong, or nothing.
std::string parse_match(std::string_view text, Rule& rule) {
  if (take_word(text, "outside")) {
    rule.from = Side::outside;
  } else if (!take_word(text, "inside")) {
    return "a rule begins with inside or outside";
  }
  for (const Protocol protocol : kProtocols) {
    if (take_word(text, to_string(protocol))) rule.protocol = protocol;
  }
  if (text.empty()) return {};
  const cli::ParsedNat match = cli::parse_nat(text);
  if (!match.spec) return match.error;
  rule.source = match.spec->source;
  rule.destination = match.spec->destination;
  return {};
}

}  // namespace

bool Rule::matches(Side side, const IpHeader& packet) const {
  return side == from && (!protocol || packet.protocol == static_cast<unsigned>(*protocol)) &&
         is_for(spec.source, packet.family) && is_for(spec.destination, packet.family) &&
         matches_end(source, packet.source, packet.source_port) &&
         matches_end(destination, packet.destination, packet.destination_port);
}

ParsedRule parse_rule(std::string_view text) {
  const std::size_t at = text.find(" = ");
  if (at == std::string_view::npos) return {{}, "a rule is 'SIDE [PROTOCOL] [MATCH] = SPEC'"};
  Rule rule;
  if (std::string error = parse_match(text.substr(0, at), rule); !error.empty()) {
    return {{}, std::move(error)};
  }
  cli::ParsedNat becomes = cli::parse_nat(text.substr(at + 3));
  if (!becomes.spec) return {{}, std::move(becomes.error)};
  rule.spec = *becomes.spec;
  return {rule, {}};
}

bool is_external(const std::vector<Rule>& rules, const Address& address) {
  for (const Rule& rule : rules) {
    const std::optional<NatRange>& range =
        rule.from == Side::inside ? rule.spec.source : rule.destination;
    if (range && has_address(*range, address)) return true;
  }
  return false;
}

}  // namespace uct::gateway
