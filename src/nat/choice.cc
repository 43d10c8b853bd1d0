#include "nat/choice.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/bytes.h"
#include "nat/prefix.h"

namespace uct::core {

namespace {

using Wide = unsigned __int128;

/// An address as a number; IPv4 in the low 32 bits.
Wide wide(const Address& address) {
  const std::size_t size = address.family == Family::ipv4 ? 4 : 16;
  Wide value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | address.bytes[i];
  return value;
}

/// The address `offset` places behind `first`, as it stands in memory.
void store(const Address& first, std::uint32_t offset, std::uint32_t (&words)[4]) {
  Wide value = wide(first) + offset;
  const std::size_t size = first.family == Family::ipv4 ? 4 : 16;
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t i = size; i-- > 0; value >>= 8) bytes[i] = static_cast<std::uint8_t>(value);
  std::memcpy(words, bytes.data(), size);
}

bool is_unspecified(const Address& address) { return wide(address) == 0; }
bool keeps_address(const NatRange& range) {
  return is_unspecified(range.first) && is_unspecified(range.last);
}

Error check_range(const NatRange& range) {
  if (range.first.family != range.last.family || wide(range.first) > wide(range.last) ||
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
  const Wide count = wide(range.last) - wide(range.first) + 1;
  return static_cast<std::uint32_t>(
      std::min<Wide>(count, std::numeric_limits<std::uint32_t>::max()));
}

bool has_identifier(Kind kind) { return kind == Kind::icmp || kind == Kind::icmpv6; }

/// The source ports that may replace `port` first: as Linux and Open vSwitch part them, so that a
/// server that trusts low ports is not deceived.
NatRange class_of_port(std::uint16_t port) {
  if (port < 512) return {{}, {}, 1, 511};
  if (port < 1024) return {{}, {}, 600, 1023};
  return {{}, {}, 1024, 65535};
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

std::optional<Family> family_of(const NatSpec& spec) {
  for (const auto& range : {spec.source, spec.destination}) {
    if (range && !keeps_address(*range)) return range->first.family;
  }
  return std::nullopt;
}

NatChoice::NatChoice(const NatSpec& spec, const ParsedPacket& packet, Zone zone,
                     const HashKey& secret, std::uint64_t nonce, Crowds& crowds)
    : spec_(spec), packet_(packet), zone_(zone), random_(secret, nonce), crowds_(crowds) {
  const bool by_id = has_identifier(packet.kind);
  has_ports_ = has_number(packet);
  kept_source_ = packet.source_port;
  kept_destination_ = packet.destination_port;
  const auto take = [&](const std::optional<NatRange>& range, Side& side) {
    if (!range) return;
    side.range = *range;
    side.translated = !keeps_address(*range);
    const bool several = side.translated && !moves_prefix(spec_.selection);
    side.addresses = several ? addresses_of(*range) : 1;
  };
  take(spec.source, source_);
  take(spec.destination, destination_);
  varies_destination_ = !by_id && !spec.source && destination_.range.has_ports();
  addresses_left_ =
      varies_destination_ || !spec.source ? destination_.addresses : source_.addresses;
  choose_addresses(secret);
  begin_walk();
  may_crowd_ = has_ports_ && !varies_destination_ && walks_[0].count >= kCrowdPorts;
}

void NatChoice::choose_addresses(const HashKey& secret) {
  std::uint64_t words[5] = {};
  std::memcpy(words, packet_.source, sizeof(packet_.source));
  if (spec_.selection == NatSelection::hash) {
    std::memcpy(words + 2, packet_.destination, sizeof(packet_.destination));
  }
  // The zone and protocol are left out on purpose: a host keeps its address for all it does.
  words[4] = static_cast<std::uint64_t>(packet_.family);
  const std::uint64_t hash =
      spec_.selection == NatSelection::random ? random_.next() : siphash13<5>(words, secret);
  source_.address = static_cast<std::uint32_t>((hash >> 32) * source_.addresses >> 32);
  destination_.address =
      static_cast<std::uint32_t>((hash & 0xffffffff) * destination_.addresses >> 32);
}

/// Which ports the one that varies may become.
void NatChoice::begin_walk() {
  walk_ = 0;
  step_ = 0;
  walks_ = {};
  const auto walk = [&](std::uint32_t first, std::uint32_t last) {
    return Walk{first, last - first + 1, random_.below(last - first + 1)};
  };
  const NatRange& range = varies_destination_ ? destination_.range : source_.range;
  if (!has_ports_) {
    walks_[0] = {0, 1, 0};  // addresses alone make candidates differ
  } else if (range.has_ports()) {
    walks_[0] = walk(range.port_first, range.port_last);
  } else if (has_identifier(packet_.kind)) {
    walks_[0] = walk(0, 65535);  // an identifier of 0 is as good as any, RFC 5508 section 3
  } else {
    const NatRange preferred = class_of_port(packet_.source_port);
    walks_[0] = walk(preferred.port_first, preferred.port_last);
    walks_[1] = walk(1, 65535);
  }
}

/// Gives     false when one cannot be translated.
bool NatChoice::fill_address(const Side& side, std::uint32_t (&words)[4]) const {
  if (!side.translated) return true;
  if (spec_.selection == NatSelection::npt) return set_prefix_neutrally(side.range, words);
  if (spec_.selection == NatSelection::prefix) {
    set_prefix(side.range, words);
  } else {
    store(side.range.first, side.address, words);
  }
  return true;
}

bool NatChoice::fill_addresses(Translation& candidate) const {
  std::memcpy(candidate.source, packet_.source, sizeof(candidate.source));
  std::memcpy(candidate.destination, packet_.destination, sizeof(candidate.destination));
  candidate.source_port = kept_source_;
  candidate.destination_port = kept_destination_;
  return fill_address(source_, candidate.source) &&
         fill_address(destination_, candidate.destination);
}

/// Whether the ports may stay as they are.
bool NatChoice::may_keep() const {
  if (!has_ports_) return true;
  const bool random = spec_.selection == NatSelection::random;
  const auto inside = [](const Side& side, std::uint16_t port) {
    return !side.range.has_ports() ||
           (side.range.port_first <= port && port <= side.range.port_last);
  };
  if (!inside(source_, kept_source_) || (random && spec_.source)) return false;
  return has_identifier(packet_.kind) ||
         (inside(destination_, kept_destination_) && !(random && destination_.range.has_ports()));
}

std::uint16_t& NatChoice::varied_port(Translation& candidate) const {
  return varies_destination_ ? candidate.destination_port : candidate.source_port;
}

/// Goes on with the next address of the side that varies.
bool NatChoice::next_address() {
  if (--addresses_left_ == 0) return false;
  Side& side = varies_destination_ || !spec_.source ? destination_ : source_;
  side.address = side.address + 1 == side.addresses ? 0 : side.address + 1;
  begin_walk();
  return true;
}

CrowdKey NatChoice::crowd_of(const Translation& candidate) const {
  const std::uint16_t remote_port =
      has_identifier(packet_.kind) ? std::uint16_t{0} : candidate.destination_port;
  return make_crowd_key(candidate.source, candidate.destination, remote_port, zone_, packet_.kind,
                        packet_.family);
}

void NatChoice::give_back(const Translation& candidate) {
  if (may_crowd_ && crowds_.count() != 0) {
    crowds_.give_back(crowd_of(candidate), candidate.source_port);
  }
}

/// Gives     whether the candidate's crowd, if it has one, knows that somebody has the port.
bool NatChoice::is_not_free(const Translation& candidate) {
  if (!may_crowd_) return false;
  return crowds_.take_exact(crowd_of(candidate), candidate.source_port) == Crowds::Take::not_free;
}

/// What is as it was, but for the addresses.
bool NatChoice::keep(Translation& candidate) {
  stage_ = has_ports_ ? Stage::drawn : Stage::walked;
  // A range for the destination's port beside a translated source: one of it, and the source's
  // port then makes the difference.
  const NatRange& to = destination_.range;
  if (!has_identifier(packet_.kind) && to.has_ports() && !varies_destination_ &&
      (kept_destination_ < to.port_first || kept_destination_ > to.port_last)) {
    const std::uint32_t count = std::uint32_t{to.port_last} - to.port_first + 1;
    kept_destination_ = static_cast<std::uint16_t>(to.port_first + random_.below(count));
  }
  if (!fill_addresses(candidate)) stage_ = Stage::done;
  return stage_ != Stage::done && may_keep() && !is_not_free(candidate);
}

bool NatChoice::draw(Translation& candidate) {
  fill_addresses(candidate);
  const bool in_vain = draws_left_ == 0;
  if (may_crowd_) {
    const CrowdKey crowd = crowd_of(candidate);
    if (in_vain ? crowds_.make(crowd) : crowds_.exists(crowd)) {
      stage_ = Stage::crowded;
      return false;
    }
  }
  if (in_vain) {
    stage_ = Stage::walked;
    return false;
  }
  --draws_left_;
  const Walk& preferred = walks_[0];
  varied_port(candidate) =
      static_cast<std::uint16_t>(preferred.first + random_.below(preferred.count));
  return true;
}

bool NatChoice::take_of_crowd(Translation& candidate) {
  fill_addresses(candidate);
  const CrowdKey crowd = crowd_of(candidate);
  for (; walk_ < walks_.size() && walks_[walk_].count != 0; ++walk_) {
    const Walk& among = walks_[walk_];
    const PortRange range{static_cast<std::uint16_t>(among.first),
                          static_cast<std::uint16_t>(among.first + among.count - 1)};
    const Crowds::Take result = crowds_.take(crowd, range, random_.next(), candidate.source_port);
    if (result == Crowds::Take::taken) return true;
    if (result == Crowds::Take::not_free) continue;
    stage_ = Stage::walked;  // the crowd has dispersed
    step_ = 0;
    return false;
  }
  stage_ = next_address() ? Stage::drawn : Stage::done;
  draws_left_ = kDraws;
  return false;
}

bool NatChoice::walk(Translation& candidate) {
  fill_addresses(candidate);
  for (; walk_ < walks_.size() && walks_[walk_].count != 0; ++walk_) {
    const Walk& among = walks_[walk_];
    if (step_ < among.count) {
      const std::uint32_t place = (among.start + step_++) % among.count;
      if (has_ports_) varied_port(candidate) = static_cast<std::uint16_t>(among.first + place);
      return true;
    }
    step_ = 0;
  }
  const Stage again = has_ports_ ? Stage::drawn : Stage::walked;
  stage_ = next_address() ? again : Stage::done;
  draws_left_ = kDraws;
  return false;
}

bool NatChoice::next(Translation& candidate) {
  while (stage_ != Stage::done) {
    switch (stage_) {
      case Stage::kept:
        if (keep(candidate)) return true;
        break;
      case Stage::drawn:
        if (draw(candidate)) return true;
        break;
      case Stage::crowded:
        if (take_of_crowd(candidate)) return true;
        break;
      case Stage::walked:
        if (walk(candidate)) return true;
        break;
      case Stage::done:
        break;
    }
  }
  return false;
}

}  // namespace uct::core
