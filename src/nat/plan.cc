#include "nat/plan.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>

#include "base/bytes.h"
#include "nat/address_set.h"
#include "nat/prefix.h"

namespace uct::core {

namespace {

/// The address `offset` places behind `first`, as it stands in memory.
void store(const Address& first, std::uint32_t offset, std::uint32_t (&words)[4]) {
  if (first.family == Family::ipv4) {
    words[0] = big_endian(load_be32(std::as_bytes(std::span(first.bytes)).data()) + offset);
    return;
  }
  const Address address = address_of(number_of(first) + offset, first.family);
  std::memcpy(words, address.bytes.data(), sizeof(words));
}

bool is_unspecified(const Address& address) { return number_of(address) == 0; }

bool keeps_address(const NatRange& range) {
  return is_unspecified(range.first) && is_unspecified(range.last);
}

Error check_range(const NatRange& range) {
  if (!is_range({range.first, range.last}) ||
      (is_unspecified(range.first) && !is_unspecified(range.last))) {
    return Error::nat_address_range;
  }
  if (range.has_ports() && (range.port_first == 0 || range.port_first > range.port_last)) {
    return Error::nat_port_range;
  }
  return Error::none;
}

bool moves_prefix(NatSelection selection) {
  return selection == NatSelection::prefix || selection == NatSelection::npt;
}

Error check_selection(const NatRange& range, NatSelection selection) {
  if (!moves_prefix(selection) || keeps_address(range)) return Error::none;
  const std::optional<unsigned> bits = prefix_bits(range);
  if (!bits) return Error::nat_prefix;
  const bool may_be_neutral = range.first.family == Family::ipv6 && *bits <= 64;
  return selection == NatSelection::npt && !may_be_neutral ? Error::nat_prefix : Error::none;
}

std::uint32_t addresses_of(const NatRange& range) {
  const AddressNumber count = number_of(range.last) - number_of(range.first) + 1;
  return static_cast<std::uint32_t>(
      std::min<AddressNumber>(count, std::numeric_limits<std::uint32_t>::max()));
}

NatPlan::Side make_side(const std::optional<NatRange>& range, NatSelection selection) {
  NatPlan::Side side;
  if (!range) return side;
  side.range = *range;
  side.is_given = true;
  side.translated = !keeps_address(*range);
  if (side.translated && !moves_prefix(selection)) side.addresses = addresses_of(*range);
  return side;
}

std::optional<Family> family_of(const NatSpec& spec) {
  for (const auto& range : {spec.source, spec.destination}) {
    if (range && !keeps_address(*range)) return range->first.family;
  }
  return std::nullopt;
}

}  // namespace

Error check_nat(const NatSpec& spec) {
  if (!spec.source && !spec.destination) return Error::nat_empty;
  if (spec.mapping && (!spec.source || keeps_address(*spec.source) || spec.destination ||
                       spec.selection != NatSelection::hash)) {
    return Error::nat_mapping;
  }
  for (const auto& range : {spec.source, spec.destination}) {
    if (!range) continue;
    if (const Error error = check_range(*range); error != Error::none) return error;
    if (const Error error = check_selection(*range, spec.selection); error != Error::none) {
      return error;
    }
  }
  const bool both = spec.source && spec.destination;
  if (both && !keeps_address(*spec.source) && !keeps_address(*spec.destination) &&
      spec.source->first.family != spec.destination->first.family) {
    return Error::nat_family;
  }
  return Error::none;
}

NatPlan::NatPlan(const NatSpec& spec)
    : source(make_side(spec.source, spec.selection)),
      destination(make_side(spec.destination, spec.selection)),
      selection(spec.selection),
      varies_destination_port(!spec.source && destination.range.has_ports()),
      family(family_of(spec)) {}

bool NatPlan::fill_address(const Side& side, std::uint32_t place, std::uint32_t (&words)[4]) const {
  if (!side.translated) return true;
  if (selection == NatSelection::npt) return set_prefix_neutrally(side.range, words);
  if (selection == NatSelection::prefix) {
    set_prefix(side.range, words);
  } else {
    store(side.range.first, place, words);
  }
  return true;
}

}  // namespace uct::core
