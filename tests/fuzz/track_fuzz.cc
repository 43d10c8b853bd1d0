// Fuzzes a whole tracker: packets, times, requests and settings decoded from the input.
//
// Most packets are made of few bytes (tests/support/fuzz_traffic.h), so that states are reached.
// Promises checked: flags of a verdict go together, its connection is found right after, counters
// equal the verdicts and events that were seen, nothing dumped has expired (E1), tuples of a dump
// find their connection, and a sweep in the far future leaves nothing. Of translation: a packet is
// rewritten only where its verdict says snat or dnat, which its connection says, too; what is
// refused or invalid is as it was; no two connections share a reply tuple. Of fragments: those that
// were held are handed out once, as they came, unless translated, and within their bounds.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <uct/tracker.h>

#include "tests/support/fuzz_traffic.h"

namespace {

using namespace uct;
using fuzz::Feed;
using fuzz::Frame;

constexpr std::size_t kBurstMost = 48;  // more than a block of the pipeline

void check(bool promise, int line = __builtin_LINE()) {
  if (promise) return;
  std::fprintf(stderr, "track_fuzz.cc:%d: a promise was broken\n", line);
  std::abort();
}

bool is_untracked_reason(Reason reason) {
  return reason == Reason::not_ip || reason == Reason::link_unsupported ||
         reason == Reason::neighbour_or_router_discovery || reason == Reason::multicast_listener;
}

struct EventCounts : EventSink {
  void on_event(const Event& event) noexcept override {
    if (event.kind == EventKind::created) ++created;
    if (event.kind == EventKind::updated) check(event.cause == DestroyCause::none);
    if (event.kind != EventKind::destroyed) return;
    check(event.cause != DestroyCause::none);
    ++destroyed;
  }
  std::uint64_t created = 0;
  std::uint64_t destroyed = 0;
};

/// What the verdicts say that the counters must be.
struct Expected {
  std::uint64_t packets = 0, bytes = 0;
  std::uint64_t untracked = 0, new_ = 0, established = 0, related = 0, reply = 0, invalid = 0;
  std::array<std::uint64_t, kReasonCount> reasons{};

  void add(const Packet& packet, const Verdict& verdict) {
    if (verdict.reason != Reason::none) ++reasons[static_cast<std::size_t>(verdict.reason)];
    if (is_held(verdict.reason)) return;  // it counts when it gets its verdict
    ++packets;
    bytes += packet.size;
    untracked += verdict.state == StateFlags::untracked;
    new_ += has(verdict.state, StateFlags::new_);
    established += has(verdict.state, StateFlags::established);
    related += has(verdict.state, StateFlags::related);
    reply += has(verdict.state, StateFlags::reply);
    invalid += has(verdict.state, StateFlags::invalid);
  }
};

void check_flags(const Verdict& verdict) {
  const StateFlags state = verdict.state;
  if (state == StateFlags::untracked) {
    check(is_untracked_reason(verdict.reason) && verdict.connection == ConnectionHandle::none);
    return;
  }
  check(has(state, StateFlags::tracked) && !is_untracked_reason(verdict.reason));
  if (is_held(verdict.reason)) {
    check(state == StateFlags::tracked && verdict.connection == ConnectionHandle::none);
    return;
  }
  if (has(state, StateFlags::invalid)) {
    check(state == (StateFlags::invalid | StateFlags::tracked));
    check(verdict.reason != Reason::none && !is_refusal(verdict.reason));
    return;
  }
  check(verdict.reason == Reason::none || is_refusal(verdict.reason));
  check(!has(state, StateFlags::new_ | StateFlags::reply));
  const int kinds = has(state, StateFlags::new_) + has(state, StateFlags::established) +
                    has(state, StateFlags::related);
  check(kinds == 1);
}

constexpr StateFlags kTranslated = StateFlags::snat | StateFlags::dnat;

bool is_translated(StateFlags state) { return (state & kTranslated) != StateFlags::untracked; }

/// Fragments between their first verdict and their last one.
class HeldFragments : public FragmentSink {
 public:
  static constexpr std::uint64_t kBytesMost = 400;

  explicit HeldFragments(Expected& expected) : expected_(expected) {}

  void set_tracker(const Tracker* tracker) { tracker_ = tracker; }

