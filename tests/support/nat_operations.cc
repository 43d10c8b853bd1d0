#include "tests/support/nat_operations.h"

#include <sstream>

namespace uct::model {

namespace {

constexpr std::uint16_t kClientPorts[] = {80, 500, 600, 700, 1024, 5000, 40'000, 40'001};

void add_ports(NatRange& range, NatDetail& detail, std::uint16_t around) {
  switch (detail.below(4)) {
    case 0:
      return;
    case 1:
      range.port_first = 1;
      range.port_last = 65535;
      return;
    default:
      range.port_first = around;
      range.port_last = static_cast<std::uint16_t>(around + detail.below(6));
      return;
  }
}

NatRange addresses(Family family, NatHost group, std::uint32_t count) {
  NatRange range;
  range.first = nat_address(family, group, 1);
  range.last = nat_address(family, group, count);
  return range;
}

NatSpec random_spec(NatDetail& detail) {
  const Family family = detail.one_in(3) ? Family::ipv6 : Family::ipv4;
  NatSpec spec;
  spec.selection = static_cast<NatSelection>(detail.below(3));
  const std::uint32_t sides = detail.below(4);
  if (sides != 1) {
    spec.source = addresses(family, NatHost::external, 1 + detail.below(3));
    if (detail.one_in(8)) spec.source->first = spec.source->last = Address{};
    add_ports(*spec.source, detail, detail.one_in(3) ? 600 : 39'999);
  }
  if (sides == 0 || sides == 1) {
    spec.destination = addresses(family, NatHost::target, 1 + detail.below(2));
    add_ports(*spec.destination, detail, detail.one_in(2) ? 53 : 8080);
  }
  return spec;
}

NatVerb random_verb(NatDetail& detail) {
  constexpr NatVerb kVerbs[] = {
      NatVerb::open,   NatVerb::open,   NatVerb::open,    NatVerb::open,    NatVerb::open,
      NatVerb::open,   NatVerb::more,   NatVerb::more,    NatVerb::more,    NatVerb::answer,
      NatVerb::answer, NatVerb::answer, NatVerb::answer,  NatVerb::close,   NatVerb::wrong_side,
      NatVerb::error,  NatVerb::error,  NatVerb::advance, NatVerb::advance, NatVerb::force};
  if (detail.one_in(40)) return NatVerb::sweep;
  if (detail.one_in(60)) return NatVerb::burst;
  if (detail.one_in(400)) return NatVerb::flush;
  return detail.pick(kVerbs);
}

}  // namespace

Address nat_address(Family family, NatHost group, std::uint32_t number) {
  constexpr std::uint8_t kNetworks[4][3] = {{10, 0, 0}, {198, 51, 100}, {203, 0, 113}, {192, 0, 2}};
  const auto place = static_cast<std::size_t>(group);
  const auto host = static_cast<std::uint8_t>(number);
  Address address;
  address.family = family;
  if (family == Family::ipv6) {
    address.bytes = {0x20, 0x01, 0x0d, 0xb8, 0, static_cast<std::uint8_t>(place + 1)};
    address.bytes[15] = host;
  } else {
    address.bytes = {kNetworks[place][0], kNetworks[place][1], kNetworks[place][2], host};
  }
  return address;
}

Tuple random_opening(NatDetail& detail) {
  constexpr Protocol kProtocols[] = {Protocol::tcp, Protocol::tcp,  Protocol::udp,    Protocol::udp,
                                     Protocol::udp, Protocol::sctp, Protocol::udplite};
  const Family family = detail.one_in(3) ? Family::ipv6 : Family::ipv4;
  Tuple tuple;
  // Now and then somebody who has an external address, or who talks to a target itself.
  const bool outsider = detail.one_in(8);
  tuple.source =
      nat_address(family, outsider ? NatHost::external : NatHost::client, 1 + detail.below(4));
  const bool direct = detail.one_in(6);
  tuple.destination =
      nat_address(family, direct ? NatHost::target : NatHost::server, 1 + detail.below(2));
  const std::uint32_t kind = detail.below(10);
  if (kind == 0) {
    tuple.protocol = Protocol::gre;
  } else if (kind <= 2) {
    tuple.protocol = family == Family::ipv4 ? Protocol::icmp : Protocol::icmpv6;
    tuple.icmp_type = family == Family::ipv4 ? 8 : 128;
    tuple.icmp_id = detail.pick(kClientPorts);
  } else {
    tuple.protocol = detail.pick(kProtocols);
    tuple.source_port = detail.pick(kClientPorts);
    tuple.destination_port = detail.one_in(3) ? std::uint16_t{80} : std::uint16_t{53};
  }
  return tuple;
}

NatSequence random_nat_sequence(std::uint64_t seed, std::size_t length) {
  NatDetail detail(seed * 0xd6e8feb86659fd93U);
  for (int i = 0; i < 8; ++i) detail.below(2);  // neighbouring seeds drift apart
  NatSequence sequence;
  sequence.seed = seed;
  sequence.shards = 1U << detail.below(4);
  sequence.exclusive = detail.one_in(2);
  const std::uint32_t specs = 1 + detail.below(5);
  for (std::uint32_t i = 0; i < specs; ++i) sequence.specs.push_back(random_spec(detail));
  for (std::size_t i = 0; i < length; ++i) {
    sequence.operations.push_back(
        {random_verb(detail), detail.below(1U << 31), detail.below(1U << 31)});
  }
  return sequence;
}

std::string to_text(const NatOperation& operation) {
  constexpr const char* kNames[] = {"open",  "burst", "more",    "answer", "close", "wrong side",
                                    "error", "force", "advance", "sweep",  "flush"};
  std::ostringstream text;
  text << kNames[static_cast<std::size_t>(operation.verb)] << ' ' << operation.pick << ' '
       << operation.detail;
  return text.str();
}

std::string to_text(const NatSpec& spec) {
  std::ostringstream text;
  const auto add = [&](const char* side, const std::optional<NatRange>& range) {
    if (!range) return;
    text << side << ' ' << to_string(range->first) << '-' << to_string(range->last) << ' '
         << range->port_first << '-' << range->port_last << ' ';
  };
  add("src", spec.source);
  add("dst", spec.destination);
  text << "selection " << static_cast<unsigned>(spec.selection);
  return text.str();
}

}  // namespace uct::model
