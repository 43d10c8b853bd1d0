#include "tests/support/tracker_model.h"

#include <algorithm>

namespace uct::model {

namespace {

using test::kAck;
using test::kRst;
using test::kSyn;
using test::kSynAck;

constexpr std::uint8_t kResetFlags = kRst | kAck;

/// Each host and port begins at a number of its own, in every connection; some wrap around soon.
std::uint32_t initial_number(const Address& address, std::uint16_t port) {
  std::uint32_t number = 0xffff'fff0U + port * 3U;
  for (const std::uint8_t byte : address.bytes) number = number * 31 + byte;
  return number;
}

bool is_query(const Tuple& tuple) { return tuple.icmp_type == 8 || tuple.icmp_type == 128; }

TcpState tcp_state(const ConnectionInfo& info) { return info.tcp_state(); }

bool unheard(const ConnectionInfo& info) { return info.picked_up && !info.seen_reply; }

TimeoutClass timeout_class(const ConnectionInfo& info) {
  if (has_icmp_id(info.protocol)) {
    return info.icmp_state() == IcmpState::reply ? TimeoutClass::icmp_reply
                                                 : TimeoutClass::icmp_first;
  }
  if (info.protocol != Protocol::tcp) {
    return info.other_state() == OtherState::first      ? TimeoutClass::other_first
           : info.other_state() == OtherState::multiple ? TimeoutClass::other_multiple
                                                        : TimeoutClass::other_bidir;
  }
  switch (tcp_state(info)) {
    case TcpState::syn_recv:
      return TimeoutClass::tcp_opening;
    case TcpState::established:
      return unheard(info) ? TimeoutClass::tcp_first : TimeoutClass::tcp_established;
    case TcpState::close:
      return TimeoutClass::tcp_closed;
    default:
      return TimeoutClass::tcp_first;
  }
}

/// Replaces segments whose effect is a matter of sequence numbers by ones whose effect is plain.
std::uint8_t fitting(const ConnectionInfo& info, Direction direction, std::uint8_t flags) {
  const bool reply = direction == Direction::reply;
  switch (tcp_state(info)) {
    case TcpState::syn_sent:
      return reply && (flags == kSyn || flags == kAck) ? kSynAck : flags;
    case TcpState::syn_recv:
      return reply && (flags == kSyn || flags == kResetFlags) ? kAck : flags;
    case TcpState::established:
      if (reply && flags == kSyn) return kAck;
      return info.picked_up && flags == kResetFlags ? kAck : flags;
    default:
      return flags == kSyn ? kSyn : kResetFlags;
  }
}

bool label_fits(const Filter& filter, const Label& label) {
  for (std::size_t i = 0; i < label.size(); ++i) {
    if ((label[i] & filter.label_mask[i]) != (filter.label[i] & filter.label_mask[i])) return false;
  }
  return true;
}

bool fits(const Filter& filter, const ConnectionInfo& info) {
  if (filter.zone && *filter.zone != info.zone) return false;
  if (filter.protocol && *filter.protocol != info.protocol) return false;
  if (filter.family && *filter.family != info.original.source.family) return false;
  if (filter.original.source && *filter.original.source != info.original.source) return false;
  if (filter.reply.source && *filter.reply.source != info.reply.source) return false;
  if (filter.original.destination_port &&
      *filter.original.destination_port != info.original.destination_port) {
    return false;
  }
  if ((info.mark & filter.mark_mask) != (filter.mark & filter.mark_mask)) return false;
  return label_fits(filter, info.label);
}

void count(Stats& stats, StateFlags state, Reason reason, std::uint32_t bytes) {
  ++stats.packets;
  stats.bytes += bytes;
  if (state == StateFlags::untracked) ++stats.untracked;
  if (has(state, StateFlags::new_)) ++stats.new_;
  if (has(state, StateFlags::established)) ++stats.established;
  if (has(state, StateFlags::related)) ++stats.related;
  if (has(state, StateFlags::reply)) ++stats.reply;
  if (has(state, StateFlags::invalid)) ++stats.invalid;
  if (reason != Reason::none) ++stats.reasons[static_cast<std::size_t>(reason)];
}

ProtocolStats& group(Stats& stats, Protocol protocol) {
  return stats.protocols[static_cast<std::size_t>(protocol_group(protocol))];
}

void describe(const Connection& connection, Expected& expected) {
  expected.mark = connection.info.mark;
  expected.label = connection.info.label;
  expected.life = connection.life;
}

Expected invalid(Reason reason) {
  Expected expected;
  expected.state = StateFlags::invalid | StateFlags::tracked;
  expected.reason = reason;
  return expected;
}

}  // namespace

Model::Model(const Settings& settings)
    : pick_up_(settings.pick_up),
      now_ms_(settings.start_ms),
      max_connections_(settings.max_connections) {}

void Model::advance(std::uint64_t ms) {
  now_ms_ += static_cast<std::int64_t>(ms);
  std::erase_if(connections_,
                [&](const auto& entry) { return entry.second.info.expires <= now(); });
}

const Connection* Model::find(Zone zone, const Tuple& tuple) const {
  const auto straight = connections_.find({zone, tuple});
  if (straight != connections_.end()) return &straight->second;
  const auto back = connections_.find({zone, test::reversed(tuple)});
  return back != connections_.end() ? &back->second : nullptr;
}

Connection* Model::find_any(Zone zone, const Tuple& tuple) {
  return const_cast<Connection*>(find(zone, tuple));
}

std::uint32_t Model::count(Zone zone) const {
  return static_cast<std::uint32_t>(
      std::count_if(connections_.begin(), connections_.end(),
                    [&](const auto& entry) { return entry.first.first == zone; }));
}

std::optional<std::uint32_t> Model::limit(Zone zone) const {
  const auto own = limits_.find(zone);
  return own != limits_.end() ? own->second : default_limit_;
}

test::TcpSegment Model::segment(const PacketSpec& packet, Zone zone) const {
  constexpr std::uint8_t kChoices[] = {kSyn, kSyn, kSynAck, kSynAck, kAck, kAck, kAck, kResetFlags};
  const Tuple& tuple = packet.tuple;
  test::TcpSegment made;
  if (tuple.protocol != Protocol::tcp) return made;
  made.flags = kChoices[packet.tcp_choice % 8];
  if (const Connection* connection = find(zone, tuple)) {
    const bool original = connection->info.original == tuple;
    made.flags =
        fitting(connection->info, original ? Direction::original : Direction::reply, made.flags);
  }
  const bool opening = (made.flags & kSyn) != 0;
  made.seq = initial_number(tuple.source, tuple.source_port) + (opening ? 0 : 1);
  made.ack = made.flags == kSyn ? 0 : initial_number(tuple.destination, tuple.destination_port) + 1;
  return made;
}

Expected Model::apply(const PacketSpec& packet, const test::TcpSegment& segment,
                      std::uint32_t bytes, const Request& request, const Held& held) {
  Expected expected;
  switch (packet.kind) {
    case PacketKind::plain:
      expected = track(packet, segment, bytes, request, held);
      break;
    case PacketKind::udp_length:
      expected = invalid(Reason::udp_length);
      break;
    case PacketKind::link_unsupported:
      expected.reason = Reason::link_unsupported;
      break;
    case PacketKind::error:
      if (const Connection* quoted = find(request.zone, packet.tuple)) {
        expected.state = StateFlags::related | StateFlags::tracked;
        if (quoted->info.original == packet.tuple) expected.state |= StateFlags::reply;
        describe(*quoted, expected);
      } else {
        expected = invalid(Reason::icmp_quote_unknown);
      }
      break;
  }
  uct::model::count(stats_, expected.state, expected.reason, bytes);
  return expected;
}

Expected Model::track(const PacketSpec& packet, const test::TcpSegment& segment,
                      std::uint32_t bytes, const Request& request, const Held& held) {
  Connection* found = find_any(request.zone, packet.tuple);
  if (found == nullptr) return open(packet, segment, bytes, request, held);
  ConnectionInfo& info = found->info;
  const Direction direction =
      info.original == packet.tuple ? Direction::original : Direction::reply;
  const bool replies = direction == Direction::reply;
  const bool forced = request.commit && request.force && replies;
  const Effect effect = forced ? Effect{Effect::Kind::replace, Reason::none, true}
                               : update(info, direction, segment.flags);
  if (effect.kind == Effect::Kind::replace) {
    remove(info);
    return open(packet, segment, bytes, request, held);
  }
  Expected expected = invalid(effect.reason);
  if (effect.kind != Effect::Kind::reject) {
    expected.state =
        StateFlags::tracked | (effect.is_new ? StateFlags::new_ : StateFlags::established);
    if (replies) expected.state |= StateFlags::reply;
    Counters& counters = info.counters[replies ? 1 : 0];
    ++counters.packets;
    counters.bytes += bytes;
    if (effect.kind == Effect::Kind::accept) refresh(info);
    if (request.commit) mark(info, request);
  }
  describe(*found, expected);
  return expected;
}

Reason Model::can_open(const Tuple& tuple, const test::TcpSegment& segment) const {
  if (has_icmp_id(tuple.protocol) && !is_query(tuple)) return Reason::icmp_reply_unasked;
  if (tuple.protocol != Protocol::tcp || segment.flags == kSyn) return Reason::none;
  return segment.flags == kAck && pick_up_ ? Reason::none : Reason::tcp_cannot_open;
}

/// Gives     the refusal that must come; or, where two answers are right, the tracker's.
Reason Model::refusal(Zone zone, const Held& held) const {
  if (connections_.size() >= max_connections_) return Reason::table_full;
  const bool may_be_table = held.connections >= max_connections_;
  const std::optional<std::uint32_t> bound = limit(zone);
  const bool may_be_zone = bound && held.in_zone >= *bound;
  if (may_be_table && held.refused == Reason::table_full) return Reason::table_full;
  if (bound && count(zone) >= *bound) return Reason::zone_full;
  return may_be_zone && held.refused == Reason::zone_full ? Reason::zone_full : Reason::none;
}

Expected Model::open(const PacketSpec& packet, const test::TcpSegment& segment, std::uint32_t bytes,
                     const Request& request, const Held& held) {
  const Reason reason = can_open(packet.tuple, segment);
  if (reason != Reason::none) return invalid(reason);
  Expected expected;
  expected.state = StateFlags::new_ | StateFlags::tracked;
  if (!request.commit) return expected;
  expected.reason = refusal(request.zone, held);
  if (expected.reason != Reason::none) return expected;
  Connection& fresh = connections_[{request.zone, packet.tuple}];
  fresh.life = ++lives_;
  ConnectionInfo& info = fresh.info;
  info.zone = request.zone;
  info.protocol = packet.tuple.protocol;
  info.original = packet.tuple;
  info.reply = test::reversed(packet.tuple);
  info.counters[0] = {1, bytes};
  info.start = now();
  info.timeout_policy = request.timeout_policy;
  info.picked_up = info.protocol == Protocol::tcp && segment.flags == kAck;
  if (info.protocol == Protocol::tcp) {
    info.state =
        static_cast<std::uint8_t>(info.picked_up ? TcpState::established : TcpState::syn_sent);
  }
  refresh(info);
  mark(info, request);
  ++group(stats_, info.protocol).opened;
  describe(fresh, expected);
  return expected;
}

Model::Effect Model::update(ConnectionInfo& info, Direction direction, std::uint8_t flags) {
  if (info.protocol == Protocol::tcp) return update_tcp(info, direction, flags);
  const bool icmp = has_icmp_id(info.protocol);
  if (direction == Direction::reply) {
    info.seen_reply = true;
    info.state = icmp ? static_cast<std::uint8_t>(IcmpState::reply)
                      : static_cast<std::uint8_t>(OtherState::bidir);
    return {};
  }
  if (!icmp && info.seen_reply) info.assured = true;
  if (!icmp && !info.seen_reply) info.state = static_cast<std::uint8_t>(OtherState::multiple);
  return {Effect::Kind::accept, Reason::none, !info.seen_reply};
}

Model::Effect Model::update_tcp(ConnectionInfo& info, Direction direction, std::uint8_t flags) {
  using Kind = Effect::Kind;
  const bool original = direction == Direction::original;
  const auto accept = [&](TcpState state) {
    info.state = static_cast<std::uint8_t>(state);
    if (!original) info.seen_reply = true;
    if (state == TcpState::established && info.seen_reply) info.assured = true;
    return Effect{Kind::accept, Reason::none, original && unheard(info)};
  };
  const Effect pass{Kind::pass, Reason::none, original && unheard(info)};
  const TcpState state = tcp_state(info);
  if (state == TcpState::close) {
    return flags == kSyn ? Effect{Kind::replace, Reason::none, true} : pass;
  }
  if (flags == kResetFlags) return accept(TcpState::close);
  if (flags == kSynAck && original) return {Kind::reject, Reason::tcp_synack_from_opener, false};
  if (state == TcpState::syn_sent) {
    if (flags == kSynAck) return accept(TcpState::syn_recv);
    if (flags == kSyn) return {Kind::pass, Reason::none, true};
    return {Kind::reject, Reason::tcp_opener_without_syn, false};
  }
  if (flags != kAck) return pass;
  if (state == TcpState::syn_recv && !original) return accept(TcpState::syn_recv);
  return accept(TcpState::established);
}

void Model::refresh(ConnectionInfo& info) const {
  const TimeoutPolicy& policy = policies_[static_cast<std::size_t>(info.timeout_policy)];
  info.timeout = policy[timeout_class(info)];
  info.last_seen = now();
  info.expires = info.last_seen + info.timeout;
}

void Model::mark(ConnectionInfo& info, const Request& request) {
  info.mark = (info.mark & ~request.mark_mask) | (request.mark & request.mark_mask);
  for (std::size_t i = 0; i < info.label.size(); ++i) {
    const unsigned mask = request.label_mask[i];
    info.label[i] = static_cast<std::uint8_t>((info.label[i] & ~mask) | (request.label[i] & mask));
  }
}

void Model::remove(const ConnectionInfo& info) {
  ++group(stats_, info.protocol).removed;
  connections_.erase({info.zone, info.original});
}

std::size_t Model::flush(const Filter& filter) {
  return std::erase_if(connections_, [&](const auto& entry) {
    if (!fits(filter, entry.second.info)) return false;
    ++group(stats_, entry.second.info.protocol).removed;
    return true;
  });
}

void Model::set(const Operation& operation) {
  const auto amount = static_cast<std::uint32_t>(operation.amount);
  if (operation.verb == Verb::max_connections) max_connections_ = amount;
  if (operation.verb == Verb::policy) {
    policies_[static_cast<std::size_t>(operation.request.timeout_policy)] = operation.timeouts;
  }
  if (operation.verb == Verb::default_zone_limit) {
    default_limit_ = operation.unset ? std::nullopt : std::optional(amount);
  }
  if (operation.verb == Verb::zone_limit) {
    limits_.erase(operation.request.zone);
    if (!operation.unset) limits_[operation.request.zone] = amount;
  }
}

}  // namespace uct::model
