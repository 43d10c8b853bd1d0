#include "frag/datagrams.h"

#include <algorithm>
#include <utility>

namespace uct::core {

namespace {

DatagramLimits usable(DatagramLimits limits) {
  limits.datagrams = std::max<std::uint32_t>(limits.datagrams, 1);
  limits.datagrams_per_source =
      std::clamp<std::uint32_t>(limits.datagrams_per_source, 1, limits.datagrams);
  limits.held_bytes_per_source = std::min(limits.held_bytes_per_source, limits.held_bytes);
  return limits;
}

FragmentRefusal refusal_of(Fit fit) {
  switch (fit) {
    case Fit::overlap:
      return FragmentRefusal::overlap;
    case Fit::two_ends:
      return FragmentRefusal::two_ends;
    case Fit::too_many:
      return FragmentRefusal::too_many;
    case Fit::fresh:
    case Fit::duplicate:
      break;
  }
  return FragmentRefusal::none;
}

FragmentDecision step(FragmentStep step) { return {step, FragmentRefusal::none, {}}; }

/// Gives     the datagram that has been at its stage for longest, of the first stage that has any.
template <typename Lists>
Datagram* first_to_go(const Lists& stages) {
  for (const auto& list : stages) {
    if (list.first() != nullptr) return list.first();
  }
  return nullptr;
}

/// Gives     the datagram that has held for longest and is not `own`, or null.
template <typename Lists>
Datagram* first_holder(const Lists& stages, const Datagram* own) {
  const auto& holding = stages[static_cast<std::size_t>(Stage::holding)];
  Datagram* const first = holding.first();
  return first != nullptr && first == own ? holding.next(*first) : first;
}

}  // namespace

Datagrams::Datagrams(const DatagramLimits& limits, const HashKey& hash_key)
    : limits_(usable(limits)), table_(limits_.datagrams, hash_key) {}

FragmentDecision Datagrams::arrive(const Fragment& fragment, const Packet& packet,
                                   std::uint64_t now_ms, LostFrames& lost) {
  const std::uint64_t charge = HeldFrame::charge_of(packet);
  {
    const SpinlockGuard guard(lock_);
    note_time(now_ms);
    const FragmentDecision decision = decide(fragment, charge, lost);
    if (decision.step != FragmentStep::hold) return decision;
  }
  HeldFramePtr copy = HeldFrame::copy(packet, fragment.zone());
  const SpinlockGuard guard(lock_);
  if (copy == nullptr) return refuse(FragmentRefusal::no_memory);
  // Another thread may have brought the verdict meanwhile, or a fragment that condemns this one.
  const FragmentDecision decision = decide(fragment, charge, lost);
  if (decision.step != FragmentStep::hold) return decision;
  return hold(fragment, copy, lost);
}

/// Decides all but the holding; `hold` changes nothing yet.
FragmentDecision Datagrams::decide(const Fragment& fragment, std::uint64_t charge,
                                   LostFrames& lost) {
  if (!is_wellformed(fragment.extent)) return refuse(FragmentRefusal::malformed);
  const bool is_first = fragment.extent.offset == 0;
  Datagram* datagram = find_live(fragment.key, lost);
  if (datagram != nullptr && datagram->condemned != FragmentRefusal::none) {
    return refuse(datagram->condemned);
  }
  Fit fit = datagram == nullptr ? Fit::fresh : datagram->extents.fit(fragment.extent);
  if (datagram != nullptr && datagram->stage == Stage::complete &&
      (is_first || fit != Fit::duplicate)) {
    table_.remove(*datagram, lost.expired);  // a complete one has none
    datagram = nullptr;
    fit = Fit::fresh;
  }
  if (fit != Fit::fresh && fit != Fit::duplicate) {
    condemn(*datagram, refusal_of(fit), lost);
    return refuse(datagram->condemned);
  }
  if (is_first) return decide_first(fragment, datagram, fit, lost);
  if (datagram != nullptr && datagram->has_verdict) return follow(fragment, *datagram, fit);
  if (fit == Fit::duplicate) return refuse(FragmentRefusal::held_already);
  if (limits_.held_bytes == 0) return refuse(FragmentRefusal::first_missing);
  if (charge > limits_.held_bytes_per_source) return refuse(FragmentRefusal::source_full);
  return step(FragmentStep::hold);
}

FragmentDecision Datagrams::decide_first(const Fragment& fragment, Datagram* datagram, Fit fit,
                                         LostFrames& lost) {
  if (datagram == nullptr) datagram = begin(fragment.key, lost);
  if (datagram == nullptr) return refuse(FragmentRefusal::no_memory);
  if (fit == Fit::fresh) {
    datagram->extents.add(fragment.extent);
  } else {
    ++stats_.duplicates;
  }
  return step(FragmentStep::track);
}

FragmentDecision Datagrams::follow(const Fragment& fragment, Datagram& datagram, Fit fit) {
  if (fit == Fit::fresh) {
    datagram.extents.add(fragment.extent);
    settle(datagram);
  } else {
    ++stats_.duplicates;
  }
  return {FragmentStep::follow, FragmentRefusal::none, datagram.verdict};
}

FragmentDecision Datagrams::hold(const Fragment& fragment, HeldFramePtr& frame, LostFrames& lost) {
  Datagram* datagram = table_.find(fragment.key);
  const FragmentRefusal full = make_room(fragment.key, datagram, frame->charge(), lost);
  if (full != FragmentRefusal::none) return refuse(full);
  if (datagram == nullptr) datagram = begin(fragment.key, lost);
  if (datagram == nullptr) return refuse(FragmentRefusal::no_memory);
  datagram->extents.add(fragment.extent);
  table_.hold(*datagram, std::move(frame));
  ++stats_.held;
  return step(FragmentStep::hold);
}

FragmentDecision Datagrams::refuse(FragmentRefusal cause) {
  ++stats_.refused[static_cast<std::size_t>(cause)];
  return {FragmentStep::refuse, cause, {}};
}

HeldFrames Datagrams::decided(const FragmentKey& key, const FragmentVerdict& verdict,
                              std::uint64_t now_ms, LostFrames& lost) {
  const SpinlockGuard guard(lock_);
  note_time(now_ms);
  Datagram* const datagram = find_live(key, lost);
  if (datagram == nullptr || datagram->condemned != FragmentRefusal::none) return {};
  datagram->verdict = verdict;
  datagram->has_verdict = true;
  HeldFrames frames = table_.take_held(*datagram);
  stats_.released += frames.count();
  settle(*datagram);
  return frames;
}

std::uint32_t Datagrams::sweep(std::uint64_t now_ms, std::uint32_t budget, LostFrames& lost) {
  const SpinlockGuard guard(lock_);
  note_time(now_ms);
  return remove_oldest(now_ms_, budget, lost);
}

std::uint32_t Datagrams::give_up(std::uint32_t budget, LostFrames& lost) {
  const SpinlockGuard guard(lock_);
  return remove_oldest(kNever, budget, lost);
}

/// Removes those that are due at `due_ms`.
std::uint32_t Datagrams::remove_oldest(std::uint64_t due_ms, std::uint32_t budget,
                                       LostFrames& lost) {
  std::uint32_t count = 0;
  for (; count < budget; ++count) {
    Datagram* const oldest = table_.oldest();
    if (oldest == nullptr || oldest->expires_ms > due_ms) break;
    expire(*oldest, lost);
  }
  return count;
}

std::uint64_t Datagrams::next_deadline_ms() const {
  const SpinlockGuard guard(lock_);
  const Datagram* const oldest = table_.oldest();
  return oldest == nullptr ? kNever : oldest->expires_ms;
}

void Datagrams::release_spares() {
  DatagramTable::Garbage garbage;  // freed behind the lock
  const SpinlockGuard guard(lock_);
  table_.release_spares(garbage);
}

DatagramStats Datagrams::stats() const {
  const SpinlockGuard guard(lock_);
  DatagramStats stats = stats_;
  stats.datagrams = table_.size();
  stats.held_frames = table_.held_frames();
  stats.held_bytes = table_.held_charge();
  stats.lost = stats.held - stats.released - stats.held_frames;
  return stats;
}

/// A datagram at its deadline is not there any more, swept or not.
Datagram* Datagrams::find_live(const FragmentKey& key, LostFrames& lost) {
  Datagram* const datagram = table_.find(key);
  if (datagram == nullptr || datagram->expires_ms > now_ms_) return datagram;
  expire(*datagram, lost);
  return nullptr;
}

/// Enters a datagram. Where there is no room another one leaves: of the same source when that has
/// its share, else one that has expired, else the first to go.
Datagram* Datagrams::begin(const FragmentKey& key, LostFrames& lost) {
  const FragmentSource* const source = table_.find_source(key);
  if (source != nullptr && source->datagrams >= limits_.datagrams_per_source) {
    push_out(*first_to_go(source->stages), lost);
  } else if (table_.size() >= limits_.datagrams) {
    Datagram& oldest = *table_.oldest();
    if (oldest.expires_ms <= now_ms_) {
      expire(oldest, lost);
    } else {
      push_out(*first_to_go(table_.stages()), lost);
    }
  }
  return table_.add(key, now_ms_ + limits_.timeout_ms);
}

void Datagrams::condemn(Datagram& datagram, FragmentRefusal cause, LostFrames& lost) {
  ++stats_.condemned;
  datagram.condemned = cause;
  lost.condemned.append(table_.take_held(datagram));
  lost.condemned_for = cause;
}

/// Makes room for `charge` bytes more of the datagram `own`, which may not be there yet: first
/// within the share of its source, then within all.
///
/// Gives     what is full, when the datagram itself has the rest, or too many others would have to
///           leave
FragmentRefusal Datagrams::make_room(const FragmentKey& key, const Datagram* own,
                                     std::uint64_t charge, LostFrames& lost) {
  std::uint32_t left = kPushedOutMost;
  const FragmentSource* source = table_.find_source(key);
  while (source != nullptr && source->held_charge + charge > limits_.held_bytes_per_source) {
    Datagram* const victim = first_holder(source->stages, own);
    if (victim == nullptr || left-- == 0) return FragmentRefusal::source_full;
    if (source->datagrams == 1) source = nullptr;  // it leaves with its last datagram
    push_out(*victim, lost);
  }
  while (table_.held_charge() + charge > limits_.held_bytes) {
    Datagram* const victim = first_holder(table_.stages(), own);
    if (victim == nullptr || left-- == 0) return FragmentRefusal::no_room;
    push_out(*victim, lost);
  }
  return FragmentRefusal::none;
}

void Datagrams::push_out(Datagram& datagram, LostFrames& lost) {
  if (datagram.stage != Stage::complete) ++stats_.pushed_out;
  table_.remove(datagram, lost.pushed_out);
}

void Datagrams::expire(Datagram& datagram, LostFrames& lost) {
  if (datagram.stage != Stage::complete) ++stats_.expired;
  table_.remove(datagram, lost.expired);
}

/// Times of threads differ by what they waited for the lock; the order of age allows no step back.
void Datagrams::note_time(std::uint64_t now_ms) { now_ms_ = std::max(now_ms_, now_ms); }

/// Moves a datagram with a verdict to `complete` when it is.
void Datagrams::settle(Datagram& datagram) {
  if (!datagram.extents.is_complete() || datagram.stage == Stage::complete) return;
  ++stats_.completed;
  table_.move_to(Stage::complete, datagram);
}

}  // namespace uct::core
