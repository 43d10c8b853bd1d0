// Fragments on the packet path: first ones are decided by their ports, later ones follow or wait.
// Each is a block of its own and is taken in its turn, with no lock held, so that those of one
// datagram see each other's effects in order of arrival.
#include <cstring>
#include <utility>

#include "tracker/pipeline.h"

namespace uct::core {

namespace {

/// Datagrams that a sweep or a flush removes each time it takes the lock of the fragments.
constexpr std::uint32_t kDatagramsPerLock = 64;

/// Gives     the datagram that a fragment belongs to. An error's parsed addresses and protocol are
///           those of the packet it quotes, so that they are read from the header once more.
FragmentKey key_of(const Packet& packet, const ParsedPacket& parsed, Zone zone) {
  const bool v4 = parsed.family == Family::ipv4;
  const std::uint32_t header_size = parsed.ip_size - parsed.transport_size;
  const std::byte* ip = packet.data + parsed.transport_offset - header_size;
  const std::size_t size = v4 ? 4 : 16;
  const std::byte* addresses = ip + (v4 ? 12 : 8);
  ParsedPacket outer;
  outer.family = parsed.family;
  outer.fragment_id = parsed.fragment_id;
  outer.protocol = v4 ? std::to_integer<std::uint8_t>(ip[9]) : 0;
  std::memcpy(outer.source, addresses, size);
  std::memcpy(outer.destination, addresses + size, size);
  return make_fragment_key(outer, zone);
}

Fragment fragment_of(const Packet& packet, const ParsedPacket& parsed, Zone zone) {
  return {key_of(packet, parsed, zone),
          {parsed.fragment_offset, parsed.fragment_size, parsed.more_fragments}};
}

Reason reason_of(FragmentRefusal refusal) {
  switch (refusal) {
    case FragmentRefusal::none:
      return Reason::none;
    case FragmentRefusal::malformed:
      return Reason::fragment_malformed;
    case FragmentRefusal::overlap:
      return Reason::fragment_overlap;
    case FragmentRefusal::two_ends:
      return Reason::fragment_two_ends;
    case FragmentRefusal::too_many:
      return Reason::fragment_too_many;
    case FragmentRefusal::held_already:
      return Reason::fragment_duplicate;
    case FragmentRefusal::source_full:
    case FragmentRefusal::no_room:
    case FragmentRefusal::no_memory:
    case FragmentRefusal::pushed_out:
      return Reason::fragment_no_room;
    case FragmentRefusal::first_missing:
    case FragmentRefusal::expired:
      break;
  }
  return Reason::fragment_without_first;
}

}  // namespace

void Pipeline::finish_fragment(Block& block) {
  const std::size_t place = block.first;
  const Fragment fragment = fragment_of(burst_[place], block.items[0].parsed, request_.zone);
  LostFrames lost;
  const FragmentDecision decision =
      tracker_.fragments.arrive(fragment, burst_[place], now_ms_, lost);
  tracker_.give_up(lost, &burst_[place]);
  switch (decision.step) {
    case FragmentStep::track: {
      const FragmentVerdict verdict = decide_first(block);
      HeldFrames frames = tracker_.fragments.decided(fragment.key, verdict, now_ms_, lost);
      tracker_.give_up(lost, &burst_[place]);
      return release(std::move(frames), verdict, burst_[place]);
    }
    case FragmentStep::follow:
      return follow(block, decision.verdict);
    case FragmentStep::hold:
      verdicts_[place].state = StateFlags::tracked;
      verdicts_[place].reason = Reason::fragment_held;
      return count_reason(Reason::fragment_held);
    case FragmentStep::refuse:
      return reject_stray(place, reason_of(decision.refusal));
  }
}

/// Decides a first fragment as any other packet.
///
/// Gives     what those that follow it need to know.
FragmentVerdict Pipeline::decide_first(Block& block) {
  finish_alone(block);
  const ParsedPacket& parsed = block.items[0].parsed;
  FragmentVerdict verdict;
  verdict.state = verdicts_[block.first].state;
  verdict.reason = verdicts_[block.first].reason;
  verdict.protocol = parsed.protocol;
  // An error has the tuple of another packet, and neither a tuple nor a connection of its own.
  if (parsed.fate != Fate::track) return verdict;
  verdict.kind = parsed.kind;
  verdict.source_port = parsed.source_port;
  verdict.destination_port = parsed.destination_port;
  return verdict;
}

/// Gives a later fragment the verdict of its first one.
void Pipeline::follow(Block& block, const FragmentVerdict& first) {
  const std::size_t place = block.first;
  ParsedPacket& parsed = block.items[0].parsed;
  if (first.reason != Reason::none && !is_refusal(first.reason)) {
    parsed.fate = first.state == StateFlags::untracked ? Fate::untracked : Fate::invalid;
    parsed.reason = first.reason;
  } else {
    parsed.kind = first.kind;
    parsed.protocol = first.protocol;
    parsed.source_port = first.source_port;
    parsed.destination_port = first.destination_port;
    verdicts_[place].state = first.state;
    verdicts_[place].reason = first.reason;
  }
  finish_alone(block);
}

/// Hands out what waited for a first fragment, in order of arrival.
void Pipeline::release(HeldFrames frames, const FragmentVerdict& first, const Packet& behind) {
  while (const HeldFramePtr frame = frames.pop()) {
    HeldFragment held{frame->packet(), {}, nullptr, &behind};
    Explanation explanation;
    const std::span<Explanation> explained(&explanation, explanations_.empty() ? 0 : 1);
    Pipeline(tracker_, request_, tracker_.timestamp_of_ms(now_ms_), {&held.packet, 1},
             {&held.verdict, 1}, explained)
        .follow_alone(first);
    if (!explained.empty()) held.explanation = &explanation;
    tracker_.config.fragments->on_fragment(held);
  }
}

/// Treats the one packet of the burst, a later fragment, by the verdict of its first one.
void Pipeline::follow_alone(const FragmentVerdict& first) {
  alignas(Block) std::byte memory[sizeof(Block)];  // see run()
  Block& block = *reinterpret_cast<Block*>(memory);
  prepare(block, 0);
  follow(block, first);
  if (stray_packets_ != 0) publish_strays();
}

// ---- what gets no verdict -----------------------------------------------------------------------

namespace {

void give_up_all(TrackerCore& tracker, HeldFrames& frames, Reason reason, const Packet* behind) {
  StrayCounters& counters = tracker.stray_counters[0];
  constexpr auto kRelaxed = std::memory_order_relaxed;
  while (const HeldFramePtr frame = frames.pop()) {
    HeldFragment held{frame->packet(), {}, nullptr, behind};
    held.verdict.state = StateFlags::invalid | StateFlags::tracked;
    held.verdict.reason = reason;
    held.verdict.zone = frame->zone();
    const Packet& packet = held.packet;
    counters.packets.fetch_add(1, kRelaxed);
    counters.bytes.fetch_add(packet.wire_size != 0 ? packet.wire_size : packet.size, kRelaxed);
    counters.invalid.fetch_add(1, kRelaxed);
    counters.reasons[static_cast<std::size_t>(reason)].fetch_add(1, kRelaxed);
    tracker.config.fragments->on_fragment(held);
  }
}

}  // namespace

void TrackerCore::give_up(LostFrames& lost, const Packet* behind) {
  if (lost.empty()) [[likely]]
    return;
  give_up_all(*this, lost.expired, reason_of(FragmentRefusal::expired), behind);
  give_up_all(*this, lost.pushed_out, reason_of(FragmentRefusal::pushed_out), behind);
  give_up_all(*this, lost.condemned, reason_of(lost.condemned_for), behind);
}

bool TrackerCore::sweep_fragments(std::uint64_t now_ms, const SweepBudget& budget) {
  bool more = true;
  while (more) {
    LostFrames lost;
    more = fragments.sweep(now_ms, kDatagramsPerLock, lost) == kDatagramsPerLock;
    give_up(lost, nullptr);
    if (more && budget.keep_going != nullptr && !budget.keep_going(budget.context)) return false;
  }
  fragments.release_spares();
  return true;
}

}  // namespace uct::core

std::size_t uct::Tracker::flush_fragments() noexcept {
  std::size_t held = 0;
  bool more = true;
  while (more) {
    core::LostFrames lost;
    more = core_->fragments.give_up(core::kDatagramsPerLock, lost) == core::kDatagramsPerLock;
    held += lost.expired.count();
    core_->give_up(lost, nullptr);
  }
  core_->fragments.release_spares();
  return held;
}
