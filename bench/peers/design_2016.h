/// The rival "2016": the connection tracker that Open vSwitch's user space got in July 2016.
///
/// Written by us from a description of commits a489b1685, e6ef6cc63 and b269a1229 (conntrack: New
/// userspace connection tracker; Periodically delete expired connections; Track ICMP type and
/// code). No code is copied. What is as it was there:
///   - 256 buckets, chosen by the top 8 bits of a hash. Each has one lock, one chained hash map and
///     one expiry list for each timeout class.
///   - one key of 44 bytes for both families. The hash is symmetric, so both directions fall on the
///     same chain; a connection holds the keys of both and is compared with both.
///   - a map is an array of chain heads, a power of two of them. It is doubled, all at once and
///     under the lock, at two connections a chain, which leaves one; the cleaner shrinks it so.
///     With a million connections a chain has 1.9, nearly the most; with 1.1 million, 1.05.
///   - a connection is a piece of memory from malloc. An accepted packet moves it to its list's
///     tail, so that the lists stay sorted.
///   - a burst is taken 32 packets at a time, and packets of one bucket are put together, so that
///     its lock is taken once for them. Nothing is prefetched.
///   - a fragment is invalid, and so is what is no packet to track.
///
/// What differs, always in the rival's favour or so that only the designs differ:
///   - parser and protocol state machines are ours, so that they cost the same. So is the set of
///     timeout classes: 14 lists a bucket instead of 9.
///   - the lock is core::Spinlock. It was an adaptive mutex, which spins before it sleeps; ours
///     does the same and costs a third when it is free (base/spinlock.h).
///   - what a look-up reads first lies first in a connection, and buckets begin at a cache line.
///   - at least one connection may be removed a bucket. There the bound was 0 for a small bucket of
///     a small table, which then was never cleaned (fixed in 2019 by c61a85f6c).
///
/// Relies on packet and proto; used by design_2016_target.cc, which makes it a target of uct bench.
/// Threads   every public function of Design2016 from any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <type_traits>
#include <vector>

#include <uct/timeout_policy.h>
#include <uct/tracker.h>

#include "base/annotations.h"
#include "base/spinlock.h"
#include "conn/record.h"
#include "packet/parsed_packet.h"

namespace uct::peers::design_2016 {

struct Endpoint {
  std::array<std::uint32_t, 4> address;  ///< network order; words 1 to 3 of an IPv4 one are 0
  std::uint16_t port;                    ///< ICMP: the id, at both ends
  std::uint16_t icmp_type;               ///< of the messages that this end sends; 0 otherwise
};

/// What tells connections apart, for packets of one direction.
struct Key {
  Endpoint source;
  Endpoint destination;
  Zone zone;
  std::uint8_t protocol;
  Family family;
};
static_assert(sizeof(Key) == 44 && std::has_unique_object_representations_v<Key>,
              "keys are compared as bytes");

/// Requires  the packet's fate is `track` or `error`.
Key make_key(const core::ParsedPacket& packet, Zone zone);

/// Gives     the key of the packets that go back.
Key reversed(const Key& key);

/// Gives     a hash that is the same for a key and the reversed one.
std::uint32_t symmetric_hash(const Key& key, std::uint32_t basis);

/// A place in a ring whose head is a Link of the bucket.
struct Link {
  Link* previous;
  Link* next;
};

struct Connection : Link {
  Connection* next_in_chain;
  std::uint32_t hash;
  std::uint32_t mark;
  std::int64_t expiration_ms;  ///< from then on it is not found
  Key key;                     ///< of the original direction
  Key reply_key;
  Label label;
  core::Body body;  ///< of which only the protocols' part is used
};
static_assert(sizeof(Connection) == 192);

/// Connections by hash. Does not own them.
class ChainMap {
 public:
  Connection* chain(std::uint32_t hash) const { return chains_[hash & mask()]; }
  std::size_t size() const { return size_; }
  std::size_t chain_count() const { return chains_.size(); }

