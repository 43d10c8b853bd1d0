/// The way of a burst through the tracker.
///
///   express lane: plain TCP, read and keyed at once ---+
///         |no                                          v
///         +--> parse ---------> key -----------------> hash -> prefetch bucket -> guess number,
///                |invalid                                               prefetch its record
///                v                                                            |
///         verdict{inv, reason}                                 (shard locked) v
///                                  verdict <-- update <--yes-- lane, and plainly established?
///                                     ^                                       |no
///                                     +-- commit <-- may it open? <--miss-- find
///                                     +-- mark, deadline <-- protocol update <--hit--+
///
/// Packets go in blocks of 32, and each stage takes the whole block, so that memory answers many
/// requests at once. While the records of a block are on their way, the next block is prepared.
/// Behind the locks packets are taken shard by shard, those of one shard in the order of arrival;
/// packets of one connection share a shard, so that they see each other's effects in order.
///
/// Relies on every room of a lower rank; called by tracker.cc. The stages without locks are in
/// pipeline.cc, what is decided under a shard's lock in decide.cc. A fragment is a block of its
/// own, see fragments.cc.
/// Threads   one Pipeline a call; shards are locked one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include <uct/tracker.h>

#include "frag/datagrams.h"
#include "nat/rewrite.h"
#include "packet/parsed_packet.h"
#include "proto/protocol.h"
#include "tracker/express.h"
#include "tracker/few_hashes.h"
#include "tracker/same_byte.h"
#include "tracker/tracker_core.h"

namespace uct::core {

struct NatDraw;

class Pipeline {
 public:
  Pipeline(TrackerCore& tracker, const Request& request, Timestamp now, std::span<Packet> burst,
           std::span<Verdict> verdicts, std::span<Explanation> explanations);

  void run();

 private:
  static constexpr std::size_t kBlock = 32;
  static constexpr std::size_t kGroup = kHashLanes;
  static constexpr std::size_t kGroups = kBlock / kGroup;

  /// One packet on the long way, between its stages.
  struct Item {
    ParsedPacket parsed;
    std::uint64_t hash;
    std::uint32_t guess;  ///< as in Block
    union {
      KeyV4 v4;
      KeyV6 v6;
    };
    std::uint8_t from;  ///< the end that sent it
    bool by_reply;      ///< found by the reply tuple of a translated connection, whose key it has

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
  struct alignas(64) Block {
    HashKeys<KeyV4::kWords> keys_v4[kGroups];
    HashKeys<KeyV6::kWords> keys_v6[kGroups];
    std::uint64_t hash[kBlock];
    const Bucket* bucket[kBlock];  ///< home of the hash when it was sent for
    std::uint32_t guess[kBlock];   ///< number of its connection, probably; or kNoNumber
    Bytes32 shard;
    std::size_t first;  ///< place of its first packet in the burst
    std::size_t count;
    std::uint64_t bytes;     ///< of the packets with a key, not yet counted in a shard
    std::uint32_t keyed;     ///< bit i: packet i has a key and a hash
    std::uint32_t v6;        ///< bit i: packet i is of IPv6
    std::uint32_t express;   ///< bit i: packet i is in the express lane, else it has an Item
    std::uint32_t plain;     ///< bit i: it is in the lane, and an ACK or data
    std::uint32_t fragment;  ///< 1: the one packet is a fragment
    /// Bit i: it is at the connection of its reply tuple: shard and guess are the connection's, the
    /// hash too once it has left the lane, the key's words its own.
    std::uint32_t redirected;
    std::uint32_t astray;   ///< bit i: it was, and the connection is an orphan
    std::uint32_t unsure;   ///< bit i: another entry than the one that was guessed may be its own
    std::uint32_t entered;  ///< `aliases_entered_` when it was guessed
    struct Orphaned {
      std::uint32_t alias;
      std::uint8_t generation;
    };
    std::array<Orphaned, kBlock> orphaned;  ///< of those astray: what they followed
    std::array<ExpressItem, kBlock> lane;
    std::array<Item, kBlock> items;

