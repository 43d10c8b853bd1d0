/// What frag/datagrams.h promises, done the slow and obvious way: lists that are walked from end to
/// end, fragments compared one by one.
///
/// Included by datagrams_model_test.cc and datagrams_fuzz.cc only.
/// Threads   one owner.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <list>
#include <utility>
#include <vector>

#include "frag/datagrams.h"

namespace uct::core {

class NaiveDatagrams {
 public:
  struct Copy {
    std::uint64_t user;
    std::uint64_t charge;
  };

  struct Lost {
    std::uint64_t user;
    FragmentRefusal cause;
  };

  explicit NaiveDatagrams(const DatagramLimits& limits) : limits_(limits) {}

  FragmentDecision arrive(const Fragment& fragment, const Copy& copy, std::uint64_t now_ms) {
    now_ms_ = now_ms;
    const Extent& extent = fragment.extent;
    if (!is_wellformed(extent)) return refuse(FragmentRefusal::malformed);
    Place place = find(fragment.key);
    if (place != all_.end() && place->condemned != FragmentRefusal::none) {
      return refuse(place->condemned);
    }
    if (place != all_.end() && place->stage == Stage::complete &&
        (extent.offset == 0 || !place->has(extent))) {
      all_.erase(place);
      place = all_.end();
    }
    const bool duplicate = place != all_.end() && place->has(extent);
    if (place != all_.end() && !duplicate) {
      place->condemned = place->conflict(extent);
      if (place->condemned != FragmentRefusal::none) {
        lose(*place, place->condemned);
        move_to(*place, Stage::settled);
        return refuse(place->condemned);
      }
    }
    if (extent.offset == 0) {
      if (place == all_.end()) place = begin(fragment.key);
      if (!duplicate) place->seen.push_back(extent);
      return {FragmentStep::track, FragmentRefusal::none, {}};
    }
    if (place != all_.end() && place->has_verdict) {
      if (!duplicate) place->seen.push_back(extent);
      settle(*place);
      return {FragmentStep::follow, FragmentRefusal::none, place->verdict};
    }
    if (duplicate) return refuse(FragmentRefusal::held_already);
    return hold(fragment, copy, place);
  }

  std::vector<Copy> decided(const FragmentKey& key, const FragmentVerdict& verdict,
                            std::uint64_t now_ms) {
    now_ms_ = now_ms;
    const Place place = find(key);
    if (place == all_.end() || place->condemned != FragmentRefusal::none) return {};
    place->verdict = verdict;
    place->has_verdict = true;
    std::vector<Copy> frames = std::move(place->held);
    place->held.clear();
    if (place->stage == Stage::holding) move_to(*place, Stage::settled);
    settle(*place);
    return frames;
  }

  std::uint32_t sweep(std::uint64_t now_ms, std::uint32_t budget) {
    now_ms_ = now_ms;
    std::uint32_t count = 0;
    while (count < budget && !all_.empty() && all_.front().expires_ms <= now_ms) {
      erase(all_.begin(), FragmentRefusal::expired);
      ++count;
    }
    return count;
  }

  std::uint32_t give_up(std::uint32_t budget) {
    std::uint32_t count = 0;
    for (; count < budget && !all_.empty(); ++count) {
      erase(all_.begin(), FragmentRefusal::expired);
    }
    return count;
  }

  std::uint64_t next_deadline_ms() const {
    return all_.empty() ? Datagrams::kNever : all_.front().expires_ms;
  }

  std::vector<Lost> take_lost() { return std::exchange(lost_, {}); }

  std::size_t datagrams() const { return all_.size(); }
  std::size_t held_frames() const {
    std::size_t count = 0;
    for (const Datagram& datagram : all_) count += datagram.held.size();
    return count;
  }
  std::uint64_t held_bytes() const {
    return sum([](const Datagram&) { return true; });
  }

 private:
  struct Datagram {
    FragmentKey key{};
    std::uint64_t expires_ms = 0;
    bool has_verdict = false;
    FragmentVerdict verdict;
    FragmentRefusal condemned = FragmentRefusal::none;
    Stage stage = Stage::settled;
    std::uint64_t entered = 0;  ///< when it came to its stage, by count
    std::vector<Extent> seen;
    std::vector<Copy> held;

    bool has(const Extent& extent) const {
      return std::find(seen.begin(), seen.end(), extent) != seen.end();
    }

    /// Gives     what two fragments that are not each other's duplicates cannot both be.
    FragmentRefusal conflict(const Extent& extent) const {
      for (const Extent& other : seen) {
        if (extent.offset < other.end() && other.offset < extent.end()) {
          return FragmentRefusal::overlap;
        }
      }
      for (const Extent& other : seen) {
        if (!other.more && (!extent.more || extent.end() > other.end())) {
          return FragmentRefusal::two_ends;
        }
        if (!extent.more && other.end() > extent.end()) return FragmentRefusal::two_ends;
      }
      return seen.size() == kFragmentsMax ? FragmentRefusal::too_many : FragmentRefusal::none;
    }

