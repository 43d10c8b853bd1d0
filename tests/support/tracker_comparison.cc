#include "tests/support/tracker_comparison.h"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "tests/support/shrink.h"
#include "tests/support/tracker_model.h"
#include "tests/support/tuple_packet.h"

namespace uct::model {

namespace {

constexpr std::size_t kWholeTableEvery = 16;
constexpr std::size_t kDeadHandlesKept = 100;  // fewer than a handle's 256 generations
constexpr std::size_t kShrinkAttempts = 3000;

/// What a listener believes to be in the table, from events alone.
class Replica : public EventSink {
 public:
  void on_event(const Event& event) noexcept override {
    const ConnectionHandle handle = event.connection.handle;
    const bool known = held.count(handle) != 0;
    if (known == (event.kind == EventKind::created)) wrong = name(event.kind);
    if ((event.cause == DestroyCause::none) == (event.kind == EventKind::destroyed)) {
      wrong = "cause";
    }
    if (event.kind == EventKind::destroyed) {
      held.erase(handle);
    } else {
      held[handle] = event.connection;
    }
  }

  std::map<ConnectionHandle, ConnectionInfo> held;
  std::string_view wrong;
};

struct Burst {
  std::vector<test::TuplePacket> bytes;
  std::vector<Packet> packets;
  std::vector<Verdict> verdicts;
};

class Comparison {
 public:
  explicit Comparison(const Sequence& sequence);
  std::optional<Difference> play();

 private:
  using Infos = std::vector<ConnectionInfo>;

  void step(const Operation& operation);
  void packets(const Operation& operation);
  bool limits_are_near(const Operation& operation) const;
  void burst(const Operation& operation, std::size_t first, std::size_t count);
  test::TuplePacket bytes_of(const PacketSpec& spec, const test::TcpSegment& segment) const;
  void compare(const PacketSpec& packet, const Expected& expected, const Verdict& verdict);
  void learn(const Expected& expected, const Verdict& verdict);
  void sweep(const Operation& operation);
  void flush(const Operation& operation);
  void find(const Operation& operation);
  void set(const Operation& operation);
  void dump(const Operation& operation);
  void dump_piece(const Operation& operation);
  void end_of_dump();
  void bury();
  void whole_table();
  void compare_counts();
  void compare_stats();
  void compare_replica(const Infos& infos);
  void compare_infos(const Infos& infos, const Filter& filter);
  void same(const ConnectionInfo& got, const Connection& expected);
  void note(const std::string& text);
  template <typename T>
  void equal(const char* what, const T& expected, const T& got) {
    if (expected == got) return;
    std::ostringstream text;
    text << what << ": expected " << expected << ", got " << got;
    note(text.str());
  }

  /// The tracker hears of moments within the model's millisecond.
  Timestamp now() const { return model_.now() + std::chrono::nanoseconds(operation_ % 1'000'000); }