    /// The words of packet i's key.
    template <typename Key>
    std::uint64_t (&words(std::size_t i))[Key::kWords] {
      if constexpr (Key::kFamily == Family::ipv4) {
        return keys_v4[i / kGroup][i % kGroup];
      } else {
        return keys_v6[i / kGroup][i % kGroup];
      }
    }
    template <typename Key>
    HashKeys<Key::kWords>& keys(std::size_t group) {
      if constexpr (Key::kFamily == Family::ipv4) {
        return keys_v4[group];
      } else {
        return keys_v6[group];
      }
    }
  };

  /// What became of a packet under its shard's lock.
  enum class Step : std::uint8_t {
    decided,
    sent_on,     ///< to another shard
    translated,  ///< it opens a connection whose tuple is chosen without the lock
  };

  /// A connection that is about to be opened with another tuple; see open_translated.cc.
  template <typename Key>
  struct NatOpening;

  // ---- pipeline.cc ----------------------------------------------------------------------------
  void prepare(Block& block, std::size_t first);
  void take_packets(Block& block, std::size_t end);
  void take_express(Block& block, std::size_t end);
  bool take_long_way(Block& block, std::size_t i);
  void take_parsed(Block& block, std::size_t i);
  void make_key(Block& block, std::size_t i);
  template <typename Key>
  void make_key_of(Block& block, std::size_t i);
  void hash_group(Block& block, std::size_t group);
  template <typename Key>
  void hash_family(Block& block, std::size_t group, std::uint32_t which);
  void send_for_buckets(Block& block);
  void guess_numbers(Block& block);
  template <typename Look>
  std::uint32_t guess_entries(Block& block, Look&& look);
  void guess_among_aliases_body(Block& block);
  void guess_among_aliases(Block& block);
  void guess_among_aliases_avx2_bmi2(Block& block);
  void finish(Block& block);
  void finish_shards(Block& block, std::uint32_t waiting);
  void finish_alone(Block& block);
  void reject_stray(std::size_t place, Reason reason);
  void count_stray(std::size_t place);
  void publish_strays();
  void count_reason(Reason reason);

  // ---- finish.cc: takes the shard's lock -------------------------------------------------------
  template <typename Key>
  struct Lane;
  template <typename Key>
  static bool go_on(const Lane<Key>& lane, std::uint32_t number, Body& body, Direction direction,
                    const ExpressItem& item);
  template <typename Key>
  static bool pass(const Lane<Key>& lane, Block& block, std::size_t i, Verdict& verdict);
  template <typename Key>
  static bool pass_translated(const Lane<Key>& lane, Block& block, std::size_t i, std::byte* frame,
                              Verdict& verdict);
  template <typename Key>
  static std::uint32_t pass_all(const Lane<Key>& lane, Block& block, std::uint32_t which,
                                Verdict* verdicts);
  template <typename Key>
  std::uint32_t pass_all_translated_body(const Lane<Key>& lane, Block& block, std::uint32_t which,
                                         Verdict* verdicts);
  template <typename Key>
  std::uint32_t pass_all_translated(const Lane<Key>& lane, Block& block, std::uint32_t which,
                                    Verdict* verdicts);
  template <typename Key>
  std::uint32_t pass_all_translated_avx2_bmi2(const Lane<Key>& lane, Block& block,
                                              std::uint32_t which, Verdict* verdicts);
  template <typename Key>
  std::uint32_t run_lane(Shard& shard, Block& block, std::uint32_t which, Verdict* verdicts)
      UCT_REQUIRES(shard.lock);
  std::uint32_t finish_shard(Block& block, std::uint32_t shard, std::uint32_t which);
  void visit_shard(Block& block, std::uint32_t number, std::uint32_t which);
  void enter_shard(Shard& shard) UCT_REQUIRES(shard.lock);
  static void take_hash(Shard& shard, Block& block, std::size_t i) UCT_REQUIRES(shard.lock);
  static void count_verdict(Shard& shard, const Verdict& verdict) UCT_REQUIRES(shard.lock);

