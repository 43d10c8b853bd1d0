#include "nat/choice.h"

#include <cstring>

namespace uct::core {

namespace {

/// The source ports that may replace `port` first: as Linux and Open vSwitch part them, so that a
/// server that trusts low ports is not deceived.
NatRange class_of_port(std::uint16_t port) {
  if (port < 512) return {{}, {}, 1, 511};
  if (port < 1024) return {{}, {}, 600, 1023};
  return {{}, {}, 1024, 65535};
}

bool chooses_addresses(const NatPlan& plan) {
  return plan.source.addresses != 1 || plan.destination.addresses != 1;
}

/// Without ports in its ranges a translation mostly keeps those of the packet.
bool draws_mostly(const NatPlan& plan) {
  return plan.selection == NatSelection::random || plan.source.range.has_ports() ||
         plan.destination.range.has_ports();
}

void draw_first(const HashKey& secret, std::span<NatDraw> draws) {
  HashKeys<2> nonces{};
  alignas(64) std::uint64_t hashes[kHashLanes];
  for (std::size_t i = 0; i < draws.size(); ++i) {
    nonces[i][0] = draws[i].nonce;
    nonces[i][1] = 1;
  }
  hash_lanes(nonces, secret, hashes);
  for (std::size_t i = 0; i < draws.size(); ++i) draws[i].first = hashes[i];
}

void draw_addresses(const NatPlan& plan, std::span<const ParsedPacket* const> packets,
                    const HashKey& secret, NatDraw* draws) {
  HashKeys<5> addresses{};
  alignas(64) std::uint64_t hashes[kHashLanes];
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const ParsedPacket& packet = *packets[i];
    std::memcpy(&addresses[i][0], packet.source, sizeof(packet.source));
    if (plan.selection == NatSelection::hash) {
      std::memcpy(&addresses[i][2], packet.destination, sizeof(packet.destination));
    }
    // The zone and protocol are left out on purpose: a host keeps its address for all it does.
    addresses[i][4] = static_cast<std::uint64_t>(packet.family);
  }
  hash_lanes(addresses, secret, hashes);
  for (std::size_t i = 0; i < packets.size(); ++i) draws[i].address = hashes[i];
}

}  // namespace

void draw(const NatPlan& plan, std::span<const ParsedPacket* const> packets, const HashKey& secret,
          std::uint64_t nonce, NatDraw* draws) {
  for (std::size_t i = 0; i < packets.size(); ++i) draws[i].nonce = nonce + i;
  if (draws_mostly(plan)) draw_first(secret, {draws, packets.size()});
  if (chooses_addresses(plan) && plan.selection != NatSelection::random) {
    draw_addresses(plan, packets, secret, draws);
  }
}

NatChoice::NatChoice(const NatPlan& plan, const ParsedPacket& packet, Zone zone,
                     const HashKey& secret, const NatDraw& draw, Crowds& crowds)
    : plan_(plan),
      packet_(packet),
      zone_(zone),
      random_(secret, draw),
      crowds_(crowds),
      has_ports_(has_number(packet)),
      varies_destination_(plan.varies_destination_port && !has_identifier(packet.kind)) {
  kept_.source_port = packet.source_port;
  kept_.destination_port = packet.destination_port;
  const bool of_destination = varies_destination_ || !plan.source.is_given;
  addresses_left_ = of_destination ? plan.destination.addresses : plan.source.addresses;
  choose_addresses(draw.address);
  begin_address();
  may_crowd_ = has_ports_ && !varies_destination_ && walks_[0].count >= kCrowdPorts;
}

void NatChoice::choose_addresses(std::uint64_t hash) {
  if (!chooses_addresses(plan_)) return;
  if (plan_.selection == NatSelection::random) hash = random_.next();
  source_address_ = static_cast<std::uint32_t>((hash >> 32) * plan_.source.addresses >> 32);
  destination_address_ =
      static_cast<std::uint32_t>((hash & 0xffffffff) * plan_.destination.addresses >> 32);
}

void NatChoice::begin_address() {
  is_possible_ = fill_addresses();
  begin_walk();
}

/// Gives     false when one cannot be translated.
bool NatChoice::fill_addresses() {
  std::memcpy(kept_.source, packet_.source, sizeof(kept_.source));
  std::memcpy(kept_.destination, packet_.destination, sizeof(kept_.destination));
  return plan_.fill_address(plan_.source, source_address_, kept_.source) &&
         plan_.fill_address(plan_.destination, destination_address_, kept_.destination);
}

