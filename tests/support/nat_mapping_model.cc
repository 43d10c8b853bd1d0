#include "tests/support/nat_mapping_model.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <utility>

#include <uct/tracker.h>

#include "tests/support/nat_operations.h"
#include "tests/support/shrink.h"
#include "tests/support/udp_frames.h"

namespace uct::model {

namespace {

using test::address_of;
using test::End;
using test::number_of;
using test::UdpFrame;

constexpr std::uint32_t kInside = 0x0a000000;    // 10.0.0.0
constexpr std::uint32_t kRemote = 0xc6336400;    // 198.51.100.0
constexpr std::uint32_t kExternal = 0xcb007108;  // 203.0.113.8
constexpr std::uint32_t kHosts = 6;
constexpr std::uint32_t kShrinkAttempts = 2000;

bool is_inside(const End& end) { return end.address >> 24 == kInside >> 24; }

std::string text(const End& end) {
  return to_string(address_of(end.address)) + ':' + std::to_string(end.port);
}

/// A packet's ends.
struct Flow {
  End from;
  End to;

  auto operator<=>(const Flow&) const = default;
};

std::string text(const Flow& flow) { return text(flow.from) + " > " + text(flow.to); }

Flow flow_of(const Tuple& tuple) {
  return {{number_of(tuple.source), tuple.source_port},
          {number_of(tuple.destination), tuple.destination_port}};
}

Flow back(const Flow& flow) { return {flow.to, flow.from}; }

/// Gives     one of a map's keys.
template <typename Map>
auto pick(const Map& map, NatDetail& detail) {
  return std::next(map.begin(), detail.below(static_cast<std::uint32_t>(map.size())))->first;
}

/// What lives at one moment.
struct Living {
  std::map<Flow, Flow> becomes;                      ///< of connections, by what either end sends
  std::map<End, End> external;                       ///< of mappings, by internal end
  std::map<End, End> internal;                       ///< and the other way round
  std::set<std::pair<End, std::uint32_t>> contacts;  ///< internal ends and addresses they sent to
};

/// What should become of a packet.
struct Outcome {
  std::optional<Flow> becomes;  ///< nothing: the source is left to chance
  std::set<Reason> reasons;     ///< that it may be refused for
  bool is_refused = false;      ///< and is, whatever chance gives
};

class Player {
 public:
  Player(const MappingSequence& sequence, MappingReach& reach)
      : spec_(sequence.spec), mapping_(*spec_.mapping), reach_(reach) {
    Config config;
    config.shards = sequence.shards;
    config.exclusive = sequence.exclusive;
    tracker_ = std::move(Tracker::create(config).value());
    id_ = tracker_->add_nat(spec_).value();
  }

  /// Gives     what is wrong, or nothing.
  std::string play(const MappingOperation& operation) {
    NatDetail detail(operation.detail);
    act(operation.verb, detail);
    if (wrong_.empty()) look();
    return wrong_;
  }

 private:
  // ---- operations -----------------------------------------------------------------------------