  /// It may have been handed out before process() gave its first verdict.
  void hold(std::uint64_t user, const fuzz::Wire& bytes) {
    const auto found = out_.find(user);
    if (found == out_.end()) {
      check(held_.emplace(user, bytes).second);
    } else {
      check(found->second.empty() || found->second == bytes);
      out_.erase(found);
    }
  }

  void on_fragment(const HeldFragment& fragment) noexcept override {
    const Packet& packet = fragment.packet;
    const Verdict& verdict = fragment.verdict;
    check_flags(verdict);
    check(!is_held(verdict.reason));
    if (verdict.reason != Reason::none) check(!is_translated(verdict.state));
    expected_.add(packet, verdict);
    const auto* begin = reinterpret_cast<const std::uint8_t*>(packet.data);
    fuzz::Wire bytes(begin, begin + packet.size);
    if (is_translated(verdict.state)) bytes.clear();  // of these nothing is known
    const auto found = held_.find(packet.user);
    if (found == held_.end()) {
      check(out_.emplace(packet.user, std::move(bytes)).second);
    } else {
      check(bytes.empty() || found->second == bytes);
      held_.erase(found);
    }
    if (packet.user % 8 == 0) check(tracker_->stats().held_fragment_bytes <= kBytesMost);
  }

  /// Gives     how many wait, between calls of process().
  std::size_t count() const {
    check(out_.empty());
    return held_.size();
  }

 private:
  Expected& expected_;
  const Tracker* tracker_ = nullptr;
  std::map<std::uint64_t, fuzz::Wire> held_;
  std::map<std::uint64_t, fuzz::Wire> out_;  ///< of whose first verdict process() did not tell yet
};

NatRange range(bool v6, std::uint8_t first, std::uint8_t last, std::uint16_t port_first,
               std::uint16_t port_last) {
  NatRange made;
  for (Address* address : {&made.first, &made.last}) {
    if (v6) {
      address->family = Family::ipv6;
      address->bytes[0] = 0xfc;
    } else {
      address->bytes = {10};
    }
  }
  made.first.bytes[v6 ? 15 : 3] = first;
  made.last.bytes[v6 ? 15 : 3] = last;
  made.port_first = port_first;
  made.port_last = port_last;
  return made;
}

NatSpec spec_of(std::optional<NatRange> source, std::optional<NatRange> destination,
                NatSelection selection) {
  NatSpec spec;
  spec.source = source;
  spec.destination = destination;
  spec.selection = selection;
  return spec;
}

/// Endpoint-independent mapping from two addresses with two ports each.
NatSpec mapped(bool v6, NatFiltering filtering, Duration hold_down) {
  NatSpec spec = spec_of(range(v6, 2, 3, 40'000, 40'001), {}, NatSelection::hash);
  NatMapping& mapping = spec.mapping.emplace();
  mapping.filtering = filtering;
  mapping.hold_down = hold_down;
  mapping.keep_port = filtering != NatFiltering::address_dependent;
  mapping.overflow = filtering == NatFiltering::endpoint_independent;
  return spec;
}

void add_mapped(bool v6, std::vector<NatSpec>& all) {
  all.push_back(mapped(v6, NatFiltering::endpoint_independent, Duration(0)));
  all.push_back(mapped(v6, NatFiltering::address_dependent, Duration(1000)));
  all.push_back(mapped(v6, NatFiltering::address_and_port_dependent, Duration(0)));
  all.back().mapping->inbound_refresh = false;
  all.push_back(mapped(v6, NatFiltering::address_dependent, Duration(0)));
  all.back().source->port_last = 40'127;
  all.back().mapping->blocks = NatBlocks{64, 1, 3, false};
  const NatRange inside = range(v6, 1, 2, 0, 0);
  all.back().mapping->inside = {{inside.first, inside.last}};
}

/// To hosts and ports that fuzz_traffic.h uses, so that replies come of themselves, and some who
/// answer are originators of other flows; ranges of two ports are soon used up.
std::vector<NatSpec> specs() {
  std::vector<NatSpec> all;
  for (const bool v6 : {false, true}) {
    all.push_back(spec_of(range(v6, 2, 3, 0, 0), {}, NatSelection::hash));
    all.push_back(spec_of(range(v6, 1, 1, 39'999, 40'000), {}, NatSelection::persistent));
    all.push_back(spec_of({}, range(v6, 4, 5, 0, 0), NatSelection::hash));
    all.push_back(spec_of({}, range(v6, 3, 3, 79, 80), NatSelection::random));
    all.push_back(spec_of(range(v6, 2, 2, 0, 0), range(v6, 9, 9, 80, 81), NatSelection::hash));
    all.push_back(
        spec_of(range(v6, 1, 2, 40'000, 40'000), range(v6, 4, 4, 0, 0), NatSelection::random));
    all.push_back(spec_of(range(v6, 2, 3, 0, 0), {}, NatSelection::prefix));
    add_mapped(v6, all);
  }
  all.push_back(spec_of(NatRange{{}, {}, 40'000, 40'001}, {}, NatSelection::hash));  // any family
  return all;
}

class Player {
 public:
  explicit Player(Feed& feed) : feed_(feed) {
    constexpr std::size_t kBursts[4] = {1, 1, 3, kBurstMost};
    const unsigned flags = feed_.u8();
    burst_most_ = kBursts[flags & 3];
    explain_ = (flags & 4) != 0;
    Config config;
    config.max_connections = 1 + (flags >> 3 & 3) * 5U;
    config.capacity = 64;
    config.shards = 2;
    config.tcp_pick_up = (flags & 0x20) == 0;
    config.max_fragmented_datagrams = kDatagramsMost;
    config.max_held_fragment_bytes = HeldFragments::kBytesMost;
    config.fragment_source_share = (flags & 0x80) != 0 ? 1 : 2;
    if ((flags & 0x40) != 0) config.fragments = &held_;
    config.events = &events_;
    tracker_ = std::move(Tracker::create(config).value());
    check(tracker_ != nullptr);
    held_.set_tracker(tracker_.get());
    request_.commit = true;
    for (const NatSpec& spec : specs()) nats_.push_back(tracker_->add_nat(spec).value());
  }