  // ---- decide.cc: the shard's lock is held -----------------------------------------------------
  Step decide(Shard& shard, Block& block, std::size_t i) UCT_REQUIRES(shard.lock);
  template <typename Key>
  bool leave_lane(Block& block, std::size_t i);
  template <typename Key>
  Step handle(Shard& shard, Block& block, std::size_t i) UCT_REQUIRES(shard.lock);
  template <typename Key>
  Step locate(Shard& shard, Block& block, std::size_t i, std::uint32_t& number)
      UCT_REQUIRES(shard.lock);
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
  Step handle_missing(Shard& shard, Item& item, std::size_t place) UCT_REQUIRES(shard.lock);
  template <typename Key>
  void reserve(Shard& shard, Item& item) UCT_REQUIRES(shard.lock);
  template <typename Key>
  Reason commit(Shard& shard, Item& item, const ProtocolContext& context, std::uint32_t& number)
      UCT_REQUIRES(shard.lock);
  template <typename Key>
  void announce(Shard& shard, const Item& item, std::size_t place, std::uint32_t number)
      UCT_REQUIRES(shard.lock);
  template <typename Key>
  Step handle_found(Shard& shard, Block& block, std::size_t i, std::uint32_t number)
      UCT_REQUIRES(shard.lock);
  template <typename Key>
  Step replace(Shard& shard, Block& block, std::size_t i, std::uint32_t number)
      UCT_REQUIRES(shard.lock);
  template <typename Key>
  void refresh(Shard& shard, std::uint32_t number, TimeoutClass timeout_class)
      UCT_REQUIRES(shard.lock);
  template <typename Key>
  bool set_mark_and_label(Shard& shard, std::uint32_t number) UCT_REQUIRES(shard.lock);
  template <typename Key>
  void describe(Shard& shard, std::uint32_t number, std::uint64_t hash, Verdict& verdict)
      UCT_REQUIRES(shard.lock);
  template <typename Key>
  bool exists(Shard& shard, Item& item) UCT_REQUIRES(shard.lock);
  void reject(std::size_t place, Reason reason);
  ProtocolContext context_for(const Item& item, std::size_t place);
  Explanation* explanation(std::size_t place) {
    return explanations_.empty() ? nullptr : &explanations_[place];
  }

  // ---- fragments.cc: no lock is held ------------------------------------------------------------
  void finish_fragment(Block& block);
  FragmentVerdict decide_first(Block& block);
  void follow(Block& block, const FragmentVerdict& first);
  void release(HeldFrames frames, const FragmentVerdict& first, const Packet& behind);
  void follow_alone(const FragmentVerdict& first);

  // ---- translate.cc: no lock is held where none is asked for ------------------------------------
  void resolve(Block& block);
  template <typename Key>
  void follow(Block& block, std::size_t i, std::uint32_t alias) const;
  template <typename Key>
  bool go_as_guessed(Block& block, std::size_t i) const;
  void look_up(Block& block, std::uint32_t which);
  template <typename Key>
  void look_up_family(Shard& shard, Block& block, std::uint32_t which) UCT_REQUIRES(shard.lock);
  template <typename Key>
  void turn_back(Block& block, std::size_t i);
  template <typename Key>
  bool may_refresh(Shard& shard, Kind kind, std::uint32_t number, Direction direction)
      UCT_REQUIRES(shard.lock);
  static StateFlags translated_state(const Sides& sides) {
    static_assert(static_cast<unsigned>(StateFlags::snat) == Sides::kSource);
    static_assert(static_cast<unsigned>(StateFlags::dnat) == Sides::kDestination);
    return static_cast<StateFlags>(sides.changed());
  }
  template <typename Key>
  static Direction direction_in(Shard& shard, const Item& item, std::uint32_t number)
      UCT_REQUIRES(shard.lock);
  template <typename Key>
  void translate(Shard& shard, const Item& item, std::size_t place, std::uint32_t number,
                 Direction direction) UCT_REQUIRES(shard.lock);
  template <typename Key>
  void translate_error(Shard& shard, const Item& item, std::size_t place, std::uint32_t number,
                       Direction quoted) UCT_REQUIRES(shard.lock);