  void act(MappingVerb verb, NatDetail& detail) {
    switch (verb) {
      case MappingVerb::send:
        return send({inside_end(detail), remote_end(detail)});
      case MappingVerb::come_in:
        return send({remote_end(detail), external_end(detail)});
      case MappingVerb::hairpin:
        return send({inside_end(detail), external_end(detail)});
      case MappingVerb::answer:
        return answer(detail);
      case MappingVerb::request:
        return request(inside_end(detail), detail);
      case MappingVerb::release:
        return release(inside_end(detail));
      case MappingVerb::flush:
        return flush(detail);
      case MappingVerb::advance:
        now_ += std::chrono::milliseconds(detail.below(20'000));
    }
  }

  static End inside_end(NatDetail& detail) {
    return {kInside + 1 + detail.below(kHosts),
            static_cast<std::uint16_t>(1000 + detail.below(24))};
  }
  static End remote_end(NatDetail& detail) {
    return {kRemote + 1 + detail.below(4), static_cast<std::uint16_t>(53 + detail.below(3))};
  }
  End external_end(NatDetail& detail) const {
    if (!living_.internal.empty() && !detail.one_in(4)) return pick(living_.internal, detail);
    const NatRange& range = *spec_.source;
    const std::uint32_t ports = std::uint32_t{range.port_last} - range.port_first + 1;
    return {kExternal + detail.below(addresses()),
            static_cast<std::uint16_t>(range.port_first + detail.below(ports))};
  }
  void answer(NatDetail& detail) {
    if (living_.becomes.empty()) return;
    ++reach_.answers;
    send(pick(living_.becomes, detail));
  }

  void send(const Flow& flow) {
    // Who sends to itself would answer itself: no tuple is left for that.
    const auto own = living_.internal.find(flow.to);
    if (own != living_.internal.end() && own->second == flow.from) return;
    const Outcome wanted = expect(flow);
    UdpFrame frame(flow.from, flow.to);
    Request request;
    request.commit = true;
    request.nat = id_;
    const Verdict verdict = test::process_one(*tracker_, frame, request, now_);
    const Flow became{frame.source(), frame.destination()};
    const std::string what =
        text(flow) + " became " + text(became) + ", " + std::string(name(verdict.reason)) + ": ";
    if (verdict.reason != Reason::none) {
      if (!wanted.reasons.contains(verdict.reason)) {
        wrong_ = what + "nothing stood in its way";
      } else if (became != flow) {
        wrong_ = what + "and changed";
      }
      const bool kept_out =
          verdict.reason == Reason::nat_filtered || verdict.reason == Reason::nat_unmapped;
      ++(kept_out ? reach_.filtered : reach_.refused);
      return;
    }
    if (wanted.is_refused) wrong_ = what + "it should not pass";
    if (wanted.becomes && became != *wanted.becomes) wrong_ = what + "not " + text(*wanted.becomes);
    if (!wanted.becomes && !may_be_chosen(flow.from, became.from)) wrong_ = what + why_;
    if (!wanted.becomes && became.to != inner_of(flow.to)) wrong_ = what + "another destination";
    if (became.to != flow.to && !lets_in(became.to, became.from, flow)) {
      wrong_ = what + "the filter does not let it in";
    }
    ++reach_.opened;
    if (wanted.becomes) ++reach_.kept;
    if (is_inside(flow.from) && is_inside(became.to)) ++reach_.hairpins;
  }

  void request(const End& internal, NatDetail& detail) {
    NatRequestedMapping wanted{0, Protocol::udp, address_of(internal.address), internal.port, 0};
    if (detail.one_in(2)) wanted.wish = external_end(detail).port;
    const auto given = tracker_->add_mapping(id_, wanted, now_);
    const std::string what = "mapping asked for " + text(internal) + ": ";
    const auto known = living_.external.find(internal);
    if (!given.ok()) {
      const bool may_fail = known == living_.external.end() && may_be_full(internal).size() > 0;
      if (!may_fail) wrong_ = what + std::string(describe(given.error()));
      ++reach_.refused;
      return;
    }
    const End external{number_of(given.value().address), given.value().port};
    if (known != living_.external.end() && known->second != external) wrong_ = what + "another one";
    if (known == living_.external.end() && !may_be_chosen(internal, external)) wrong_ = what + why_;
    requested_[internal] = external;
    ++reach_.requested;
  }

  void release(const End& internal) {
    const NatRequestedMapping wanted{0, Protocol::udp, address_of(internal.address), internal.port,
                                     0};
    const bool was_there = requested_.erase(internal) != 0;
    if (tracker_->remove_mapping(id_, wanted, now_) != was_there) {
      wrong_ = "mapping given back of " + text(internal) + ": it was " + (was_there ? "" : "not ") +
               "asked for";
    }
  }

  void flush(NatDetail& detail) {
    Filter filter;
    filter.original.source = address_of(inside_end(detail).address);
    tracker_->flush(now_, filter);
  }

  // ---- what should be ---------------------------------------------------------------------------

  Outcome expect(const Flow& flow) const {
    Outcome outcome;
    const auto known = living_.becomes.find(flow);
    if (known != living_.becomes.end()) {
      outcome.becomes = known->second;
      return outcome;
    }
    Flow becomes = flow;
    const auto source = living_.external.find(flow.from);
    const bool is_chosen = is_inside(flow.from) && source == living_.external.end();
    if (is_chosen) outcome.reasons = may_be_full(flow.from);
    if (source != living_.external.end()) becomes.from = source->second;
    if (is_external(flow.to)) {
      const auto target = living_.internal.find(flow.to);
      if (target == living_.internal.end()) {
        outcome.is_refused = true;
        outcome.reasons.insert(Reason::nat_unmapped);
        // A new mapping may have that very port, and then it is itself that it would come in to.
        if (is_chosen) outcome.reasons.insert({Reason::nat_exhausted, Reason::nat_filtered});
        return outcome;
      }
      becomes.to = target->second;
      if (is_chosen) {
        outcome.reasons.insert(Reason::nat_filtered);  // judged by the address that it gets
      } else if (!lets_in(becomes.to, becomes.from, flow)) {
        outcome.is_refused = true;
        outcome.reasons.insert(Reason::nat_filtered);
      }
    }
    if (!is_chosen) outcome.becomes = becomes;
    return outcome;
  }

  /// Gives     whether a packet whose source was translated may come in to an internal end.
  bool lets_in(const End& internal, const End& from, const Flow& flow) const {
    if (living_.becomes.contains(flow) || requested_.contains(internal)) return true;
    switch (mapping_.filtering) {
      case NatFiltering::endpoint_independent:
        return true;
      case NatFiltering::address_dependent:
        return living_.contacts.contains({internal, from.address});
      default:
        return false;
    }
  }

  End inner_of(const End& to) const {
    const auto found = living_.internal.find(to);
    return found == living_.internal.end() ? to : found->second;
  }

  /// Gives     why a new mapping of an internal end may be refused; nothing when it may not.
  std::set<Reason> may_be_full(const End& internal) const {
    std::set<Reason> reasons;
    const std::uint32_t used = used_of(internal.address);
    if (mapping_.blocks) {
      if (used >= mapping_.blocks->ports_max) reasons.insert(Reason::nat_quota);
      const NatStats stats = tracker_->nat_stats(id_).value();
      // What rests in a block cannot be had, and may fill it.
      const std::uint32_t had = std::uint32_t{mapping_.blocks->blocks_max} * mapping_.blocks->ports;
      if (used + stats.held >= had) reasons.insert(Reason::nat_quota);
      if (stats.blocks_assigned == stats.blocks) reasons.insert(Reason::nat_exhausted);
      return reasons;
    }
    const NatRange& range = *spec_.source;
    const std::uint32_t ports = std::uint32_t{range.port_last} - range.port_first + 1;
    std::uint32_t full = 0;
    for (std::uint32_t i = 0; i < addresses(); ++i) full += taken_at(kExternal + i) == ports;
    const bool is_full = mapping_.overflow ? full == addresses() : full > 0;
    if (is_full) reasons.insert(Reason::nat_exhausted);
    return reasons;
  }

  /// Gives     whether a mapping that was not there before may have this external end.
  bool may_be_chosen(const End& internal, const End& external) {
    const NatRange& range = *spec_.source;
    why_.clear();
    if (!is_inside(internal)) {
      if (internal != external) why_ = "a remote host's address was changed";
    } else if (!is_external(external) || external.port < range.port_first ||
               external.port > range.port_last) {
      why_ = "not in the range";
    } else if (living_.internal.contains(external)) {
      why_ = "another host has that port";
    } else if (resting_.contains(external)) {
      why_ = "that port rests";
    } else if (!mapping_.overflow && !mapping_.blocks) {
      for (const auto& [other, end] : living_.external) {
        if (other.address == internal.address && end.address != external.address) {
          why_ = "the host has another external address";
        }
      }
    }
    return why_.empty();
  }

  bool is_external(const End& end) const {
    return end.address >= kExternal && end.address < kExternal + addresses();
  }
  std::uint32_t addresses() const {
    return number_of(spec_.source->last) - number_of(spec_.source->first) + 1;
  }
  std::uint32_t used_of(std::uint32_t host) const {
    return static_cast<std::uint32_t>(
        std::count_if(living_.external.begin(), living_.external.end(),
                      [&](const auto& mapping) { return mapping.first.address == host; }));
  }
  std::uint32_t taken_at(std::uint32_t address) const {
    std::uint32_t count = 0;
    for (const auto& [end, internal] : living_.internal) count += end.address == address;
    for (const auto& [end, until] : resting_) count += end.address == address;
    return count;
  }

  // ---- what is ----------------------------------------------------------------------------------

  /// Reads what lives now, and judges it.
  void look() {
    tracker_->sweep(now_, {});
    const Living before = std::exchange(living_, Living{});
    std::vector<ConnectionInfo> all(tracker_->connection_count());
    DumpCursor cursor;
    all.resize(tracker_->dump(cursor, all, now_));
    for (const ConnectionInfo& info : all) note(flow_of(info.original), flow_of(info.reply));
    for (const auto& [internal, external] : requested_) note_mapping(internal, external);
    for (auto it = resting_.begin(); it != resting_.end();) {
      it = it->second <= now_ ? resting_.erase(it) : std::next(it);
    }
    for (const auto& [external, internal] : before.internal) {
      const bool is_gone = !living_.internal.contains(external);
      if (is_gone && mapping_.hold_down.count() > 0) {
        resting_[external] = now_ + mapping_.hold_down;
      }
    }
    judge(tracker_->nat_stats(id_).value());
  }

  void note(const Flow& original, const Flow& reply) {
    living_.becomes[original] = back(reply);
    living_.becomes[reply] = back(original);
    if (is_inside(original.from)) {
      note_mapping(original.from, reply.to);
      living_.contacts.insert({original.from, original.to.address});
    }
    if (is_external(original.to)) note_mapping(reply.from, original.to);
  }

  void note_mapping(const End& internal, const End& external) {
    const auto there = living_.external.try_emplace(internal, external).first;
    if (there->second != external) {
      wrong_ = text(internal) + " has " + text(external) + " and " + text(there->second);
    }
    const auto back_again = living_.internal.try_emplace(external, internal).first;
    if (back_again->second != internal) {
      wrong_ = text(external) + " is of " + text(internal) + " and " + text(back_again->second);
    }
  }

  void judge(const NatStats& stats) {
    const auto is = [&](const char* what, std::uint64_t has, std::uint64_t should) {
      if (has != should) {
        wrong_ = std::string(what) + ": " + std::to_string(has) + ", not " + std::to_string(should);
      }
    };
    is("mappings", stats.mappings, living_.external.size());
    is("ports in use", stats.used, living_.external.size());
    is("used + held + free", stats.used + stats.held + stats.free, stats.ports);
    // That a rest is over, the tracker notes when it looks for a port.
    if (stats.held < resting_.size()) is("ports that rest", stats.held, resting_.size());
    if (!mapping_.blocks) return;
    for (std::uint32_t host = kInside; host < kInside + 1 + kHosts; ++host) {
      if (used_of(host) > mapping_.blocks->ports_max) wrong_ = "a host has more than its quota";
    }
  }

  const NatSpec spec_;
  const NatMapping& mapping_;
  MappingReach& reach_;
  std::unique_ptr<Tracker> tracker_;
  NatId id_ = NatId::none;
  Timestamp now_{std::chrono::seconds(1000)};
  Living living_;
  std::map<End, End> requested_;      ///< by internal end
  std::map<End, Timestamp> resting_;  ///< until when
  std::string wrong_;
  std::string why_;
};

NatSpec random_spec(NatDetail& detail) {
  NatSpec spec;
  NatMapping& mapping = spec.mapping.emplace();
  const bool with_blocks = detail.one_in(3);
  const std::uint32_t addresses = with_blocks ? 1 : 1 + detail.below(2);
  const std::uint32_t ports = with_blocks ? 64 * (3 + detail.below(6)) : 10 + detail.below(40);
  spec.source = NatRange{address_of(kExternal), address_of(kExternal + addresses - 1), 1024,
                         static_cast<std::uint16_t>(1024 + ports - 1)};
  mapping.inside = {{address_of(kInside), address_of(kInside + 0xffffff)}};
  mapping.filtering = static_cast<NatFiltering>(detail.below(3));
  mapping.hold_down = std::chrono::seconds(detail.one_in(2) ? 0 : 5 + detail.below(120));
  mapping.overflow = detail.one_in(3);
  mapping.keep_port = detail.one_in(2);
  mapping.keep_class = detail.one_in(2);
  mapping.keep_parity = detail.one_in(2);
  if (with_blocks) {
    const auto blocks_max = static_cast<std::uint16_t>(1 + detail.below(2));
    mapping.blocks = NatBlocks{64, blocks_max, 8 + detail.below(20), false};
  }
  return spec;
}

}  // namespace

MappingSequence random_mapping_sequence(std::uint64_t seed, std::size_t length) {
  constexpr MappingVerb kVerbs[] = {
      MappingVerb::send,    MappingVerb::send,    MappingVerb::send,    MappingVerb::send,
      MappingVerb::send,    MappingVerb::send,    MappingVerb::come_in, MappingVerb::come_in,
      MappingVerb::come_in, MappingVerb::hairpin, MappingVerb::hairpin, MappingVerb::answer,
      MappingVerb::answer,  MappingVerb::answer,  MappingVerb::request, MappingVerb::release,
      MappingVerb::flush,   MappingVerb::advance, MappingVerb::advance};
  NatDetail detail(seed);
  MappingSequence sequence;
  sequence.seed = seed;
  sequence.exclusive = detail.one_in(2);
  sequence.shards = sequence.exclusive ? 1 : 4;
  sequence.spec = random_spec(detail);
  for (std::size_t i = 0; i < length; ++i) {
    const MappingVerb verb = detail.pick(kVerbs);
    sequence.operations.push_back({verb, detail.below(0xffffffff)});
  }
  return sequence;
}

std::optional<MappingDifference> play(const MappingSequence& sequence, MappingReach& reach) {
  Player player(sequence, reach);
  for (std::size_t i = 0; i < sequence.operations.size(); ++i) {
    std::string wrong = player.play(sequence.operations[i]);
    if (!wrong.empty()) return MappingDifference{i, std::move(wrong)};
  }
  return std::nullopt;
}

std::string shrunk_failure(const MappingSequence& sequence, const MappingDifference& difference) {
  MappingReach reach;
  const auto fails = [&](const MappingSequence& some) { return play(some, reach).has_value(); };
  const MappingSequence shorter =
      test::shrink_operations(sequence, difference.operation, fails, kShrinkAttempts);
  constexpr const char* kNames[] = {"send",    "come in", "hairpin", "answer",
                                    "request", "release", "flush",   "advance"};
  std::ostringstream out;
  out << "repeat with UCT_SEED=" << sequence.seed << ", " << sequence.shards << " shards\n  spec "
      << to_text(sequence.spec) << '\n';
  for (const MappingOperation& operation : shorter.operations) {
    out << "  " << kNames[static_cast<std::size_t>(operation.verb)] << ' ' << operation.detail
        << '\n';
  }
  if (const auto last = play(shorter, reach)) {
    out << "at " << last->operation << ": " << last->text << '\n';
  }
  return out.str();
}

}  // namespace uct::model