  /// Cost      now and then, that of moving every connection to another chain.
  void insert(Connection& connection);

  /// Requires  it is in.
  void remove(Connection& connection);

  /// Gives chains back that the connections do not need.
  void shrink();

 private:
  std::size_t mask() const { return chains_.size() - 1; }
  std::size_t wanted_chains() const;
  void resize(std::size_t chain_count);

  std::vector<Connection*> chains_ = {nullptr};
  std::size_t size_ = 0;
};

/// 1/256 of the table.
struct alignas(64) Bucket {
  Bucket();
  ~Bucket();
  Bucket(const Bucket&) = delete;
  Bucket& operator=(const Bucket&) = delete;

  core::Spinlock lock;  ///< taken after `cleanup`
  ChainMap map UCT_GUARDED_BY(lock);
  std::array<Link, kTimeoutClassCount> expiry UCT_GUARDED_BY(lock);  ///< ring heads, soonest first

  std::mutex cleanup;                ///< one cleaner at a time; packets never take it
  std::int64_t next_cleanup_ms = 0;  ///< guarded by `cleanup`, which clang cannot check
};

class Design2016 {
 public:
  static constexpr std::size_t kBuckets = 256;

  /// As Open vSwitch's basis, a secret in real life.
  explicit Design2016(std::uint64_t connections_max, std::uint32_t basis = 0x5bd1e995U)
      : connections_max_(connections_max), basis_(basis) {}

  void process(std::span<const Packet> burst, const Request& request, Timestamp now,
               std::span<Verdict> verdicts);

  /// One round of the cleaner over all buckets.
  ///
  /// Gives     how many connections were removed: no more than clean_limit() of each bucket.
  std::uint64_t sweep(Timestamp now);

  std::uint64_t connection_count() const {
    return connection_count_.load(std::memory_order_relaxed);
  }

  /// Gives     the hash of the packet's connection; 0 for a packet that is not tracked.
  std::uint32_t hash_of(const Packet& packet) const;

  /// Gives     how many connections one round of the cleaner removes from a bucket of `size`.
  std::uint64_t clean_limit(std::size_t size) const;

 private:
  /// Packets that are taken together.
  static constexpr std::size_t kGroupMax = 32;

  struct Item {
    core::ParsedPacket parsed;
    Key key;
    std::uint32_t hash;
  };
  struct Found {
    Connection* connection;
    Direction direction;
  };
  /// What is the same for all packets of a call.
  struct Call {
    const Request& request;
    std::int64_t now_ms;
  };

  void process_group(std::span<const Packet> group, const Call& call, std::span<Verdict> verdicts);
  bool extract(const Packet& packet, const Call& call, Item& item, Verdict& verdict) const;
  void decide(Bucket& bucket, const Packet& packet, const Item& item, const Call& call,
              Verdict& verdict) UCT_REQUIRES(bucket.lock);
  bool update_found(Bucket& bucket, const Packet& packet, const Item& item, const Call& call,
                    const Found& found, Verdict& verdict) UCT_REQUIRES(bucket.lock);
  Connection* open_missing(Bucket& bucket, const Packet& packet, const Item& item, const Call& call,
                           Verdict& verdict) UCT_REQUIRES(bucket.lock);
  static Found find(const Bucket& bucket, const Item& item, std::int64_t now_ms)
      UCT_REQUIRES(bucket.lock);
  void remove(Bucket& bucket, Connection& connection) UCT_REQUIRES(bucket.lock);
  std::uint64_t clean(Bucket& bucket, std::int64_t now_ms);
  std::int64_t clean_lists(Bucket& bucket, std::int64_t now_ms, std::uint64_t& removed)
      UCT_REQUIRES(bucket.lock);

  const std::uint64_t connections_max_;
  const std::uint32_t basis_;
  std::atomic<std::uint64_t> connection_count_{0};  ///< counts only; orders nothing
  std::array<Bucket, kBuckets> buckets_;
};

}  // namespace uct::peers::design_2016
