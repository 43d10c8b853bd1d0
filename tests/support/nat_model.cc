#include "tests/support/nat_model.h"

#include <algorithm>

#include "tests/support/tuple_packet.h"

namespace uct::model {

Tuple NatConnection::sent() const { return test::reversed(info.reply); }

NatModel::Key NatModel::key(Zone zone, const Tuple& tuple) {
  return {zone, std::min(tuple, test::reversed(tuple))};
}

void NatModel::on_event(const Event& event) noexcept {
  if (event.kind == EventKind::created) created(event.connection);
  if (event.kind == EventKind::destroyed) destroyed(event.connection);
}

void NatModel::created(const ConnectionInfo& info) {
  const std::uint64_t number = next_++;
  NatConnection& made = connections_[number];
  made.info = info;
  by_handle_[info.handle] = number;
  opened_.push_back(info.handle);
  if (made.is_translated()) ++translated_;
  const bool first = by_tuple_.try_emplace(key(info.zone, info.original), number).second;
  const bool other =
      !made.is_translated() || by_tuple_.try_emplace(key(info.zone, info.reply), number).second;
  if (!first || !other) wrong_ = "a tuple belongs to two connections";
}

void NatModel::destroyed(const ConnectionInfo& info) {
  const auto known = by_handle_.find(info.handle);
  if (known == by_handle_.end()) {
    wrong_ = "a connection went that never came";
    return;
  }
  const NatConnection& gone = connections_[known->second];
  if (gone.info.original != info.original || gone.info.reply != info.reply) {
    wrong_ = "a connection changed its tuples";
  }
  if (gone.is_translated()) --translated_;
  by_tuple_.erase(key(info.zone, info.original));
  by_tuple_.erase(key(info.zone, info.reply));
  connections_.erase(known->second);
  by_handle_.erase(known);
}

const NatConnection* NatModel::holder(const Key& key, Timestamp now) const {
  const auto found = by_tuple_.find(key);
  if (found == by_tuple_.end()) return nullptr;
  const NatConnection& connection = connections_.at(found->second);
  return connection.info.expires > now ? &connection : nullptr;
}

NatPlace NatModel::find(Zone zone, const Tuple& tuple, Timestamp now) {
  NatPlace place;
  place.connection = const_cast<NatConnection*>(holder(key(zone, tuple), now));
  if (place.connection == nullptr) return place;
  const Tuple& original = place.connection->info.original;
  const Tuple& reply = place.connection->info.reply;
  if (tuple == original) return place;
  place.direction = Direction::reply;
  if (tuple == reply) return place;
  place.wrong_side = true;
  if (tuple == place.connection->sent()) place.direction = Direction::original;
  return place;
}

NatConnection* NatModel::find(ConnectionHandle handle) {
  const auto known = by_handle_.find(handle);
  return known == by_handle_.end() ? nullptr : &connections_[known->second];
}

std::vector<NatConnection*> NatModel::live(Timestamp now) {
  std::vector<NatConnection*> all;
  for (auto& [number, connection] : connections_) {
    if (connection.info.expires > now) all.push_back(&connection);
  }
  return all;
}

bool NatModel::is_free(Zone zone, const Tuple& original, const Tuple& sent, Timestamp now) const {
  if (sent == original) return true;
  if (sent == test::reversed(original)) return false;  // it would answer itself
  return holder(key(zone, sent), now) == nullptr;
}

}  // namespace uct::model
