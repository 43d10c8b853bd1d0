#include "tests/support/tracker_comparison.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "tests/support/shrink.h"
#include "tests/support/tracker_comparison_run.h"

namespace uct::model {

namespace {

constexpr std::size_t kWholeTableEvery = 16;
constexpr std::size_t kDeadHandlesKept = 100;  // fewer than a handle's 256 generations
constexpr std::size_t kShrinkAttempts = 3000;

struct Burst {
  std::vector<test::TuplePacket> bytes;
  std::vector<Packet> packets;
  std::vector<Verdict> verdicts;
};

}  // namespace

Comparison::Comparison(const Sequence& sequence) : sequence_(sequence), model_(sequence.settings) {
  const Settings& settings = sequence.settings;
  Config config;
  config.shards = settings.shards;
  config.exclusive = settings.seed % 2 == 1;  // half of the seeds play without locks
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
    case Verb::packets:
      return packets(operation);
    case Verb::advance:
      return model_.advance(operation.amount);
    case Verb::sweep:
      return sweep(operation);
    case Verb::flush:
      return flush(operation);
    case Verb::dump:
      return dump(operation);
    case Verb::dump_piece:
      return dump_piece(operation);
    case Verb::find:
      return find(operation);
    case Verb::max_connections:
    case Verb::zone_limit:
    case Verb::default_zone_limit:
    case Verb::policy:
    case Verb::sequence_check:
      return set(operation);
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
    expected.push_back(
        model_.apply(operation.packets[first], segments[0], made.bytes[0].size(), request, held));
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
  const ConnectionHandle handle = known == handles_.end() ? ConnectionHandle::none : known->second;
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
    case Verb::max_connections:
      error = tracker_->set_max_connections(amount);
      break;
    case Verb::zone_limit:
      tracker_->set_zone_limit(zone, limit);
      break;
    case Verb::default_zone_limit:
      tracker_->set_default_zone_limit(limit);
      break;
    case Verb::sequence_check:
      tracker_->set_sequence_check(zone, static_cast<SequenceCheck>(amount));
      break;
    default:
      error = tracker_->set_timeout_policy(operation.request.timeout_policy, operation.timeouts);
      break;
  }
  if (error != Error::none) note(std::string(describe(error)));
}

std::optional<Difference> play(const Sequence& sequence) { return Comparison(sequence).play(); }

std::string shrunk_failure(const Sequence& sequence, const Difference& difference) {
  const auto fails = [](const Sequence& some) { return play(some).has_value(); };
  Sequence shorter =
      test::shrink_operations(sequence, difference.operation, fails, kShrinkAttempts);
  for (Operation& operation : shorter.operations) {
    if (operation.packets.size() < 2) continue;
    const auto fails_with = [&](const std::vector<PacketSpec>& packets) {
      if (packets.empty()) return false;
      const std::vector<PacketSpec> before = std::exchange(operation.packets, packets);
      const bool still = fails(shorter);
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
