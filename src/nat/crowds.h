/// Which ports of a crowded external address may still be free for one remote address and port.
///
/// With endpoint-dependent mapping the table says whether a tuple is free, and a port drawn at
/// random is free with the share that is: fine until most are taken, hopeless at the last. A crowd
/// is made when drawing fails; it holds the ports that may be free. What is drawn from it leaves
/// it, whether the table finds it free or taken, and comes back when the entry that has it leaves
/// the table. So every free port is in it, a look-up that was in vain is made once, and a choice
/// costs the same at 99.9 % as at half; when the crowd is empty nothing is free.
///
/// Any entry of the table that leaves is told here, translated or not, while there are crowds.
///
/// Relies on conn/key.h, nat/port_set.h; used by nat/choice.h, and by tracker when entries leave.
/// Threads   any; stripes with a lock of their own, under which no other is taken. A shard's may be
///           held.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <unordered_map>

#include "base/siphash.h"
#include "base/spinlock.h"
#include "conn/key.h"
#include "nat/port_set.h"

namespace uct::core {

/// Names a crowd: an external address, a remote address and port, zone, protocol and family.
struct CrowdKey {
  std::uint64_t words[5] = {};
  std::uint64_t hash = 0;  ///< of the words: made once, used at every look

  bool operator==(const CrowdKey&) const = default;
};

class Crowds {
 public:
  /// Ten kilobytes each. One is worth its room from hundreds of connections on, so that only an
  /// attack makes more; without a crowd every port is tried.
  static constexpr std::uint32_t kCrowdsMax = 1024;

  explicit Crowds(const HashKey& secret);

  /// `remote_port` in host order; 0 of ICMP queries.
  CrowdKey make_key(const std::uint32_t (&external)[4], const std::uint32_t (&remote)[4],
                    std::uint16_t remote_port, Zone zone, Kind kind, Family family) const;

  /// Gives     false when there are too many, or no memory.
  bool make(const CrowdKey& key);

  enum class Take : std::uint8_t {
    no_crowd,
    taken,     ///< out of it now: it may be free
    not_free,  ///< somebody has it
  };
  Take take_exact(const CrowdKey& key, std::uint16_t port);

  /// Takes a port of the range, each that may be free being equally likely; not_free when none is.
  Take take(const CrowdKey& key, PortRange range, std::uint64_t random, std::uint16_t& port);

  /// A port is free again, or was not used.
  void give_back(const CrowdKey& key, std::uint16_t port);

  /// An entry leaves the table. Call it under its shard's lock.
  template <typename Key>
  void leaves(const Key& key) {
    // Crowds made after this was read have not been asked yet: who made one locks the shard next.
    if (count_.load(std::memory_order_relaxed) == 0 || key.kind == Kind::other) [[likely]]
      return;
    give_back_ends(key);
  }

  std::uint32_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kStripes = 16;

  struct Hash {
    std::size_t operator()(const CrowdKey& key) const { return key.hash; }
  };
  using Sets = std::unordered_map<CrowdKey, PortSet, Hash>;
  struct alignas(64) Stripe {
    Spinlock lock;
    std::unique_ptr<Sets> sets UCT_GUARDED_BY(lock);
  };

  Stripe& stripe_of(const CrowdKey& key) { return stripes_[key.hash >> 60]; }
  static PortSet* find(Stripe& stripe, const CrowdKey& key) UCT_REQUIRES(stripe.lock);
  template <typename Key>
  void give_back_ends(const Key& key);

  const HashKey secret_;
  std::array<Stripe, kStripes> stripes_;
  std::atomic<std::uint32_t> count_{0};
};

}  // namespace uct::core
