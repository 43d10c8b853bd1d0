#include "tests/support/nat_rules.h"

#include <algorithm>

namespace uct::model {

namespace {

bool keeps_address(const NatRange& range) {
  return range.first.bytes == Address{}.bytes && range.last.bytes == Address{}.bytes;
}

/// Gives     the next address; ranges of the model do not carry into the byte before.
Address after(Address address) {
  ++address.bytes[address.family == Family::ipv4 ? 3 : 15];
  return address;
}

std::vector<Address> addresses(const std::optional<NatRange>& range, const Address& kept) {
  if (!range || keeps_address(*range)) return {kept};
  std::vector<Address> all = {range->first};
  while (all.back() != range->last) all.push_back(after(all.back()));
  return all;
}

}  // namespace

NatRules::NatRules(const NatSpec& spec, const Tuple& original)
    : original_(original), is_random_(spec.selection == NatSelection::random) {
  for (const auto& range : {spec.source, spec.destination}) {
    if (!range || keeps_address(*range)) continue;
    applies_ = applies_ && range->first.family == original.source.family;
  }
  if (!applies_) return;
  destination_first_ = spec.source && spec.destination;
  sources_ = addresses(spec.source, original.source);
  destinations_ = addresses(spec.destination, original.destination);
  const bool by_id = has_icmp_id(original.protocol);
  source_ports_ = {source_port(original), source_port(original)};
  destination_ports_ = {original.destination_port, original.destination_port};
  if (!by_id && !has_ports(original.protocol)) return;
  const bool has_destination_ports = spec.destination && spec.destination->has_ports();
  if (spec.source && spec.source->has_ports()) {
    source_ports_ = {spec.source->port_first, spec.source->port_last};
  } else if (spec.source || by_id || !has_destination_ports) {
    source_ports_ = {by_id ? 0U : 1U, 65535};  // it gives way where another has it
  }
  if (has_destination_ports && !by_id) {
    destination_ports_ = {spec.destination->port_first, spec.destination->port_last};
  }
}

std::uint16_t NatRules::source_port(const Tuple& tuple) const {
  return has_icmp_id(tuple.protocol) ? tuple.icmp_id : tuple.source_port;
}

Tuple NatRules::made(const Address& source, const Address& destination, std::uint32_t source_port,
                     std::uint32_t destination_port) const {
  Tuple tuple = original_;
  tuple.source = source;
  tuple.destination = destination;
  std::uint16_t& port = has_icmp_id(tuple.protocol) ? tuple.icmp_id : tuple.source_port;
  port = static_cast<std::uint16_t>(source_port);
  tuple.destination_port = static_cast<std::uint16_t>(destination_port);
  return tuple;
}

bool NatRules::allows(const Tuple& sent) const {
  const auto has = [](const std::vector<Address>& all, const Address& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  };
  return has(sources_, sent.source) && has(destinations_, sent.destination) &&
         source_ports_.has(source_port(sent)) && destination_ports_.has(sent.destination_port) &&
         sent.protocol == original_.protocol && sent.icmp_type == original_.icmp_type;
}

bool NatRules::is_exhausted(const std::function<bool(const Tuple&)>& is_free) const {
  bool all_taken = true;
  for (const Address& destination : destinations_) {
    for (std::uint32_t to = destination_ports_.first; to <= destination_ports_.last; ++to) {
      bool taken = true;
      for (const Address& source : sources_) {
        for (std::uint32_t from = source_ports_.first; taken && from <= source_ports_.last;
             ++from) {
          taken = !is_free(made(source, destination, from, to));
        }
      }
      if (taken && destination_first_) return true;
      all_taken = all_taken && taken;
    }
  }
  return all_taken && !destination_first_;
}

bool NatRules::must_keep_ports() const {
  return !is_random_ && sources_.size() == 1 && destinations_.size() == 1 &&
         source_ports_.has(source_port(original_)) &&
         destination_ports_.has(original_.destination_port);
}

Tuple NatRules::kept() const {
  return made(sources_.front(), destinations_.front(), source_port(original_),
              original_.destination_port);
}

}  // namespace uct::model