  void play() {
    for (int steps = 0; steps < 400 && !feed_.empty(); ++steps) step();
    process(now_);
    check_counters();
    check_dump();
    end();
  }

 private:
  void step() {
    switch (feed_.u8() & 15) {
      case 8:
      case 9:
        return push(traffic_.sctp(feed_));
      case 5:
        return push(traffic_.ported(feed_));
      case 6:
        return push(traffic_.icmp_query(feed_));
      case 7:
        return push(traffic_.icmp_error(feed_));
      case 10:
        return push(traffic_.fragment(feed_));
      case 11:
        return push(traffic_.raw(feed_));
      case 12:
        return push(traffic_.other(feed_));
      case 13:
        return change_request();
      case 14:
        return control();
      case 15:
        return advance();
      default:
        return push(traffic_.tcp(feed_));
    }
  }

  void push(Frame frame) {
    frames_.push_back(std::move(frame));
    if (frames_.size() >= burst_most_) process(now_);
  }

  void process(Timestamp at) {
    const std::vector<Frame> before = frames_;
    std::vector<Packet> burst;
    for (Frame& frame : frames_) {
      burst.push_back(frame.packet());
      burst.back().user = ++users_;
    }
    std::vector<Verdict> verdicts(burst.size());
    std::vector<Explanation> explanations(explain_ ? burst.size() : 0);
    tracker_->process(burst, request_, at, verdicts, explanations);
    for (std::size_t i = 0; i < burst.size(); ++i) {
      check_flags(verdicts[i]);
      check(verdicts[i].zone == request_.zone);
      if (is_held(verdicts[i].reason)) held_.hold(burst[i].user, before[i].bytes);
      check(is_translated(verdicts[i].state) || frames_[i].bytes == before[i].bytes);
      if (verdicts[i].reason != Reason::none) check(!is_translated(verdicts[i].state));
      expected_.add(burst[i], verdicts[i]);
    }
    if (burst.size() == 1 && at == now_) check_connection(frames_[0], verdicts[0]);
    frames_.clear();
  }

