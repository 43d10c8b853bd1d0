// What happens to one packet while the lock of its shard is held: found or not, opened, updated,
// counted. The order of decisions is the contract of docs/life-of-a-packet.md.
#include <cstring>

#include "proto/tcp.h"
#include "tracker/pipeline.h"

namespace uct::core {

namespace {

/// The state of a packet of a connection that exists.
StateFlags state_of_packet(Direction direction, bool is_new) {
  StateFlags state = StateFlags::tracked | (is_new ? StateFlags::new_ : StateFlags::established);
  if (direction == Direction::reply) state |= StateFlags::reply;
  return state;
}

/// What an update event reports: a connection whose state and status bits stay has nothing to tell.
std::uint32_t visible_state(const Body& body) {
  return std::uint32_t{state_of(body)} << 8 | body.status;
}

}  // namespace

/// The long way.
Pipeline::Step Pipeline::decide(Shard& shard, Block& block, std::size_t i) {
  const std::size_t place = block.first + i;
  const bool v6 = (block.v6 >> i & 1) != 0;
  const bool in_lane = (block.express >> i & 1) != 0;
  Item& item = block.items[i];
  item.hash = block.hash[i];
  item.guess = block.guess[i];
  Step step = Step::decided;
  if (in_lane && !(v6 ? leave_lane<KeyV6>(block, i) : leave_lane<KeyV4>(block, i))) {
    reject(place, item.parsed.reason);
  } else {
    step = v6 ? handle<KeyV6>(shard, block, i) : handle<KeyV4>(shard, block, i);
  }
  if (step == Step::decided && verdicts_[place].reason != Reason::none) {
    count_reason(verdicts_[place].reason);
  }
  return step;
}

/// Makes an Item of a packet of the express lane.
///
/// Gives     false when it is invalid; the item has the reason.
template <typename Key>
bool Pipeline::leave_lane(Block& block, std::size_t i) {
  const std::size_t place = block.first + i;
  Item& item = block.items[i];
  std::memcpy(&item.template key<Key>(), block.template words<Key>(i), sizeof(Key));
  item.from = block.lane[i].from;
  verdicts_[place] = Verdict{};
  verdicts_[place].zone = request_.zone;
  item.parsed.reason = leave_express(burst_[place], Key::kFamily, block.lane[i], item.parsed);
  return item.parsed.reason == Reason::none;
}

template <typename Key>
Pipeline::Step Pipeline::handle(Shard& shard, Block& block, std::size_t i) {
  Item& item = block.items[i];
  const std::size_t place = block.first + i;
  std::uint32_t number = kNoNumber;
  if (const Step step = locate<Key>(shard, block, i, number); step != Step::decided) return step;
  if (item.parsed.fate == Fate::error) {
    handle_error<Key>(shard, item, place, number);
    return Step::decided;
  }
  if (item.parsed.part == FragmentPart::later) {
    handle_later_fragment<Key>(shard, item, place, number);
    return Step::decided;
  }
  return number == kNoNumber ? handle_missing<Key>(shard, item, place)
                             : handle_found<Key>(shard, block, i, number);
}

/// Finds the number (without family bit) of the packet's live connection, or kNoNumber, unless the
/// packet must go to another shard for it.
template <typename Key>
[[gnu::always_inline]] inline Pipeline::Step Pipeline::locate(Shard& shard, Block& block,
                                                              std::size_t i,
                                                              std::uint32_t& number) {
  Item& item = block.items[i];
  FamilyPool<Key>& family = shard.family<Key>();
  item.by_reply = (block.redirected >> i & 1) != 0;
  if (item.by_reply) [[unlikely]] {
    number = item.guess & ~kV6Bit;
    const Answers answers = answers_to(shard, number, item.template key<Key>());
    if (answers == Answers::yes) {
      item.hash = block.hash[i] = family.records.beside(number).hash;
      const Body& body = family.records.record(number).body;
      if (is_live(body, tick_of_ms(shard.now_ms))) return Step::decided;
      remove<Key>(shard, number, item.hash, DestroyCause::expired);
    } else if (answers == Answers::not_any_more) {
      block.astray |= 1U << i;
      block.orphaned[i] = {tracker_.alias_of<Key>({shard.number, number}),
                           family.records.beside(number).reply.generation};
    }
    turn_back<Key>(block, i);
    return Step::sent_on;
  }
  number = find<Key>(shard, item);
  if (number == kNoNumber || (number & kAliasBit) == 0) [[likely]]
    return Step::decided;
  const std::uint32_t alias = number | kFamilyBit<Key>;
  const Translated<Key>& other = tracker_.translated_at<Key>(tracker_.place_of(alias));
  // One that is not entered yet is about to be, by another thread: the packet comes here again.
  if (!is_entered(other)) return Step::sent_on;
  const auto [orphan, generation] = block.orphaned[i];
  if ((block.astray >> i & 1) == 0 || orphan != alias || generation != other.reply.generation) {
    follow<Key>(block, i, alias);
    return Step::sent_on;
  }
  tracker_.take_out_alias<Key>(shard, alias, item.hash);  // before who removed the connection does
  number = kNoNumber;
  return Step::decided;
}

/// Gives     the number (without family bit) of the live connection of the item's key, or of an
///           alias, with its bit. One that expired is removed here: from that instant it is not
///           found (promise E1).
template <typename Key>
[[gnu::always_inline]] inline std::uint32_t Pipeline::find(Shard& shard, Item& item) {
  const FamilyPool<Key>& family = shard.family<Key>();
  const RecordPool<Key>& records = family.records;
  const Key& key = item.template key<Key>();
  std::uint32_t entry = item.guess;
  const std::uint32_t guess = item.guess ^ kFamilyBit<Key>;
  if (guess >= records.capacity() || !equal(records.record(guess).key, key)) {
    entry = tracker_.find_entry(shard, key, item.hash);
  }
  if (entry == kNoNumber) return kNoNumber;
  const std::uint32_t number = entry & ~kV6Bit;
  if ((number & kAliasBit) != 0) [[unlikely]]
    return number;
  if (is_live(records.record(number).body, tick_of_ms(shard.now_ms))) [[likely]]
    return number;
  remove<Key>(shard, number, item.hash, DestroyCause::expired);
  return kNoNumber;
}

template <typename Key>
void Pipeline::remove(Shard& shard, std::uint32_t number, std::uint64_t hash, DestroyCause cause) {
  FamilyPool<Key>& family = shard.family<Key>();
  family.wheel.disarm(number);
  tracker_.erase<Key>(shard, number, hash, cause);
}

template <typename Key>
void Pipeline::handle_error(Shard& shard, const Item& item, std::size_t place,
                            std::uint32_t number) {
  if (number == kNoNumber) return reject(place, Reason::icmp_quote_unknown);
  const Body& body = shard.family<Key>().records.record(number).body;
  const Direction quoted = direction_in<Key>(shard, item, number);
  if (item.parsed.has_quoted_seq && !tcp::may_have_sent(body, quoted, item.parsed.seq)) {
    return reject(place, Reason::icmp_quote_sequence);
  }
  Verdict& verdict = verdicts_[place];
  verdict.state = StateFlags::related | StateFlags::tracked;
  // The error travels against the packet that it quotes.
  if (quoted == Direction::original) verdict.state |= StateFlags::reply;
  describe<Key>(shard, number, item.hash, verdict);
  translate_error<Key>(shard, item, place, number, quoted);
  if (Explanation* why = explanation(place)) {
    why->found = true;
    why->direction = opposite(quoted);
    why->state_before = why->state_after = state_of(body);
  }
}

template <typename Key>
void Pipeline::handle_later_fragment(Shard& shard, const Item& item, std::size_t place,
                                     std::uint32_t number) {
  // A connection that took the place of the datagram's own translates otherwise or not at all.
  constexpr StateFlags kSides = StateFlags::snat | StateFlags::dnat;
  const StateFlags wanted = verdicts_[place].state & kSides;
  StateFlags there = StateFlags::untracked;
  FamilyPool<Key>& family = shard.family<Key>();
  if (number != kNoNumber &&
      (family.records.record(number).body.status & status::kTranslated) != 0) {
    there = translated_state(family.records.beside(number).sides);
  }
  if (wanted != there) return reject(place, Reason::nat_impossible);
  if (number == kNoNumber) return;  // its datagram was not committed: the verdict stands
  Record<Key>& record = family.records.record(number);
  const Direction direction = direction_in<Key>(shard, item, number);
  count_packet(record.body, family.records.cold(number), direction, item.parsed.ip_size);
  describe<Key>(shard, number, item.hash, verdicts_[place]);
  if (verdicts_[place].reason == Reason::none) {
    translate<Key>(shard, item, place, number, direction);
  }
}

template <typename Key>
Pipeline::Step Pipeline::handle_missing(Shard& shard, Item& item, std::size_t place) {
  const ProtocolContext context = context_for(item, place);
  const Reason reason = can_open(item.parsed, context);
  if (reason != Reason::none) {
    reject(place, reason);
    return Step::decided;
  }
  Verdict& verdict = verdicts_[place];
  verdict.state = StateFlags::new_ | StateFlags::tracked;
  if (!request_.commit) return Step::decided;
  if (is_to_be_translated(item.parsed)) {
    reserve<Key>(shard, item);
    return Step::translated;
  }
  std::uint32_t number = NumberPool::kNone;
  verdict.reason = commit<Key>(shard, item, context, number);
  if (verdict.reason == Reason::none) announce<Key>(shard, item, place, number);
  return Step::decided;
}

/// Takes a number for a connection that is to be opened with another tuple: its reply tuple is
/// entered first, and names it.
template <typename Key>
void Pipeline::reserve(Shard& shard, Item& item) {
  const std::uint32_t number = shard.family<Key>().records.take_pair();
  item.guess = number == NumberPool::kNone ? kNoNumber : number | kFamilyBit<Key>;
}

/// Tells of a connection that was entered: in the verdict, the explanation and an event.
template <typename Key>
void Pipeline::announce(Shard& shard, const Item& item, std::size_t place, std::uint32_t number) {
  set_mark_and_label<Key>(shard, number);
  describe<Key>(shard, number, item.hash, verdicts_[place]);
  if (Explanation* why = explanation(place)) {
    why->committed = true;
    why->state_after = state_of(shard.family<Key>().records.record(number).body);
  }
  if (tracker_.config.events != nullptr) {
    tracker_.tell<Key>(shard, EventKind::created, DestroyCause::none, number);
  }
}

template <typename Key>
Reason Pipeline::commit(Shard& shard, Item& item, const ProtocolContext& context,
                        std::uint32_t& number) {
  if (zone_ == nullptr) return Reason::memory_full;
  const TrackerCore::Opening<Key> opening{item.template key<Key>(), item.hash, item.from, *zone_,
                                          request_.timeout_policy};
  Reason reason = tracker_.insert<Key>(shard, opening, number);
  if (reason == Reason::table_full || reason == Reason::zone_full) {
    // What expired in this shard and waits for a sweep must not keep a new connection out.
    if (!tracker_.make_room(shard)) return reason;
    reason = tracker_.insert<Key>(shard, opening, number);
  }
  if (reason != Reason::none) return reason;
  FamilyPool<Key>& family = shard.family<Key>();
  Body& body = family.records.record(number).body;
  open(body, item.parsed, context);
  count_packet(body, family.records.cold(number), Direction::original, item.parsed.ip_size);
  body.timeout = tracker_.policies.timeout(body.policy, timeout_class(item.parsed.kind, body));
  const Tick now = tick_of_ms(shard.now_ms);
  body.deadline = static_cast<std::uint32_t>(add(now, body.timeout));
  family.wheel.arm(number, now, Tick{body.deadline});
  return Reason::none;
}

template <typename Key>
Pipeline::Step Pipeline::handle_found(Shard& shard, Block& block, std::size_t i,
                                      std::uint32_t number) {
  Item& item = block.items[i];
  const std::size_t place = block.first + i;
  FamilyPool<Key>& family = shard.family<Key>();
  Body& body = family.records.record(number).body;
  Direction direction = direction_of(body, item.from);
  const bool is_translated = (body.status & status::kTranslated) != 0;
  if (is_translated) [[unlikely]] {
    direction = direction_in<Key>(shard, item, number);
    // An originator's packets carry the one tuple, a responder's the other.
    const bool seen_inside = request_.inside_view && !item.by_reply;
    if (item.by_reply != (direction == Direction::reply) && !seen_inside) {
      reject(place, Reason::nat_tuple_side);
      return Step::decided;
    }
  }
  if (request_.commit && request_.force && direction == Direction::reply) {
    return replace<Key>(shard, block, i, number);
  }
  const ProtocolContext context = context_for(item, place);
  const std::uint32_t before = visible_state(body);
  if (Explanation* why = context.explanation) {
    why->found = true;
    why->direction = direction;
    why->state_before = why->state_after = state_of(body);
  }
  const Update update = core::update(body, direction, item.parsed, context);
  if (update.effect == Effect::replace) return replace<Key>(shard, block, i, number);
  Verdict& verdict = verdicts_[place];
  if (update.effect == Effect::reject) {
    reject(place, update.reason);
  } else {
    verdict.state = state_of_packet(direction, update.is_new);
    count_packet(body, family.records.cold(number), direction, item.parsed.ip_size);
    if (update.effect == Effect::accept &&
        (!is_translated || may_refresh<Key>(shard, item.parsed.kind, number, direction))) {
      refresh<Key>(shard, number, timeout_class(item.parsed.kind, body));
    }
    const bool marked = request_.commit && set_mark_and_label<Key>(shard, number);
    if (tracker_.config.events != nullptr && (marked || visible_state(body) != before)) {
      tracker_.tell<Key>(shard, EventKind::updated, DestroyCause::none, number);
    }
  }
  describe<Key>(shard, number, item.hash, verdict);
  if (context.explanation != nullptr) context.explanation->state_after = state_of(body);
  if (is_translated && update.effect != Effect::reject) [[unlikely]] {
    translate<Key>(shard, item, place, number, direction);
  }
  return Step::decided;
}

/// Removes the packet's connection, for the packet to open another one where its own tuple belongs.
template <typename Key>
Pipeline::Step Pipeline::replace(Shard& shard, Block& block, std::size_t i, std::uint32_t number) {
  Item& item = block.items[i];
  remove<Key>(shard, number, item.hash, DestroyCause::replaced);
  if (!item.by_reply) return handle_missing<Key>(shard, item, block.first + i);
  turn_back<Key>(block, i);
  return Step::sent_on;
}

/// Starts the deadline again with the timeout of the state the connection is in now.
template <typename Key>
void Pipeline::refresh(Shard& shard, std::uint32_t number, TimeoutClass timeout_class) {
  FamilyPool<Key>& family = shard.family<Key>();
  Body& body = family.records.record(number).body;
  const Tick now = tick_of_ms(shard.now_ms);
  const Tick old{body.deadline};
  body.timeout = tracker_.policies.timeout(body.policy, timeout_class);
  const Tick deadline = add(now, body.timeout);
  body.deadline = static_cast<std::uint32_t>(deadline);
  family.wheel.refresh(number, now, old, deadline);
}

/// Gives     whether mark or label changed.
template <typename Key>
bool Pipeline::set_mark_and_label(Shard& shard, std::uint32_t number) {
  FamilyPool<Key>& family = shard.family<Key>();
  std::uint8_t& status = family.records.record(number).body.status;
  bool changed = false;
  if (request_.mark_mask != 0) {
    std::uint32_t& mark = family.records.cold(number).mark;
    const std::uint32_t wanted =
        (mark & ~request_.mark_mask) | (request_.mark & request_.mark_mask);
    changed = wanted != mark;
    mark = wanted;
    if (changed) status |= status::kHasMark;
  }
  if (!sets_label_) return changed;
  const bool had = (status & status::kHasLabel) != 0;
  std::uint32_t& place = family.records.cold(number).label_number;
  const Label old = had ? shard.labels[place] : Label{};
  Label wanted = old;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    wanted[i] = static_cast<std::uint8_t>((old[i] & ~request_.label_mask[i]) |
                                          (request_.label[i] & request_.label_mask[i]));
  }
  if (wanted == old) return changed;
  if (had) {
    shard.labels[place] = wanted;
  } else {
    place = shard.labels.take(wanted);
    status |= status::kHasLabel;
  }
  return true;
}

