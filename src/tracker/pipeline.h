/// The way of a burst through the tracker.
///
///   parse -> key -> hash -> prefetch bucket -> hint -> prefetch record -> (shard locked) find
///         |invalid                                                          |miss    |hit
///         v                                                                 v        v
///   verdict{inv, reason}                                    may it open? commit   protocol update
///                                                                     \            /
///                                                       counters, deadline, mark -> verdict
///
/// Packets go in blocks of 32. While the records of one block are on their way from memory, the
/// next block is parsed and hashed. Within a block packets are taken shard by shard, those of one
/// shard in the order of arrival; packets of one connection share a shard, so that they see each
/// other's effects in order.
///
/// Relies on every room of a lower rank; called by tracker.cc. The stages without locks are in
/// pipeline.cc, what is decided under a shard's lock in decide.cc.
/// Threads   one Pipeline a call; shards are locked one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include <uct/tracker.h>

#include "packet/parsed_packet.h"
#include "proto/protocol.h"
#include "tracker/tracker_core.h"

namespace uct::core {

class Pipeline {
 public:
  Pipeline(TrackerCore& tracker, const Request& request, Timestamp now, std::span<Packet> burst,
           std::span<Verdict> verdicts, std::span<Explanation> explanations);

  void run();

 private:
  static constexpr std::size_t kBlock = 32;
  static constexpr unsigned kCountedFlags = 5;  ///< new, est, rel, rpl, inv

  /// One packet between its stages.
  struct Item {
    ParsedPacket parsed;
    std::uint64_t hash;
    union {
      KeyV4 v4;
      KeyV6 v6;
    };
    std::uint8_t from;  ///< the end that sent it

    template <typename Key>
    Key& key() {
      if constexpr (Key::kFamily == Family::ipv4) {
        return v4;
      } else {
        return v6;
      }
    }
  };

  /// Made in raw memory by run(): its type starts to live there without a constructor.
  struct Block {
    std::size_t first;  ///< place of its first packet in the burst
    std::size_t count;
    std::uint32_t keyed;   ///< bit i: packet i has a key and a hash
    std::uint32_t follow;  ///< bit i: packet i is a later fragment
    std::array<std::uint8_t, kBlock> shard;
    std::array<Item, kBlock> items;
  };

  // ---- pipeline.cc ----------------------------------------------------------------------------
  void prepare(Block& block, std::size_t first);
  void make_key(Block& block, std::size_t i);
  void hash(Block& block);
  template <typename Key>
  void hash_family(Block& block, std::uint32_t which);
  void prefetch_records(const Block& block);
  void finish(Block& block);
  void finish_shard(Block& block, std::uint32_t shard, std::uint32_t which);
  void enter_shard(Shard& shard) UCT_REQUIRES(shard.lock);
  void follow_fragments(Block& block);
  void reject(std::size_t place, Reason reason);
  void count(const Block& block);
  void publish_counters();

  // ---- decide.cc: the shard's lock is held -----------------------------------------------------
  void handle_v4(Shard& shard, Item& item, std::size_t place) UCT_REQUIRES(shard.lock);
  void handle_v6(Shard& shard, Item& item, std::size_t place) UCT_REQUIRES(shard.lock);
  template <typename Key>
  void handle(Shard& shard, Item& item, std::size_t place) UCT_REQUIRES(shard.lock);
  template <typename Key>
  std::uint32_t find(Shard& shard, Item& item) UCT_REQUIRES(shard.lock);
  template <typename Key>
  void remove(Shard& shard, std::uint32_t number, std::uint64_t hash, DestroyCause cause)
      UCT_REQUIRES(shard.lock);
  template <typename Key>
  void handle_error(Shard& shard, const Item& item, std::size_t place, std::uint32_t number)
      UCT_REQUIRES(shard.lock);
  template <typename Key>
  void handle_later_fragment(Shard& shard, const Item& item, std::size_t place,
                             std::uint32_t number) UCT_REQUIRES(shard.lock);
  template <typename Key>
  void handle_missing(Shard& shard, Item& item, std::size_t place) UCT_REQUIRES(shard.lock);
  template <typename Key>
  Reason commit(Shard& shard, Item& item, const ProtocolContext& context, std::uint32_t& number)
      UCT_REQUIRES(shard.lock);
  template <typename Key>
  void handle_found(Shard& shard, Item& item, std::size_t place, std::uint32_t number)
      UCT_REQUIRES(shard.lock);
  template <typename Key>
  void refresh(Shard& shard, std::uint32_t number, Kind kind) UCT_REQUIRES(shard.lock);
  template <typename Key>
  bool set_mark_and_label(Shard& shard, std::uint32_t number) UCT_REQUIRES(shard.lock);
  template <typename Key>
  void describe(Shard& shard, std::uint32_t number, std::uint64_t hash, Verdict& verdict)
      UCT_REQUIRES(shard.lock);
  ProtocolContext context_for(const Item& item, std::size_t place);
  Explanation* explanation(std::size_t place) {
    return explanations_.empty() ? nullptr : &explanations_[place];
  }
  void remember_first_fragment(const Item& item, std::size_t place);

  TrackerCore& tracker_;
  const Request& request_;
  const std::uint64_t now_ms_;
  const std::span<Packet> burst_;
  const std::span<Verdict> verdicts_;
  const std::span<Explanation> explanations_;
  ZoneTable::Entry* const zone_;  ///< null when there is no memory for the zone's counters
  const SequenceCheck sequence_check_;

  // What this call saw; added to the tracker's counters once, at its end.
  PacketCounters& counters_;
  std::uint64_t bytes_ = 0;
  std::uint64_t untracked_ = 0;
  std::array<std::uint64_t, kCountedFlags> by_flag_{};
};

}  // namespace uct::core