  /// Holds for a burst of one: nobody else can have removed the connection.
  void check_connection(const Frame& frame, const Verdict& verdict) {
    const bool opens = has(verdict.state, StateFlags::new_) && verdict.reason == Reason::none;
    if (verdict.connection == ConnectionHandle::none) {
      check(!has(verdict.state, StateFlags::established) || frame.is_fragment);
      check(!opens || !request_.commit || frame.is_fragment);
      return;
    }
    const auto info = tracker_->find(verdict.connection, now_);
    check(info.has_value());
    check(info->handle == verdict.connection && info->zone == request_.zone);
    check(info->mark == verdict.mark && info->label == verdict.label);
    check_translation(frame, verdict, *info);
    // A TCP segment may be let pass without being taken for an answer (docs/tcp-states.md), and the
    // first fragment may have answered a connection that was here before this one.
    const bool answers = has(verdict.state, StateFlags::reply | StateFlags::established);
    if (answers && info->protocol != Protocol::tcp && !frame.is_fragment) check(info->seen_reply);
  }

  static void check_translation(const Frame& frame, const Verdict& verdict,
                                const ConnectionInfo& info) {
    StateFlags wanted = StateFlags::untracked;
    if (info.source_translated) wanted |= StateFlags::snat;
    if (info.destination_translated) wanted |= StateFlags::dnat;
    const StateFlags got = verdict.state & kTranslated;
    if (verdict.reason != Reason::none) return;
    // An error about what was never translated stays as it is; of fragments the first one decides.
    check(got == wanted || (got == StateFlags::untracked &&
                            (has(verdict.state, StateFlags::related) || frame.is_fragment)));
  }

  void change_request() {
    process(now_);
    const unsigned flags = feed_.u8();
    request_ = Request{};
    request_.commit = (flags & 3) != 3;
    request_.force = (flags & 4) != 0;
    request_.zone = flags >> 3 & 1;
    if ((flags & 0x10) != 0) request_.mark = request_.mark_mask = 1U + feed_.u8();
    if ((flags & 0x20) != 0) {
      request_.label_mask[15] = 0xff;
      request_.label[15] = feed_.u8();
    }
    request_.timeout_policy = static_cast<TimeoutPolicyId>(flags >> 6);
    if ((flags & 3) != 2) return;
    const unsigned translation = feed_.u8();
    request_.nat = nats_[(translation >> 2) % nats_.size()];
    request_.inside_view = (translation & 3) == 1;
    request_.from_outside = (translation & 3) == 2;
  }

