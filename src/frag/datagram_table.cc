#include "frag/datagram_table.h"

#include <cstring>
#include <utility>

namespace uct::core {

namespace {

constexpr std::uint64_t kZoneAndFamily = 0xffffff0000000000;  ///< of the key's last word

std::array<std::uint64_t, 2> source_key(const FragmentKey& key) {
  return {key[0], key[4] & kZoneAndFamily};
}

std::size_t place_of(Stage stage) { return static_cast<std::size_t>(stage); }

}  // namespace

FragmentKey make_fragment_key(const ParsedPacket& packet, Zone zone) {
  FragmentKey key{};
  std::memcpy(&key[0], packet.source, 16);
  std::memcpy(&key[2], packet.destination, 16);
  const std::uint64_t protocol = packet.family == Family::ipv4 ? packet.protocol : 0;
  key[4] = packet.fragment_id | protocol << 32 | std::uint64_t{zone} << 40 |
           static_cast<std::uint64_t>(packet.family) << 56;
  return key;
}

DatagramTable::~DatagramTable() {
  HeldFrames frames;
  while (oldest() != nullptr) remove(*oldest(), frames);
}

FragmentSource* DatagramTable::find_source(const FragmentKey& key) const {
  return sources_.find(source_key(key));
}

FragmentSource* DatagramTable::enter_source(const FragmentKey& key) {
  FragmentSource* source = find_source(key);
  if (source == nullptr) {
    source = spare_sources_.take();
    if (source == nullptr) return nullptr;
    source->key = source_key(key);
    sources_.insert(*source);
  }
  ++source->datagrams;
  return source;
}

/// A source that leaves has empty lists and nothing held: it is as new.
void DatagramTable::leave_source(FragmentSource& source) {
  if (--source.datagrams != 0) return;
  sources_.remove(source);
  spare_sources_.give(source);
}

Datagram* DatagramTable::add(const FragmentKey& key, std::uint64_t expires_ms) {
  Datagram* const datagram = spare_datagrams_.take();
  if (datagram == nullptr) return nullptr;
  FragmentSource* const source = enter_source(key);
  if (source == nullptr) {
    spare_datagrams_.give(*datagram);
    return nullptr;
  }
  datagram->key = key;
  datagram->expires_ms = expires_ms;
  datagram->has_verdict = false;
  datagram->stage = Stage::settled;
  datagram->condemned = FragmentRefusal::none;
  datagram->extents.clear();
  datagram->source = source;
  datagrams_.insert(*datagram);
  by_age_.push_back(*datagram);
  stages_[place_of(Stage::settled)].push_back(*datagram);
  source->stages[place_of(Stage::settled)].push_back(*datagram);
  ++size_;
  return datagram;
}

void DatagramTable::remove(Datagram& datagram, HeldFrames& frames) {
  frames.append(take_held(datagram));
  datagrams_.remove(datagram);
  by_age_.remove(datagram);
  stages_[place_of(datagram.stage)].remove(datagram);
  datagram.source->stages[place_of(datagram.stage)].remove(datagram);
  leave_source(*datagram.source);
  spare_datagrams_.give(datagram);
  --size_;
}

void DatagramTable::release_spares(Garbage& garbage) {
  if (size_ != 0) return;
  garbage.datagrams.swap(spare_datagrams_);
  garbage.sources.swap(spare_sources_);
}

void DatagramTable::move_to(Stage stage, Datagram& datagram) {
  if (datagram.stage == stage) return;
  stages_[place_of(datagram.stage)].remove(datagram);
  datagram.source->stages[place_of(datagram.stage)].remove(datagram);
  datagram.stage = stage;
  stages_[place_of(stage)].push_back(datagram);
  datagram.source->stages[place_of(stage)].push_back(datagram);
}

void DatagramTable::hold(Datagram& datagram, HeldFramePtr frame) {
  ++held_frames_;
  held_charge_ += frame->charge();
  datagram.source->held_charge += frame->charge();
  datagram.held.push(std::move(frame));
  move_to(Stage::holding, datagram);
}

HeldFrames DatagramTable::take_held(Datagram& datagram) {
  HeldFrames frames = std::move(datagram.held);
  if (frames.empty()) return frames;
  held_frames_ -= frames.count();
  held_charge_ -= frames.charge();
  datagram.source->held_charge -= frames.charge();
  move_to(Stage::settled, datagram);
  return frames;
}

}  // namespace uct::core