/// Which ports the one that varies may become.
void NatChoice::begin_walk() {
  walk_ = 0;
  step_ = 0;
  walks_ = {};
  const auto walk = [](std::uint32_t first, std::uint32_t last) {
    return Walk{first, last - first + 1};
  };
  const NatRange& range = varies_destination_ ? plan_.destination.range : plan_.source.range;
  if (!has_ports_) {
    walks_[0] = {0, 1};  // addresses alone make candidates differ
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

/// Whether the ports may stay as they are.
bool NatChoice::may_keep() const {
  if (!has_ports_) return true;
  const bool random = plan_.selection == NatSelection::random;
  const auto inside = [](const NatPlan::Side& side, std::uint16_t port) {
    return !side.range.has_ports() ||
           (side.range.port_first <= port && port <= side.range.port_last);
  };
  if (!inside(plan_.source, kept_.source_port) || (random && plan_.source.is_given)) return false;
  return has_identifier(packet_.kind) || (inside(plan_.destination, kept_.destination_port) &&
                                          !(random && plan_.destination.range.has_ports()));
}

std::uint16_t& NatChoice::varied_port(Translation& candidate) const {
  return varies_destination_ ? candidate.destination_port : candidate.source_port;
}

/// Goes on with the next address of the side that varies.
bool NatChoice::next_address() {
  if (--addresses_left_ == 0) return false;
  const bool of_destination = varies_destination_ || !plan_.source.is_given;
  const NatPlan::Side& side = of_destination ? plan_.destination : plan_.source;
  std::uint32_t& address = of_destination ? destination_address_ : source_address_;
  address = address + 1 == side.addresses ? 0 : address + 1;
  begin_address();
  return true;
}

CrowdKey NatChoice::crowd_of(const Translation& candidate) const {
  const std::uint16_t remote_port =
      has_identifier(packet_.kind) ? std::uint16_t{0} : candidate.destination_port;
  return crowds_.make_key(candidate.source, candidate.destination, remote_port, zone_, packet_.kind,
                          packet_.family);
}

void NatChoice::give_back(const Translation& candidate) {
  if (of_crowd_) crowds_.give_back(crowd_of(candidate), candidate.source_port);
}

/// Gives     where ports of an address are looked for first.
NatChoice::Stage NatChoice::first_look() const {
  if (!has_ports_) return Stage::walked;
  return may_crowd_ && crowds_.count() != 0 ? Stage::crowded : Stage::drawn;
}

/// Gives     whether the candidate's crowd, if it has one, knows that somebody has the port.
bool NatChoice::is_not_free(const Translation& candidate) {
  if (!may_crowd_ || crowds_.count() == 0) return false;
  const Crowds::Take result = crowds_.take_exact(crowd_of(candidate), candidate.source_port);
  of_crowd_ = result == Crowds::Take::taken;
  return result == Crowds::Take::not_free;
}

/// What is as it was, but for the addresses.
bool NatChoice::keep(Translation& candidate) {
  stage_ = is_possible_ ? first_look() : Stage::done;
  // A range for the destination's port beside a translated source: one of it, and the source's
  // port then makes the difference.
  const NatRange& to = plan_.destination.range;
  if (!has_identifier(packet_.kind) && to.has_ports() && !varies_destination_ &&
      (kept_.destination_port < to.port_first || kept_.destination_port > to.port_last)) {
    const std::uint32_t count = std::uint32_t{to.port_last} - to.port_first + 1;
    kept_.destination_port = static_cast<std::uint16_t>(to.port_first + random_.below(count));
  }
  candidate = kept_;
  return is_possible_ && may_keep() && !is_not_free(candidate);
}

bool NatChoice::draw(Translation& candidate) {
  candidate = kept_;
  if (draws_left_ == 0) {
    stage_ = may_crowd_ && crowds_.make(crowd_of(candidate)) ? Stage::crowded : Stage::walked;
    return false;
  }
  --draws_left_;
  is_drawn_ = true;
  const Walk& preferred = walks_[0];
  varied_port(candidate) =
      static_cast<std::uint16_t>(preferred.first + random_.below(preferred.count));
  return true;
}

bool NatChoice::take_of_crowd(Translation& candidate) {
  candidate = kept_;
  const CrowdKey crowd = crowd_of(candidate);
  for (; walk_ < walks_.size() && walks_[walk_].count != 0; ++walk_) {
    const Walk& among = walks_[walk_];
    const PortRange range{static_cast<std::uint16_t>(among.first),
                          static_cast<std::uint16_t>(among.first + among.count - 1)};
    const Crowds::Take result = crowds_.take(crowd, range, random_.next(), candidate.source_port);
    of_crowd_ = result == Crowds::Take::taken;
    if (of_crowd_) return true;
    if (result == Crowds::Take::not_free) continue;
    stage_ = draws_left_ != 0 ? Stage::drawn : Stage::walked;  // there is none, or it dispersed
    return false;
  }
  stage_ = next_address() ? first_look() : Stage::done;
  draws_left_ = kDraws;
  return false;
}

bool NatChoice::walk(Translation& candidate) {
  candidate = kept_;
  for (; walk_ < walks_.size() && walks_[walk_].count != 0; ++walk_) {
    const Walk& among = walks_[walk_];
    if (step_ == 0) start_ = random_.below(among.count);
    if (step_ < among.count) {
      const std::uint32_t place = (start_ + step_++) % among.count;
      if (has_ports_) varied_port(candidate) = static_cast<std::uint16_t>(among.first + place);
      return true;
    }
    step_ = 0;
  }
  stage_ = next_address() ? first_look() : Stage::done;
  draws_left_ = kDraws;
  return false;
}

bool NatChoice::next(Translation& candidate) {
  of_crowd_ = is_drawn_ = false;
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