    bool is_complete() const {
      std::uint32_t total = 0;
      for (const Extent& extent : seen) total = extent.more ? total : extent.end();
      std::vector<bool> bytes(total);
      for (const Extent& extent : seen) {
        for (std::uint32_t at = extent.offset; at < std::min(extent.end(), total); ++at) {
          bytes[at] = true;
        }
      }
      return total != 0 && std::find(bytes.begin(), bytes.end(), false) == bytes.end();
    }
  };
  using Place = std::list<Datagram>::iterator;

  static bool same_source(const FragmentKey& a, const FragmentKey& b) {
    return a[0] == b[0] && a[4] >> 40 == b[4] >> 40;
  }

  template <typename Chosen>
  std::uint64_t sum(Chosen&& chosen) const {
    std::uint64_t bytes = 0;
    for (const Datagram& datagram : all_) {
      if (!chosen(datagram)) continue;
      for (const Copy& copy : datagram.held) bytes += copy.charge;
    }
    return bytes;
  }

  static FragmentDecision refuse(FragmentRefusal cause) {
    return {FragmentStep::refuse, cause, {}};
  }

  void lose(Datagram& datagram, FragmentRefusal cause) {
    for (const Copy& copy : datagram.held) lost_.push_back({copy.user, cause});
    datagram.held.clear();
  }

  void erase(Place place, FragmentRefusal cause) {
    lose(*place, cause);
    all_.erase(place);
  }

  Place find(const FragmentKey& key) {
    const auto place =
        std::find_if(all_.begin(), all_.end(), [&](const Datagram& d) { return d.key == key; });
    if (place == all_.end() || place->expires_ms > now_ms_) return place;
    erase(place, FragmentRefusal::expired);
    return all_.end();
  }

  void move_to(Datagram& datagram, Stage stage) {
    if (datagram.stage == stage) return;
    datagram.stage = stage;
    datagram.entered = ++count_;
  }

  void settle(Datagram& datagram) {
    if (datagram.is_complete()) move_to(datagram, Stage::complete);
  }

  /// Gives     the first to go among the chosen, by stage and then by time at it.
  template <typename Chosen>
  Place victim(Chosen&& chosen) {
    Place best = all_.end();
    for (Place place = all_.begin(); place != all_.end(); ++place) {
      if (!chosen(*place)) continue;
      if (best == all_.end() ||
          std::pair(place->stage, place->entered) < std::pair(best->stage, best->entered)) {
        best = place;
      }
    }
    return best;
  }

  Place begin(const FragmentKey& key) {
    const auto is_of_source = [&](const Datagram& d) { return same_source(d.key, key); };
    const auto siblings = std::count_if(all_.begin(), all_.end(), is_of_source);
    if (siblings >= std::ptrdiff_t{limits_.datagrams_per_source}) {
      erase(victim(is_of_source), FragmentRefusal::pushed_out);
    } else if (all_.size() >= limits_.datagrams) {
      const bool expired = all_.front().expires_ms <= now_ms_;
      if (expired) {
        erase(all_.begin(), FragmentRefusal::expired);
      } else {
        erase(victim([](const Datagram&) { return true; }), FragmentRefusal::pushed_out);
      }
    }
    Datagram& datagram = all_.emplace_back();
    datagram.key = key;
    datagram.expires_ms = now_ms_ + limits_.timeout_ms;
    datagram.entered = ++count_;
    return std::prev(all_.end());
  }

  FragmentDecision hold(const Fragment& fragment, const Copy& copy, Place own) {
    const std::uint64_t charge = copy.charge;
    if (limits_.held_bytes == 0) return refuse(FragmentRefusal::first_missing);
    if (charge > limits_.held_bytes_per_source) return refuse(FragmentRefusal::source_full);
    const auto is_of_source = [&](const Datagram& d) { return same_source(d.key, fragment.key); };
    const auto can_go = [&](const Datagram& d) {
      return d.stage == Stage::holding && (own == all_.end() || &d != &*own);
    };
    std::uint32_t left = Datagrams::kPushedOutMost;
    while (sum(is_of_source) + charge > limits_.held_bytes_per_source) {
      const Place place = victim([&](const Datagram& d) { return is_of_source(d) && can_go(d); });
      if (place == all_.end() || left-- == 0) return refuse(FragmentRefusal::source_full);
      erase(place, FragmentRefusal::pushed_out);
    }
    while (held_bytes() + charge > limits_.held_bytes) {
      const Place place = victim(can_go);
      if (place == all_.end() || left-- == 0) return refuse(FragmentRefusal::no_room);
      erase(place, FragmentRefusal::pushed_out);
    }
    if (own == all_.end()) own = begin(fragment.key);
    own->seen.push_back(fragment.extent);
    own->held.push_back(copy);
    move_to(*own, Stage::holding);
    return {FragmentStep::hold, FragmentRefusal::none, {}};
  }

  const DatagramLimits limits_;
  std::list<Datagram> all_;  ///< by age
  std::vector<Lost> lost_;   ///< not yet taken
  std::uint64_t now_ms_ = 0;
  std::uint64_t count_ = 0;
};

}  // namespace uct::core
