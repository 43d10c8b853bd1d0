#include "tests/support/scenario_request.h"

#include <tuple>

#include "tests/support/scenario_expect.h"

namespace uct::scenario {

namespace {

std::uint32_t number32(const Fields& fields, std::string_view name, std::uint64_t otherwise) {
  return static_cast<std::uint32_t>(fields.number(name, otherwise));
}

struct MaskedMark {
  std::uint32_t value;
  std::uint32_t mask;
};

MaskedMark parse_mark(const std::string& text) {
  const Texts parts = split(text, '/');
  const std::uint64_t mask = parts.size() > 1 ? parse_number(parts[1]).value_or(0) : 0xffffffff;
  return {static_cast<std::uint32_t>(parse_number(parts[0]).value_or(0)),
          static_cast<std::uint32_t>(mask)};
}

Label label_mask_of(const Texts& parts) {
  if (parts.size() > 1) return parse_label(parts[1]);
  Label all;
  all.fill(0xff);
  return all;
}

std::string error_text(Error error) {
  return error == Error::none ? "" : std::string(uct::describe(error));
}

std::string set_policy(const Statement& statement, Tracker& tracker) {
  TimeoutPolicy policy;
  const auto id = tracker.find_timeout_policy(statement.detail);
  if (id) policy = tracker.timeout_policy(*id).value_or(policy);
  for (const Field& field : statement.fields.all()) {
    TimeoutClass timeout_class{};
    if (!parse_timeout_class(field.name, timeout_class)) return "no such class";
    policy[timeout_class] = Duration(parse_duration_ns(field.value).value_or(0) / 1'000'000);
  }
  return error_text(tracker.set_timeout_policy(statement.detail, policy).error());
}

}  // namespace

Config make_config(const Fields& fields) {
  Config config;
  config.max_connections = number32(fields, "max-connections", 1000);
  config.capacity = number32(fields, "capacity", 10'000);
  config.shards = number32(fields, "shards", 4);
  config.tcp_pick_up = fields.text("pick-up", "on") == "on";
  config.udp6_zero_checksum = fields.text("udp6-zero-checksum", "off") == "on";
  config.max_fragmented_datagrams =
      number32(fields, "max-fragments", config.max_fragmented_datagrams);
  const auto ns = parse_duration_ns(fields.text("fragment-timeout"));
  if (ns) config.fragment_timeout = Duration(*ns / 1'000'000);
  config.max_held_fragment_bytes = fields.number("max-held", config.max_held_fragment_bytes);
  config.fragment_source_share = number32(fields, "fragment-share", config.fragment_source_share);
  return config;
}

void change_request(const Fields& fields, const Tracker& tracker, Request& request) {
  for (const Field& field : fields.all()) {
    if (field.name == "zone") {
      request.zone = static_cast<Zone>(parse_number(field.value).value_or(0));
    } else if (field.name == "commit" || field.name == "no-commit") {
      request.commit = field.name == "commit";
    } else if (field.name == "force" || field.name == "no-force") {
      request.force = field.name == "force";
    } else if (field.name == "mark") {
      const MaskedMark mark = parse_mark(field.value);
      request.mark = mark.value;
      request.mark_mask = mark.mask;
    } else if (field.name == "label") {
      const Texts parts = split(field.value, '/');
      request.label = parse_label(parts[0]);
      request.label_mask = label_mask_of(parts);
    } else if (field.name == "inside-view") {
      request.inside_view = true;
    } else if (field.name == "from-outside") {
      request.from_outside = true;
    } else if (field.name == "policy") {
      const auto id = tracker.find_timeout_policy(field.value);
      request.timeout_policy = id.value_or(TimeoutPolicyId::standard);
    }
  }
}

bool same(const Request& a, const Request& b) {
  auto all = [](const Request& r) {
    return std::tie(r.zone, r.commit, r.force, r.mark, r.mark_mask, r.label, r.label_mask,
                    r.timeout_policy, r.nat, r.inside_view, r.from_outside);
  };
  return all(a) == all(b);
}

/// HOST or HOST-HOST.
AddressRange make_range(const Scenario& scenario, Family family, std::string_view text) {
  const Texts hosts = split(text, '-');
  return {address_of(scenario, hosts.front(), family), address_of(scenario, hosts.back(), family)};
}

/// The fields that belong to endpoint-independent mapping, of which `filtering` must be there.
NatMapping make_mapping(const Scenario& scenario, Family family, const Fields& fields) {
  NatMapping mapping;
  const std::string filtering = fields.text("filtering");
  if (filtering == "address") mapping.filtering = NatFiltering::address_dependent;
  if (filtering == "port") mapping.filtering = NatFiltering::address_and_port_dependent;
  if (fields.has("inside")) {
    mapping.inside = {make_range(scenario, family, fields.text("inside"))};
  }
  if (fields.has("exempt")) {
    mapping.exempt = {make_range(scenario, family, fields.text("exempt"))};
  }
  for (const std::string& wish : split(fields.text("keep"), ',')) {
    mapping.keep_port |= wish == "port";
    mapping.keep_class |= wish == "class";
    mapping.keep_parity |= wish == "parity";
  }
  if (fields.has("blocks")) {
    const Texts numbers = split(fields.text("blocks"), 'x');
    NatBlocks& blocks = mapping.blocks.emplace();
    blocks.ports = static_cast<std::uint16_t>(parse_number(numbers.front()).value_or(0));
    blocks.blocks_max = static_cast<std::uint16_t>(parse_number(numbers.back()).value_or(0));
  }
  if (fields.has("hold-down"))
    mapping.hold_down = std::chrono::duration_cast<Duration>(
        std::chrono::nanoseconds(parse_duration_ns(fields.text("hold-down")).value_or(0)));
  if (fields.has("inbound-refresh")) {
    mapping.inbound_refresh = fields.text("inbound-refresh") == "on";
  }
  return mapping;
}

NatSpec make_nat(const Scenario& scenario, Family family, const Fields& fields) {
  const auto range_of = [&](std::string_view side, std::string_view ports) {
    std::optional<NatRange> range;
    if (!fields.has(side)) return range;
    range.emplace();
    range->first.family = range->last.family = family;
    const Texts hosts = split(fields.text(side), '-');
    if (hosts[0] != "any") {
      range->first = address_of(scenario, hosts.front(), family);
      range->last = address_of(scenario, hosts.back(), family);
    }
    if (!fields.has(ports)) return range;
    const Texts numbers = split(fields.text(ports), '-');
    range->port_first = static_cast<std::uint16_t>(parse_number(numbers.front()).value_or(0));
    range->port_last = static_cast<std::uint16_t>(parse_number(numbers.back()).value_or(0));
    return range;
  };
  NatSpec spec;
  spec.source = range_of("source", "ports");
  spec.destination = range_of("destination", "dports");
  const std::string select = fields.text("select", "hash");
  if (select == "random") spec.selection = NatSelection::random;
  if (select == "persistent") spec.selection = NatSelection::persistent;
  if (select == "prefix") spec.selection = NatSelection::prefix;
  if (select == "npt") spec.selection = NatSelection::npt;
  if (fields.has("filtering")) spec.mapping = make_mapping(scenario, family, fields);
  return spec;
}

std::string change_setting(const Statement& statement, Tracker& tracker) {
  const std::string& what = statement.subject;
  const std::string value = statement.fields.text("value");
  const bool of_all_zones = statement.detail == "default";
  const auto number = static_cast<std::uint32_t>(parse_number(statement.detail).value_or(0));
  if (what == "policy") return set_policy(statement, tracker);
  if (what == "max-connections") return error_text(tracker.set_max_connections(number));
  if (what == "zone-limit") {
    std::optional<std::uint32_t> limit;
    if (value != "none") limit = static_cast<std::uint32_t>(parse_number(value).value_or(0));
    if (of_all_zones) {
      tracker.set_default_zone_limit(limit);
    } else {
      tracker.set_zone_limit(static_cast<Zone>(number), limit);
    }
    return "";
  }
  SequenceCheck check = SequenceCheck::normal;
  if (value == "strict") check = SequenceCheck::strict;
  if (value == "disabled") check = SequenceCheck::disabled;
  if (of_all_zones) {
    tracker.set_default_sequence_check(check);
  } else {
    tracker.set_sequence_check(static_cast<Zone>(number), check);
  }
  return "";
}

Address address_of(const Scenario& scenario, const std::string& host, Family family) {
  const Host* found = scenario.find_host(host);
  if (found == nullptr) return {};
  const auto& wanted = family == Family::ipv4 ? found->ipv4 : found->ipv6;
  const auto& other = family == Family::ipv4 ? found->ipv6 : found->ipv4;
  return wanted ? *wanted : other.value_or(Address{});
}

Filter make_filter(const Scenario& scenario, Family family, const Fields& fields) {
  Filter filter;
  if (fields.has("zone")) filter.zone = static_cast<Zone>(fields.number("zone"));
  if (fields.has("protocol")) {
    filter.protocol = static_cast<Protocol>(protocol_number(fields.text("protocol"), ""));
  }
  if (fields.has("source")) {
    filter.original.source = address_of(scenario, fields.text("source"), family);
  }
  if (fields.has("destination")) {
    filter.original.destination = address_of(scenario, fields.text("destination"), family);
  }
  if (fields.has("mark")) {
    const MaskedMark mark = parse_mark(fields.text("mark"));
    filter.mark = mark.value;
    filter.mark_mask = mark.mask;
  }
  if (fields.has("label")) {
    const Texts parts = split(fields.text("label"), '/');
    filter.label = parse_label(parts[0]);
    filter.label_mask = label_mask_of(parts);
  }
  return filter;
}

Tuple make_tuple(const Scenario& scenario, Family family, const Statement& statement) {
  Tuple tuple;
  tuple.source = address_of(scenario, statement.from.host, family);
  tuple.destination = address_of(scenario, statement.to.host, family);
  tuple.protocol = static_cast<Protocol>(protocol_number(statement.protocol, statement.detail));
  if (has_ports(tuple.protocol)) {
    tuple.source_port = statement.from.port;
    tuple.destination_port = statement.to.port;
  }
  if (has_icmp_id(tuple.protocol)) {
    const Texts parts = split(statement.detail, '/');
    tuple.icmp_id = static_cast<std::uint16_t>(statement.fields.number("id"));
    tuple.icmp_type = static_cast<std::uint8_t>(parse_number(parts[0]).value_or(0));
  }
  return tuple;
}

std::uint8_t protocol_number(const std::string& protocol, const std::string& detail) {
  if (protocol == "proto") return static_cast<std::uint8_t>(parse_number(detail).value_or(0));
  for (const Protocol known :
       {Protocol::icmp, Protocol::igmp, Protocol::tcp, Protocol::udp, Protocol::dccp, Protocol::gre,
        Protocol::esp, Protocol::ah, Protocol::icmpv6, Protocol::sctp, Protocol::udplite}) {
    if (to_string(known) == protocol) return static_cast<std::uint8_t>(known);
  }
  return 0;
}

}  // namespace uct::scenario