  // ---- open_translated.cc: likewise -----------------------------------------------------------
  bool is_to_be_translated(const ParsedPacket& packet) const;
  std::uint32_t open_translated(Block& block);
  template <typename Key>
  std::uint32_t open_family(Block& block, std::uint32_t which);
  template <typename Key>
  void begin(Block& block, NatOpening<Key>* openings, std::uint32_t which);
  template <typename Key>
  void take_number(Block& block, std::size_t i, NatOpening<Key>& opening);
  template <typename Key>
  void hash_replies(NatOpening<Key>* openings, std::uint32_t which);
  template <typename Key>
  void choose_first(Block& block, NatOpening<Key>* openings, std::uint32_t which,
                    std::uint64_t nonce);
  template <typename Key>
  void make_choice(const NatDraw& draw, const Item& item, NatOpening<Key>& opening) const;
  template <typename Key>
  void choose_next(const Item& item, NatOpening<Key>& opening) const;
  template <typename Key>
  void begin_again(const Item& item, NatOpening<Key>& opening);
  template <typename Key>
  void next_candidate(const Item& item, NatOpening<Key>& opening);
  template <typename Key>
  std::uint32_t take_tuples(Block& block, NatOpening<Key>* openings, std::uint32_t which);
  template <typename Key>
  void take_tuple(Item& item, std::size_t place, NatOpening<Key>& opening);
  template <typename Key>
  Reason choose(Item& item, NatOpening<Key>& opening);
  template <typename Key>
  Reason choose_mapped(Item& item, NatOpening<Key>& opening);
  template <typename Key>
  void make_reply(const Item& item, NatOpening<Key>& opening) const;
  template <typename Key>
  Reason enter_reply(Item& item, NatOpening<Key>& opening);
  template <typename Key>
  void leave_reply(NatOpening<Key>& opening);
  template <typename Key>
  void enter_connections(Block& block, NatOpening<Key>* openings, std::uint32_t which);
  template <typename Key>
  void enter_connection(Shard& shard, Item& item, std::size_t place, NatOpening<Key>& opening)
      UCT_REQUIRES(shard.lock);
  template <typename Key>
  void open_connection(Shard& shard, Item& item, std::size_t place, NatOpening<Key>& opening)
      UCT_REQUIRES(shard.lock);
  template <typename Key>
  void note_translation(Shard& shard, const Item& item, std::size_t place, NatOpening<Key>& opening)
      UCT_REQUIRES(shard.lock);
  template <typename Key>
  bool finish_opening(const Item& item, std::size_t place, NatOpening<Key>& opening);

  TrackerCore& tracker_;
  const Request& request_;
  const std::uint64_t now_ms_;
  const std::span<Packet> burst_;
  const std::span<Verdict> verdicts_;
  const std::span<Explanation> explanations_;
  ZoneTable::Entry* const zone_;  ///< null when there is no memory for the zone's counters
  const NatEntry* const nat_;     ///< of connections opened here; null leaves them as they are
  const SequenceCheck sequence_check_;
  const bool sets_label_;          ///< the request has a label for who is committed
  const bool express_;             ///< nothing in the request keeps packets out of the express lane
  const bool avx2_bmi2_;           ///< the processor has these
  const std::uint64_t tcp_tail_;   ///< last word of the keys of TCP in this zone
  std::array<Verdict, 2> passed_;  ///< of who comes to the lane's end, by direction

  std::uint32_t sent_on_ = 0;          ///< of the shard that is being finished: bit i, as Step says
  std::uint32_t opening_ = 0;          ///< of the block: bit i, likewise
  std::uint32_t behind_ = 0;           ///< of the block: they have the tuple of one of `opening_`
  FewHashes<kBlock> opening_hashes_;   ///< of `opening_`: the tuples that they carry
  FewHashes<kBlock> taken_hashes_;     ///< of the reply tuples that were taken for them
  FewHashes<kBlock> entering_hashes_;  ///< of who took one and is not entered yet
  std::uint32_t aliases_entered_ = 0;  ///< how many reply tuples this call entered
  bool tries_translated_ = false;      ///< the lane's latest passenger was of that kind
  bool has_orphans_ = false;  ///< translated connections of it were removed, in whichever way
  bool gave_back_ = false;    ///< a tuple of these openings was taken and is free again

  // Packets of this call that came to no shard.
  StrayCounters& strays_;
  std::uint64_t stray_packets_ = 0;
  std::uint64_t stray_bytes_ = 0;
  std::uint64_t stray_untracked_ = 0;
};

/// Tracker::shard_of.
std::uint32_t shard_of(const TrackerCore& tracker, const Packet& packet, Zone zone);

}  // namespace uct::core