/// Tells the verdict about its connection. The cold part is read only for who has something there.
template <typename Key>
void Pipeline::describe(Shard& shard, std::uint32_t number, std::uint64_t hash, Verdict& verdict) {
  FamilyPool<Key>& family = shard.family<Key>();
  const Record<Key>& record = family.records.record(number);
  const std::uint8_t status = record.body.status;
  verdict.connection = make_handle(handle_base<Key>(shard), number, record.key.generation, hash);
  if ((status & (status::kHasMark | status::kHasLabel)) == 0) [[likely]]
    return;
  const Cold& cold = family.records.cold(number);
  verdict.mark = cold.mark;
  if ((status & status::kHasLabel) != 0) verdict.label = shard.labels[cold.label_number];
}

void Pipeline::reject(std::size_t place, Reason reason) {
  verdicts_[place].state = StateFlags::invalid | StateFlags::tracked;
  verdicts_[place].reason = reason;
}

ProtocolContext Pipeline::context_for(const Item& item, std::size_t place) {
  ProtocolContext context;
  context.transport = burst_[place].data + item.parsed.transport_offset;
  context.sequence_check = sequence_check_;
  context.tcp_pick_up = tracker_.config.tcp_pick_up;
  context.explanation = explanation(place);
  return context;
}

// ---- for open_translated.cc ---------------------------------------------------------------------

/// Gives     whether the packet has a connection after all, or its tuple is another one's reply.
template <typename Key>
bool Pipeline::exists(Shard& shard, Item& item) {
  return find<Key>(shard, item) != kNoNumber;
}

#define UCT_INSTANTIATE(Key)                                                                    \
  template bool Pipeline::exists<Key>(Shard&, Item&);                                           \
  template Reason Pipeline::commit<Key>(Shard&, Item&, const ProtocolContext&, std::uint32_t&); \
  template void Pipeline::announce<Key>(Shard&, const Item&, std::size_t, std::uint32_t);
UCT_INSTANTIATE(KeyV4)
UCT_INSTANTIATE(KeyV6)
#undef UCT_INSTANTIATE

}  // namespace uct::core
