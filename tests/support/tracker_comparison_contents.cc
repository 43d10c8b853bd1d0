// What tracker and model hold, compared: dumps, counters, events.
#include "tests/support/tracker_comparison_run.h"

namespace uct::model {

void Comparison::dump(const Operation& operation) {
  std::vector<ConnectionInfo> all;
  std::vector<ConnectionInfo> some(operation.amount);
  for (DumpCursor cursor; !cursor.done();) {
    const std::size_t count = tracker_->dump(cursor, some, now(), operation.filter);
    if (count < some.size() && !cursor.done()) note("a dump stopped early");
    all.insert(all.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(count));
  }
  compare_infos(all, operation.filter);
}

void Comparison::dump_piece(const Operation& operation) {
  if (!dumping_) {
    cursor_ = DumpCursor{};
    dumped_.clear();
    dump_began_.clear();
    for (const auto& [key, connection] : model_.connections()) {
      dump_began_.insert(connection.life);
    }
    dumping_ = true;
  }
  std::vector<ConnectionInfo> some(operation.amount);
  const std::size_t count = tracker_->dump(cursor_, some, now());
  for (std::size_t i = 0; i < count; ++i) {
    dumped_.insert(some[i].handle);
    const Connection* connection = model_.find(some[i].zone, some[i].original);
    if (connection == nullptr) return note("dumped but gone: " + to_text(some[i]));
    same(some[i], *connection);
  }
  if (cursor_.done()) end_of_dump();
}

void Comparison::end_of_dump() {
  dumping_ = false;
  for (const auto& [life, handle] : handles_) {
    const std::size_t times = dumped_.count(handle);
    if (times > 1) note("dumped twice");
    if (times == 0 && dump_began_.count(life) != 0) note("not dumped although it lived throughout");
  }
}

void Comparison::whole_table() {
  const Infos infos = test::dump_all(*tracker_, now());
  compare_infos(infos, {});
  compare_stats();
  if (sequence_.settings.events) compare_replica(infos);
}

void Comparison::compare_counts() {
  const std::size_t live = model_.connections().size();
  if (tracker_->connection_count() < live) note("fewer connections counted than live");
  for (const Zone zone : kZones) {
    if (tracker_->zone_limit(zone).count < model_.count(zone)) note("a zone counts too few");
  }
}

void Comparison::compare_stats() {
  const Stats got = tracker_->stats();
  const Stats& expected = model_.stats();
  equal("packets", expected.packets, got.packets);
  equal("bytes", expected.bytes, got.bytes);
  equal("untracked", expected.untracked, got.untracked);
  equal("new", expected.new_, got.new_);
  equal("established", expected.established, got.established);
  equal("related", expected.related, got.related);
  equal("reply", expected.reply, got.reply);
  equal("invalid", expected.invalid, got.invalid);
  if (expected.reasons != got.reasons) note("counters of reasons");
  std::uint64_t live = 0;
  for (std::size_t i = 0; i < kProtocolGroupCount; ++i) {
    equal("opened", expected.protocols[i].opened, got.protocols[i].opened);
    equal("removed", expected.protocols[i].removed, got.protocols[i].removed);
    live += got.protocols[i].live;
  }
  equal("live by protocol", std::uint64_t{tracker_->connection_count()}, live);
  equal("connections", std::uint64_t{tracker_->connection_count()}, got.connections);
  std::uint64_t in_zones = 0;
  for (const Zone zone : kZones) in_zones += tracker_->zone_limit(zone).count;
  equal("counted in zones", got.connections, in_zones);
}

void Comparison::compare_replica(const Infos& infos) {
  if (!replica_.wrong.empty()) return note("event: " + std::string(replica_.wrong));
  equal("connections by events", std::size_t{tracker_->connection_count()}, replica_.held.size());
  for (const ConnectionInfo& info : infos) {
    const ConnectionInfo& told = replica_.held[info.handle];
    if (told.original != info.original || told.zone != info.zone || told.state != info.state ||
        told.seen_reply != info.seen_reply || told.assured != info.assured ||
        told.mark != info.mark || told.label != info.label) {
      note("events told otherwise of " + to_text(info) + "\n  told: " + to_text(told));
    }
  }
}

void Comparison::compare_infos(const Infos& infos, const Filter& filter) {
  Model rest = model_;
  const std::size_t expected = rest.flush(filter);
  equal("connections dumped", expected, infos.size());
  std::set<Model::Key> seen;
  std::set<std::uint32_t> ids;
  for (const ConnectionInfo& info : infos) {
    const Model::Key key{info.zone, info.original};
    const auto entry = model_.connections().find(key);
    if (entry == model_.connections().end()) return note("dumped but gone: " + to_text(info));
    if (rest.connections().count(key) != 0) note("dumped against the filter: " + to_text(info));
    if (!seen.insert(key).second) note("dumped twice: " + to_text(info));
    if (!ids.insert(info.id).second) note("an id twice: " + to_text(info));
    same(info, entry->second);
  }
}

void Comparison::same(const ConnectionInfo& got, const Connection& expected) {
  if (got.handle != handles_[expected.life]) note("another handle: " + to_text(got));
  const std::string want = to_text(expected.info);
  const std::string have = to_text(got);
  if (want != have) note("connection:\n  expected " + want + "\n  got      " + have);
  if (got.reply != expected.info.reply) note("reply tuple: " + to_text(got.reply));
}

}  // namespace uct::model