  void advance() {
    constexpr std::int64_t kMs[16] = {1,      10,      999,    1000,           5000,    29'999,
                                      30'000, 30'001,  60'000, 90'000,         900'000, 86'400'000,
                                      2,      400'000, 0,      (1LL << 31) + 5};
    process(now_);
    now_ += std::chrono::milliseconds(feed_.pick(kMs));
  }

  void control() {
    process(now_);
    const unsigned byte = feed_.u8();
    switch (byte & 7) {
      case 0:
        return sweep(byte >> 3);
      case 1:
        return check_dump();
      case 2:
        return flush(byte >> 3);
      case 3:
        check(tracker_->set_max_connections(1 + (byte >> 3)) == Error::none);
        return;
      case 4:
        return tracker_->set_zone_limit(byte >> 3 & 1, limit(byte >> 4));
      case 5:
        return set_policy(byte >> 3);
      case 6:
        return tracker_->set_sequence_check(byte >> 3 & 1,
                                            static_cast<SequenceCheck>((byte >> 4) % 3));
      case 7:
        if (byte == 0xff) return flush_fragments();
        break;
    }
    push(traffic_.tcp(feed_));
    process(now_ - std::chrono::seconds(byte >> 3));  // its clock runs backwards
  }

  static std::optional<std::uint32_t> limit(unsigned value) {
    if (value == 15) return std::nullopt;
    return value;
  }

  void sweep(unsigned timers) {
    SweepBudget budget;
    budget.timers = timers == 0 ? 20'000 : timers;
    budget.timers_per_lock = 1 + timers % 3;
    const SweepResult result = tracker_->sweep(now_, budget);
    if (!result.finished) return;
    const bool is_idle =
        tracker_->connection_count() == 0 && tracker_->stats().fragmented_datagrams == 0;
    check((result.next == Timestamp::max()) == is_idle);
    check(dump() == tracker_->connection_count());  // all that expired is gone
    for (const ConnectionInfo& info : dumped_) check(result.next <= info.expires);
  }

  void flush_fragments() {
    const std::size_t held = held_.count();
    check(tracker_->flush_fragments() == held && held_.count() == 0);
    check(tracker_->stats().fragmented_datagrams == 0);
  }

  void flush(unsigned which) {
    Filter filter;
    if ((which & 1) != 0) filter.zone = which >> 1 & 1;
    if ((which & 4) != 0) filter.protocol = Protocol::tcp;
    tracker_->flush(now_, filter);
    check(dump(filter) == 0);
  }

  void set_policy(unsigned value) {
    TimeoutPolicy policy;
    for (Duration& timeout : policy.values) timeout = Duration(1 + value * 997);
    if (value == 31) policy.values.fill(kMaxTimeout);
    check(tracker_->set_timeout_policy((value & 1) != 0 ? "a" : "b", policy).ok());
  }

  std::size_t dump(const Filter& filter = {}) {
    dumped_.clear();
    std::array<ConnectionInfo, 3> some;
    for (DumpCursor cursor; !cursor.done();) {
      const std::size_t count = tracker_->dump(cursor, some, now_, filter);
      dumped_.insert(dumped_.end(), some.begin(),
                     some.begin() + static_cast<std::ptrdiff_t>(count));
    }
    return dumped_.size();
  }

  void check_dump() {
    check(dump() <= tracker_->connection_count());
    std::set<std::pair<Zone, Tuple>> replies;
    for (const ConnectionInfo& info : dumped_) {
      check(replies.insert({info.zone, info.reply}).second);
      check(info.expires > now_ && info.start <= now_ && info.last_seen <= now_);
      check(info.counters[0].packets >= 1);
      for (const Tuple& tuple : {info.original, info.reply}) {
        const auto found = tracker_->find(info.zone, tuple, now_);
        check(found.has_value() && found->handle == info.handle);
      }
    }
  }

  void check_counters() {
    const Stats stats = tracker_->stats();
    check(stats.packets == expected_.packets && stats.bytes == expected_.bytes);
    check(stats.untracked == expected_.untracked && stats.new_ == expected_.new_);
    check(stats.established == expected_.established && stats.related == expected_.related);
    check(stats.reply == expected_.reply && stats.invalid == expected_.invalid);
    check(stats.reasons == expected_.reasons);
    check(stats.held_fragments == held_.count());
    check(stats.fragmented_datagrams <= kDatagramsMost);
    std::uint64_t live = 0, opened = 0, gone = 0;
    for (const ProtocolStats& protocol : stats.protocols) {
      live += protocol.live;
      opened += protocol.opened;
      gone += protocol.expired + protocol.removed;
    }
    check(live == stats.connections && live == tracker_->connection_count());
    check(stats.reply_tuples <= live);
    check(opened == events_.created && gone == events_.destroyed);
    check(tracker_->zone_limit(0).count + tracker_->zone_limit(1).count == live);
  }

  /// A month on, everything has expired.
  void end() {
    now_ += std::chrono::hours(24 * 30);
    check(dump() == 0);
    for (int tries = 0; !tracker_->sweep(now_).finished; ++tries) check(tries < 100);
    check(tracker_->connection_count() == 0 && held_.count() == 0);
    check(tracker_->stats().reply_tuples == 0);
    for (const NatId nat : nats_) {
      const NatStats stats = tracker_->nat_stats(nat).value();
      check(stats.mappings == 0 && stats.used == 0);
      check(stats.held + stats.free == stats.ports);
    }
    check_counters();
  }

  Feed& feed_;
  fuzz::Traffic traffic_;
  static constexpr std::uint32_t kDatagramsMost = 3;

  EventCounts events_;
  Expected expected_;
  HeldFragments held_{expected_};
  std::unique_ptr<Tracker> tracker_;
  std::uint64_t users_ = 0;
  Request request_;
  std::vector<NatId> nats_;
  Timestamp now_ = timestamp_from_ns(1'000'000'000);
  std::vector<Frame> frames_;
  std::vector<ConnectionInfo> dumped_;
  std::size_t burst_most_ = 1;
  bool explain_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Feed feed({data, size});
  Player(feed).play();
  return 0;
}
