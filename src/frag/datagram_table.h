/// The datagrams that frag/datagrams.h follows: found by their key, ordered by age, by what they
/// wait for, and by who sent them.
///
/// A source is an IPv4 address, or the upper half of an IPv6 address, because a host owns all
/// addresses of its /64 and would otherwise be as many sources as it likes; in its zone.
///
///     all, by age            d1 - d2 - d3 - d4 - d5      the first is the next to expire
///     all, by stage          complete: d2   holding: d3 - d5   settled: d1 - d4
///     of a source, by stage  complete: d2   holding: d5        settled:            (say)
///
/// A record takes some 750 bytes. One is allocated when more datagrams are followed than ever since
/// the table was idle, and all are freed when it is idle again: steady traffic allocates nothing
/// here, and an idle table has none.
///
/// Relies on base and its room; used by frag/datagrams.h.
/// Threads   none of its own: the caller locks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/siphash.h"
#include "frag/extent.h"
#include "frag/fragment.h"
#include "frag/held.h"
#include "frag/linked.h"

namespace uct::core {

/// What a datagram waits for, in the order in which datagrams make room for others.
enum class Stage : std::uint8_t {
  complete,  ///< nothing: every byte came; kept so that late duplicates find their verdict
  holding,   ///< its first fragment's verdict; others are held
  settled,   ///< more fragments, which get its verdict or its refusal; or its verdict, none held
};
inline constexpr std::size_t kStages = 3;

struct FragmentSource;

struct Datagram {
  FragmentKey key{};
  std::uint64_t expires_ms = 0;
  FragmentVerdict verdict;
  bool has_verdict = false;
  Stage stage = Stage::settled;
  FragmentRefusal condemned = FragmentRefusal::none;  ///< why every fragment is refused
  ExtentSet extents;                                  ///< fragments let through, or held
  HeldFrames held;                                    ///< none unless `holding`

  FragmentSource* source = nullptr;
  Datagram* next = nullptr;  ///< in its chain, or among the spare ones
  Links<Datagram> by_age;
  Links<Datagram> by_stage;
  Links<Datagram> by_source;
};

/// One list a stage, each in the order in which the datagrams came to the stage.
template <Links<Datagram> Datagram::*kLinks>
using StageLists = std::array<LinkedList<Datagram, kLinks>, kStages>;

struct FragmentSource {
  std::array<std::uint64_t, 2> key{};
  std::uint32_t datagrams = 0;
  std::uint64_t held_charge = 0;  ///< bytes
  StageLists<&Datagram::by_source> stages;
  FragmentSource* next = nullptr;  ///< in its chain, or among the spare ones
};

class DatagramTable {
 public:
  /// Records that are no longer needed; freed where it goes out of scope, which is outside of the
  /// lock.
  struct Garbage {
    Spares<Datagram> datagrams;
    Spares<FragmentSource> sources;
  };

  /// For about `datagrams_max`, which who calls sees to.
  DatagramTable(std::uint32_t datagrams_max, const HashKey& hash_key)
      : datagrams_(datagrams_max, hash_key), sources_(datagrams_max, hash_key) {}
  ~DatagramTable();
  DatagramTable(const DatagramTable&) = delete;
  DatagramTable& operator=(const DatagramTable&) = delete;

  Datagram* find(const FragmentKey& key) const { return datagrams_.find(key); }

  /// Gives     who sent the datagram, or null when no datagram of his is there.
  FragmentSource* find_source(const FragmentKey& key) const;

  /// Enters a datagram, `settled`.
  ///
  /// Requires  it is not there; `expires_ms` not before that of any other
  /// Gives     null when there is no memory
  Datagram* add(const FragmentKey& key, std::uint64_t expires_ms);

  /// Its frames go behind those of `frames`.
  void remove(Datagram& datagram, HeldFrames& frames);

  /// Puts the spare records into `garbage` when there is no datagram.
  void release_spares(Garbage& garbage);

  void move_to(Stage stage, Datagram& datagram);

  /// Puts a copy behind those of the datagram, which is `holding` from now on.
  void hold(Datagram& datagram, HeldFramePtr frame);

  /// Takes the held frames of a datagram, which is `settled` from now on.
  HeldFrames take_held(Datagram& datagram);

  /// Gives     the datagram that expires next, or null.
  Datagram* oldest() const { return by_age_.first(); }
  const StageLists<&Datagram::by_stage>& stages() const { return stages_; }

  std::uint32_t size() const { return size_; }
  std::uint32_t held_frames() const { return held_frames_; }
  std::uint64_t held_charge() const { return held_charge_; }  ///< bytes

 private:
  FragmentSource* enter_source(const FragmentKey& key);
  void leave_source(FragmentSource& source);

  KeyedChains<Datagram> datagrams_;
  KeyedChains<FragmentSource> sources_;
  LinkedList<Datagram, &Datagram::by_age> by_age_;
  StageLists<&Datagram::by_stage> stages_;
  Spares<Datagram> spare_datagrams_;
  Spares<FragmentSource> spare_sources_;
  std::uint32_t size_ = 0;
  std::uint32_t held_frames_ = 0;
  std::uint64_t held_charge_ = 0;
};

}  // namespace uct::core
