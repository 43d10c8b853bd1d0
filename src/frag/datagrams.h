/// Shallow virtual reassembly: fragments leave as fragments, with the verdict of their datagram.
///
/// The first fragment (offset 0) carries the ports; the tracker decides it at once. Those that come
/// after it follow its verdict, and nothing is held. Those that come before it are copied, held,
/// and released in order of arrival when it was decided. Nothing is put together: what leaves has
/// the sizes that its sender chose, and path MTU discovery goes on working.
///
/// Overlaps. Two fragments that share bytes let two readers see two datagrams, a filter one and a
/// host the other: RFC 1858 and RFC 3128 tell how ports and flags are rewritten behind the filter's
/// back. No sender makes them, so the datagram is condemned: that fragment, those held, and all
/// that follow are refused until the datagram expires. RFC 8200 section 4.5 (from RFC 5722) demands
/// it for IPv6; IPv4 is treated alike, as in Linux and Open vSwitch. So are more than kFragmentsMax
/// fragments, and two ends. A fragment whose own numbers are impossible is refused alone, as the
/// parser does.
///
/// Exact duplicates (same offset, same size, last or not as before) are made by links that send
/// again, and by ids that come around after 65,536 datagrams (RFC 4963); RFC 8200 lets receivers
/// ignore them. They get the verdict once more, because what they repeat may have been lost behind
/// us. The bytes of what has left are gone, so they cannot be compared; the receiver's rules apply.
/// A duplicate of a fragment that is held is refused, so that repeating it fills no memory; the one
/// that is held goes on.
///
/// A complete datagram is kept, for late duplicates, until it expires or room is needed. A first
/// fragment, or one that is no duplicate, begins a new datagram of the same id in its place.
///
/// Room. Datagrams, their fragments, and the bytes held are bounded; so are datagrams and bytes of
/// a source (an IPv4 address or an IPv6 /64, in its zone), which pushes out only its own when it
/// has its share. Where no bytes may be held, fragments that come before their first are refused
/// and not noted. Who makes room: the oldest complete one, else the oldest that holds, else the
/// oldest. Time runs from the first-arrived fragment, and nothing prolongs it.
///
/// Relies on base, packet and its room; called by tracker.
/// Threads   guarded by a lock of its own; any number of threads. Frames are copied and freed
///           outside of it.
#pragma once

#include <array>
#include <cstdint>

#include <uct/packet.h>

#include "base/siphash.h"
#include "base/spinlock.h"
#include "frag/datagram_table.h"
#include "frag/fragment.h"
#include "frag/held.h"

namespace uct::core {

/// A source gets a sixteenth: 16 must misbehave at once before one more is in want, and 256 KiB
/// still hold three datagrams of the largest size that arrive last fragment first.
inline constexpr std::uint32_t kSourceShare = 16;

struct DatagramLimits {
  std::uint32_t datagrams = 4096;
  std::uint32_t datagrams_per_source = 4096 / kSourceShare;
  std::uint64_t held_bytes = std::uint64_t{4} << 20;  ///< copies and their heads
  std::uint64_t held_bytes_per_source = (std::uint64_t{4} << 20) / kSourceShare;
  std::uint64_t timeout_ms = 30'000;  ///< as Linux; RFC 8200 section 4.5 allows 60 s
};

struct DatagramStats {
  // Now; expired datagrams are among them until they are swept or looked for.
  std::uint32_t datagrams = 0;
  std::uint32_t held_frames = 0;
  std::uint64_t held_bytes = 0;

  // Fragments since the start.
  std::uint64_t held = 0;        ///< ever
  std::uint64_t released = 0;    ///< held ones that got a verdict
  std::uint64_t lost = 0;        ///< held ones that got none: held - released - held_frames
  std::uint64_t duplicates = 0;  ///< exact ones that were let through, firsts included
  std::array<std::uint64_t, kFragmentRefusals> refused{};  ///< arriving ones, by cause

  // Datagrams since the start.
  std::uint64_t completed = 0;  ///< every byte of them had a verdict
  std::uint64_t condemned = 0;
  std::uint64_t expired = 0;     ///< before they were complete, condemned ones included
  std::uint64_t pushed_out = 0;  ///< likewise, to make room