  const Sequence& sequence_;
  Replica replica_;
  Model model_;
  std::unique_ptr<Tracker> tracker_;
  std::map<std::uint64_t, ConnectionHandle> handles_;  ///< by life, of the living
  std::deque<ConnectionHandle> dead_;
  DumpCursor cursor_;
  std::set<std::uint64_t> dump_began_;  ///< lives when the interrupted dump began
  std::multiset<ConnectionHandle> dumped_;
  bool dumping_ = false;
  std::size_t operation_ = 0;
  std::optional<Difference> difference_;
};

Comparison::Comparison(const Sequence& sequence) : sequence_(sequence), model_(sequence.settings) {
  const Settings& settings = sequence.settings;
  Config config;
  config.shards = settings.shards;
  config.max_connections = settings.max_connections;
  config.capacity = kCapacity;
  config.tcp_pick_up = settings.pick_up;
  config.hash_key = {settings.seed, ~settings.seed};
  config.events = settings.events ? &replica_ : nullptr;
  auto made = Tracker::create(config);
  if (!made) throw std::runtime_error(std::string(describe(made.error())));
  tracker_ = std::move(made.value());
  for (std::uint32_t i = 1; i <= kNamedPolicies; ++i) {
    const auto id = tracker_->set_timeout_policy("policy" + std::to_string(i), TimeoutPolicy{});
    if (!id || static_cast<std::uint32_t>(id.value()) != i) note("ids of policies");
  }
}

void Comparison::note(const std::string& text) {
  if (!difference_) difference_ = Difference{operation_, text};
}

std::optional<Difference> Comparison::play() {
  for (const Operation& operation : sequence_.operations) {
    if (difference_) return difference_;
    step(operation);
    bury();
    compare_counts();
    if (operation_ % kWholeTableEvery == 0) whole_table();
    ++operation_;
  }
  if (difference_) return difference_;
  --operation_;
  whole_table();
  return difference_;
}

void Comparison::step(const Operation& operation) {
  switch (operation.verb) {
    case Verb::packets: return packets(operation);
    case Verb::advance: return model_.advance(operation.amount);
    case Verb::sweep: return sweep(operation);
    case Verb::flush: return flush(operation);
    case Verb::dump: return dump(operation);
    case Verb::dump_piece: return dump_piece(operation);
    case Verb::find: return find(operation);
    case Verb::max_connections:
    case Verb::zone_limit:
    case Verb::default_zone_limit:
    case Verb::policy:
    case Verb::sequence_check: return set(operation);
  }
}

// ---- packets ------------------------------------------------------------------------------------

/// Within a burst it is not said which of two openings gets the last place: near a limit, packets
/// come one by one.
bool Comparison::limits_are_near(const Operation& operation) const {
  const std::size_t count = operation.packets.size();
  if (tracker_->connection_count() + count > model_.max_connections()) return true;
  const std::optional<std::uint32_t> limit = model_.limit(operation.request.zone);
  return limit && tracker_->zone_limit(operation.request.zone).count + count > *limit;
}

void Comparison::packets(const Operation& operation) {
  if (operation.packets.size() > 1 && !limits_are_near(operation)) {
    return burst(operation, 0, operation.packets.size());
  }
  for (std::size_t i = 0; i < operation.packets.size(); ++i) burst(operation, i, 1);
}

test::TuplePacket Comparison::bytes_of(const PacketSpec& spec,
                                       const test::TcpSegment& segment) const {
  if (spec.kind == PacketKind::error) {
    return test::make_error(test::numbered_address(spec.tuple.source.family, 0xabcdef), spec.tuple);
  }
  if (spec.kind != PacketKind::udp_length) {
    const bool data = spec.tuple.protocol != Protocol::tcp;  // no data: it would shift numbers
    return test::make_packet(spec.tuple, data ? spec.payload : 0U, segment);
  }
  const bool v6 = spec.tuple.source.family == Family::ipv6;
  return test::make_packet(spec.tuple, 0).with_byte((v6 ? 40U : 20U) + 5, 7);
}

void Comparison::burst(const Operation& operation, std::size_t first, std::size_t count) {
  const Request& request = operation.request;
  const bool single = count == 1;
  Burst made;
  made.bytes.reserve(count);
  std::vector<Expected> expected;
  Held held{tracker_->connection_count(), tracker_->zone_limit(request.zone).count, Reason::none};
  std::vector<test::TcpSegment> segments;
  for (std::size_t i = first; i < first + count; ++i) {
    const PacketSpec& spec = operation.packets[i];
    segments.push_back(model_.segment(spec, request.zone));
    made.bytes.push_back(bytes_of(spec, segments.back()));
    made.packets.push_back(made.bytes.back().packet());
    if (spec.kind == PacketKind::link_unsupported) made.packets.back().link = LinkType::unsupported;
    if (!single) {
      expected.push_back(
          model_.apply(spec, segments.back(), made.bytes.back().size(), request, held));
    }
  }
  made.verdicts.resize(count);
  tracker_->process(made.packets, request, now(), made.verdicts);
  if (single) {
    if (is_refusal(made.verdicts[0].reason)) held.refused = made.verdicts[0].reason;
    expected.push_back(model_.apply(operation.packets[first], segments[0], made.bytes[0].size(),
                                    request, held));
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (made.verdicts[i].zone != request.zone) note("a verdict of another zone");
    compare(operation.packets[first + i], expected[i], made.verdicts[i]);
  }
}

void Comparison::compare(const PacketSpec& packet, const Expected& expected,
                         const Verdict& verdict) {
  learn(expected, verdict);
  const auto known = handles_.find(expected.life);
  const ConnectionHandle handle =
      known == handles_.end() ? ConnectionHandle::none : known->second;
  if (verdict.state == expected.state && verdict.reason == expected.reason &&
      verdict.mark == expected.mark && verdict.label == expected.label &&
      verdict.connection == handle) {
    return;
  }
  std::ostringstream text;
  text << "verdict of " << to_text(packet.tuple) << ": expected " << to_string(expected.state)
       << ' ' << name(expected.reason) << " mark " << expected.mark << ", got "
       << to_string(verdict.state) << ' ' << name(verdict.reason) << " mark " << verdict.mark;
  if (verdict.label != expected.label) text << "; another label";
  if (verdict.connection != handle) text << "; another connection";
  note(text.str());
}

/// Notes the handle that the tracker gives to a new connection; it must be of nobody else alive.
void Comparison::learn(const Expected& expected, const Verdict& verdict) {
  if (expected.life == 0 || verdict.connection == ConnectionHandle::none) return;
  handles_.emplace(expected.life, verdict.connection);
}

/// Moves the handles of those that are gone to the dead, and looks for one that two share.
void Comparison::bury() {
  std::set<std::uint64_t> living;
  std::set<ConnectionHandle> used;
  for (const auto& [key, connection] : model_.connections()) living.insert(connection.life);
  for (auto entry = handles_.begin(); entry != handles_.end();) {
    if (living.count(entry->first) != 0) {
      if (!used.insert(entry->second).second) note("two connections share a handle");
      ++entry;
      continue;
    }
    dead_.push_back(entry->second);
    if (dead_.size() > kDeadHandlesKept) dead_.pop_front();
    entry = handles_.erase(entry);
  }
  if (living.size() != handles_.size()) note("a connection without a handle");
}

// ---- everything else ----------------------------------------------------------------------------

void Comparison::sweep(const Operation& operation) {
  const std::uint32_t before = tracker_->connection_count();
  SweepBudget budget;
  budget.timers = static_cast<std::uint32_t>(operation.amount);
  budget.timers_per_lock = 1 + budget.timers % 67;
  const SweepResult result = tracker_->sweep(now(), budget);
  equal("removed by the sweep", std::uint64_t{before - tracker_->connection_count()},
        result.removed);
  if (operation.amount == 1'000'000 && !result.finished) note("an endless budget did not do");
  if (!result.finished) return;
  equal("left by a finished sweep", model_.connections().size(),
        std::size_t{tracker_->connection_count()});
  Timestamp first = Timestamp::max();
  for (const auto& [key, connection] : model_.connections()) {
    first = std::min(first, connection.info.expires);
  }
  if (first == Timestamp::max() && result.next != first) note("an empty table has a next deadline");
  if (result.next > first) note("the next deadline is later than a connection's");
  if (result.next <= model_.now()) note("the next deadline is no later than now");
}

void Comparison::flush(const Operation& operation) {
  equal("flushed", model_.flush(operation.filter), tracker_->flush(now(), operation.filter));
}

void Comparison::find(const Operation& operation) {
  const Tuple& tuple = operation.packets[0].tuple;
  const Connection* expected = model_.find(operation.request.zone, tuple);
  const auto got = tracker_->find(operation.request.zone, tuple, now());
  if (got.has_value() != (expected != nullptr)) return note("found by tuple: " + to_text(tuple));
  if (expected != nullptr) same(*got, *expected);
  for (const auto& [key, connection] : model_.connections()) {
    const auto found = tracker_->find(handles_[connection.life], now());
    if (!found) return note("not found by its handle: " + to_text(connection.info));
    same(*found, connection);
  }
  for (const ConnectionHandle handle : dead_) {
    if (const auto ghost = tracker_->find(handle, now())) {
      return note("found by the handle of a dead one: " + to_text(*ghost));
    }
  }
}

void Comparison::set(const Operation& operation) {
  const auto amount = static_cast<std::uint32_t>(operation.amount);
  const auto limit = operation.unset ? std::nullopt : std::optional(amount);
  const Zone zone = operation.request.zone;
  model_.set(operation);
  Error error = Error::none;
  switch (operation.verb) {
    case Verb::max_connections: error = tracker_->set_max_connections(amount); break;
    case Verb::zone_limit: tracker_->set_zone_limit(zone, limit); break;
    case Verb::default_zone_limit: tracker_->set_default_zone_limit(limit); break;
    case Verb::sequence_check:
      tracker_->set_sequence_check(zone, static_cast<SequenceCheck>(amount));
      break;
    default:
      error = tracker_->set_timeout_policy(operation.request.timeout_policy, operation.timeouts);
      break;
  }
  if (error != Error::none) note(std::string(describe(error)));
}

// ---- contents -----------------------------------------------------------------------------------

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

}  // namespace

std::optional<Difference> play(const Sequence& sequence) { return Comparison(sequence).play(); }

std::string shrunk_failure(const Sequence& sequence, const Difference& difference) {
  Sequence shorter = sequence;
  const auto fails = [&](const std::vector<Operation>& operations) {
    return play({sequence.settings, operations}).has_value();
  };
  shorter.operations.resize(difference.operation + 1);
  if (!fails(shorter.operations)) shorter = sequence;
  shorter.operations = test::shrink<Operation>(shorter.operations, fails, kShrinkAttempts);
  for (Operation& operation : shorter.operations) {
    if (operation.packets.size() < 2) continue;
    const auto fails_with = [&](const std::vector<PacketSpec>& packets) {
      if (packets.empty()) return false;
      const std::vector<PacketSpec> before = std::exchange(operation.packets, packets);
      const bool still = fails(shorter.operations);
      operation.packets = before;
      return still;
    };
    operation.packets = test::shrink<PacketSpec>(operation.packets, fails_with, kShrinkAttempts);
  }
  std::ostringstream text;
  text << "repeat with UCT_SEED=" << sequence.settings.seed << "\n"
       << to_text(sequence.settings) << '\n';
  for (std::size_t i = 0; i < shorter.operations.size(); ++i) {
    text << "  " << i << ": " << to_text(shorter.operations[i]) << '\n';
  }
  if (const auto last = play(shorter)) {
    text << "at " << last->operation << ": " << last->text << '\n';
  }
  return text.str();
}

}  // namespace uct::model
