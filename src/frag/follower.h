/// Lets later fragments follow the first one of their datagram.
///
/// A first fragment carries the ports and is tracked by them; what the tracker decided is
/// remembered here under the datagram's id, so that later fragments get the same verdict. Bounded
/// in number (the oldest datagram makes room) and in time. Fragments that come before their first
/// are not held.
///
/// Relies on base, packet; called by tracker.
/// Threads   guarded by a lock of its own; any number of threads.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include <uct/config.h>
#include <uct/verdict.h>
#include <uct/zone.h>

#include "base/siphash.h"
#include "base/spinlock.h"
#include "packet/parsed_packet.h"

namespace uct::core {

/// What was decided about a datagram by its first fragment.
struct DatagramVerdict {
  StateFlags state = StateFlags::untracked;
  Reason reason = Reason::none;
  Kind kind = Kind::other;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
};

class FragmentFollower {
 public:
  FragmentFollower(std::uint32_t max_datagrams, Duration timeout, const HashKey& hash_key);

  /// Notes a first fragment and its verdict; one seen before under the same id is overwritten.
  void remember(const ParsedPacket& first, Zone zone, std::uint64_t now_ms,
                const DatagramVerdict& verdict);

  /// Gives     what was decided about the datagram of `later`, or nothing.
  std::optional<DatagramVerdict> follow(const ParsedPacket& later, Zone zone, std::uint64_t now_ms);

  /// Gives     datagrams remembered, expired ones included until their place is needed.
  std::uint32_t size() const;

 private:
  /// Source, destination, then id, protocol, zone and family in one word.
  using DatagramKey = std::array<std::uint64_t, 5>;

  struct Entry {
    DatagramKey key;
    DatagramVerdict verdict;
    std::uint64_t expires_ms;
    std::uint32_t next;  ///< in the chain of its hash; kNone ends it
    bool used;
  };
  static constexpr std::uint32_t kNone = 0xffffffff;

  static DatagramKey make_key(const ParsedPacket& packet, Zone zone);
  std::uint32_t chain_of(const DatagramKey& key) const;
  std::uint32_t find(const DatagramKey& key, std::uint32_t chain) const UCT_REQUIRES(lock_);
  void unlink(std::uint32_t place) UCT_REQUIRES(lock_);

  const HashKey hash_key_;
  const std::uint64_t timeout_ms_;
  mutable Spinlock lock_;
  std::vector<Entry> entries_ UCT_GUARDED_BY(lock_);  ///< used in turn: the next one is the oldest
  std::vector<std::uint32_t> chains_ UCT_GUARDED_BY(lock_);  ///< a power of two of them
  std::uint32_t chain_mask_ = 0;
  std::uint32_t next_place_ UCT_GUARDED_BY(lock_) = 0;
  std::uint32_t used_ UCT_GUARDED_BY(lock_) = 0;
};

}  // namespace uct::core