  std::uint64_t refused_for(FragmentRefusal cause) const {
    return refused[static_cast<std::size_t>(cause)];
  }
};

/// Held copies that get no verdict. Who asked for what made them go answers for them.
struct LostFrames {
  HeldFrames expired;
  HeldFrames pushed_out;
  HeldFrames condemned;
  FragmentRefusal condemned_for = FragmentRefusal::none;  ///< of one datagram, so one cause

  bool empty() const { return expired.empty() && pushed_out.empty() && condemned.empty(); }
};

class Datagrams {
 public:
  /// A limit on datagrams of 0 counts as 1: a first fragment must be known while it is decided.
  Datagrams(const DatagramLimits& limits, const HashKey& hash_key);

  /// Says what to do with a fragment. Every fragment of a datagram must come by, firsts included.
  ///
  /// Gives     `track`: the caller decides the packet and then calls decided(); `follow`; `hold`:
  ///           `packet` was copied and is still the caller's; `refuse`
  /// Threads   any; a time before that of an earlier call counts as that one's
  /// Cost      two hashes and a search in at most kFragmentsMax; when held, an allocation, and at
  ///           most kPushedOutMost others pushed out
  FragmentDecision arrive(const Fragment& fragment, const Packet& packet, std::uint64_t now_ms,
                          LostFrames& lost);

  /// Notes what was decided about a first fragment.
  ///
  /// Gives     the fragments that waited for it, to be treated by the same verdict in this order
  /// Cost      a hash; O(1) whatever waited
  HeldFrames decided(const FragmentKey& key, const FragmentVerdict& verdict, std::uint64_t now_ms,
                     LostFrames& lost);

  /// Removes what is due at `now_ms`, at most `budget` datagrams.
  ///
  /// Gives     how many
  std::uint32_t sweep(std::uint64_t now_ms, std::uint32_t budget, LostFrames& lost);

  /// Removes datagrams whether they are due or not, the oldest first, likewise.
  std::uint32_t give_up(std::uint32_t budget, LostFrames& lost);

  /// Gives memory back when no datagram is left.
  void release_spares();

  /// Gives     when the next one is due, or kNever.
  std::uint64_t next_deadline_ms() const;
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  DatagramStats stats() const;

  /// Datagrams that one fragment pushes out at most to get its bytes; one that needs more is
  /// refused. So a jumbo frame among copies of single bytes cannot make the lock wait.
  static constexpr std::uint32_t kPushedOutMost = 32;

 private:
  FragmentDecision decide(const Fragment& fragment, std::uint64_t charge, LostFrames& lost)
      UCT_REQUIRES(lock_);
  FragmentDecision decide_first(const Fragment& fragment, Datagram* datagram, Fit fit,
                                LostFrames& lost) UCT_REQUIRES(lock_);
  FragmentDecision follow(const Fragment& fragment, Datagram& datagram, Fit fit)
      UCT_REQUIRES(lock_);
  FragmentDecision hold(const Fragment& fragment, HeldFramePtr& frame, LostFrames& lost)
      UCT_REQUIRES(lock_);
  FragmentDecision refuse(FragmentRefusal cause) UCT_REQUIRES(lock_);

  std::uint32_t remove_oldest(std::uint64_t due_ms, std::uint32_t budget, LostFrames& lost)
      UCT_REQUIRES(lock_);
  Datagram* find_live(const FragmentKey& key, LostFrames& lost) UCT_REQUIRES(lock_);
  Datagram* begin(const FragmentKey& key, LostFrames& lost) UCT_REQUIRES(lock_);
  void condemn(Datagram& datagram, FragmentRefusal cause, LostFrames& lost) UCT_REQUIRES(lock_);
  FragmentRefusal make_room(const FragmentKey& key, const Datagram* own, std::uint64_t charge,
                            LostFrames& lost) UCT_REQUIRES(lock_);
  void push_out(Datagram& datagram, LostFrames& lost) UCT_REQUIRES(lock_);
  void expire(Datagram& datagram, LostFrames& lost) UCT_REQUIRES(lock_);
  void note_time(std::uint64_t now_ms) UCT_REQUIRES(lock_);
  void settle(Datagram& datagram) UCT_REQUIRES(lock_);

  const DatagramLimits limits_;
  mutable Spinlock lock_;
  DatagramTable table_ UCT_GUARDED_BY(lock_);
  DatagramStats stats_ UCT_GUARDED_BY(lock_);  ///< the gauges among them are made by stats()
  std::uint64_t now_ms_ UCT_GUARDED_BY(lock_) = 0;
};

}  // namespace uct::core
