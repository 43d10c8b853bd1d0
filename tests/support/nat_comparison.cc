#include "tests/support/nat_comparison.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "tests/support/checked_packet.h"
#include "tests/support/nat_model.h"
#include "tests/support/shrink.h"
#include "tests/support/tuple_packet.h"

namespace uct::model {

namespace {

using scenario::Bytes;
using test::Content;

constexpr std::size_t kWholeTableEvery = 256;
constexpr std::size_t kShrinkAttempts = 2000;
constexpr Zone kNatZones[] = {0, 7};
constexpr StateFlags kTranslated = StateFlags::snat | StateFlags::dnat;

bool same_bytes(const Bytes& a, const Bytes& b) {
  return a.size() == b.size() && std::equal(a.data(), a.data() + a.size(), b.data());
}

std::string hex(const Bytes& bytes) {
  std::ostringstream text;
  text << std::hex;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    text << (bytes.at(i) < 16 ? "0" : "") << unsigned{bytes.at(i)} << (i % 4 == 3 ? " " : "");
  }
  return text.str();
}

StateFlags translation_of(const ConnectionInfo& info) {
  StateFlags flags = StateFlags::untracked;
  if (info.source_translated) flags |= StateFlags::snat;
  if (info.destination_translated) flags |= StateFlags::dnat;
  return flags;
}

constexpr std::uint32_t kOriginatorSeq = 1000, kResponderSeq = 5000;
constexpr std::uint32_t kOriginatorTag = 0xa1, kResponderTag = 0xb2;

/// What the originator says at a stage of the handshake, or the responder; closing: its end.
Content content_of(Direction direction, std::uint8_t stage, bool closing, NatDetail& detail) {
  const bool original = direction == Direction::original;
  Content content;
  content.payload = static_cast<std::uint8_t>(detail.below(24));
  content.without_checksum = detail.one_in(8);
  content.tcp_flags = stage == 0 ? (original ? test::kSyn : test::kSynAck) : test::kAck;
  if (closing) content.tcp_flags = stage == 0 && original ? test::kRst : test::kRst | test::kAck;
  content.seq = (original ? kOriginatorSeq : kResponderSeq) + (stage == 0 && !closing ? 0 : 1);
  content.ack = (original ? kResponderSeq : kOriginatorSeq) + 1;
  if ((content.tcp_flags & test::kAck) == 0) content.ack = 0;
  if (stage == 0) content.payload = 0;
  content.sctp_chunk =
      static_cast<std::uint8_t>(original ? (stage == 0 ? 1 : 10) : (stage == 0 ? 2 : 11));
  if (closing) content.sctp_chunk = 6;  // ABORT
  content.sctp_announced = original ? kOriginatorTag : kResponderTag;
  content.sctp_tag = original ? kResponderTag : kOriginatorTag;
  if (content.sctp_chunk == 1) content.sctp_tag = 0;
  return content;
}

class NatComparison {
 public:
  NatComparison(const NatSequence& sequence, NatReach& reach) : sequence_(sequence), reach_(reach) {
    Config config;
    config.shards = sequence.shards;
    config.exclusive = sequence.exclusive;
    config.hash_key = {sequence.seed, ~sequence.seed};
    config.events = &model_;
    auto made = Tracker::create(config);
    if (!made) throw std::runtime_error(std::string(describe(made.error())));
    tracker_ = std::move(made.value());
    for (const NatSpec& spec : sequence.specs) {
      const auto id = tracker_->add_nat(spec);
      if (!id) throw std::runtime_error(std::string(describe(id.error())));
      ids_.push_back(id.value());
    }
  }

  std::optional<NatDifference> play() {
    for (const NatOperation& operation : sequence_.operations) {
      step(operation);
      if (!model_.wrong().empty()) note(model_.wrong());
      if (operation_ % kWholeTableEvery == 0) whole_table();
      if (difference_) return difference_;
      ++operation_;
    }
    end();
    return difference_;
  }

 private:
  /// A packet on its way: as it was sent, and as it came back.
  struct Sent {
    Bytes before;
    Bytes after;
    Verdict verdict;
    std::vector<ConnectionHandle> opened;
  };

  void note(const std::string& text) {
    if (!difference_) difference_ = NatDifference{operation_, text};
  }
  void expect(bool holds, const std::string& text) {
    if (!holds) note(text);
  }

  void step(const NatOperation& operation) {
    NatDetail detail(operation.detail);
    switch (operation.verb) {
      case NatVerb::open:
        return open(detail);
      case NatVerb::burst:
        return burst(detail);
      case NatVerb::advance:
        now_ += std::chrono::milliseconds(detail.one_in(6) ? detail.below(200'000)
                                                           : detail.below(3000));
        return;
      case NatVerb::sweep: {
        SweepBudget budget;
        if (detail.one_in(2)) budget.timers = 1 + detail.below(20);
        tracker_->sweep(now_, budget);
        return;
      }
      case NatVerb::flush: {
        Filter filter;
        filter.zone = detail.pick(kNatZones);
        if (detail.one_in(2)) filter.protocol = Protocol::udp;
        tracker_->flush(now_, filter);
        return;
      }
      default:
        break;
    }
    const std::vector<NatConnection*> live = model_.live(now_);
    if (live.empty()) return;
    NatConnection& connection = *live[operation.pick % live.size()];
    if (operation.verb == NatVerb::error) return error(connection, detail);
    if (operation.verb == NatVerb::wrong_side) return wrong_side(connection, detail);
    talk(connection, operation.verb, detail);
  }

  Sent send(const Bytes& bytes, const Request& request) {
    Sent sent{bytes, bytes, {}, {}};
    Packet packet = packet_of(sent.after);
    tracker_->process({&packet, 1}, request, now_, {&sent.verdict, 1});
    sent.opened = model_.take_opened();
    refresh(sent.verdict);
    return sent;
  }

  static Packet packet_of(Bytes& bytes) {
    Packet packet;
    packet.data = reinterpret_cast<std::byte*>(bytes.data());
    packet.size = static_cast<std::uint32_t>(bytes.size());
    packet.link = LinkType::raw_ip;
    return packet;
  }

  /// Takes the deadline over from the tracker, whose affair it is here; tuples must be the same.
  void refresh(const Verdict& verdict) {
    NatConnection* connection = model_.find(verdict.connection);
    if (connection == nullptr) return;
    const auto info = tracker_->find(verdict.connection, now_);
    if (!info) return note("the connection of a verdict is not found");
    expect(info->original == connection->info.original && info->reply == connection->info.reply &&
               translation_of(*info) == translation_of(connection->info),
           "a connection's tuples changed");
    connection->info.expires = info->expires;
  }

  void expect_bytes(const Bytes& wanted, const Sent& sent, const char* what) {
    if (same_bytes(wanted, sent.after)) return;
    note(std::string(what) + "\n  sent   " + hex(sent.before) + "\n  wanted " + hex(wanted) +
         "\n  got    " + hex(sent.after) + "\n  " + verdict_text(sent.verdict));
  }

  static std::string verdict_text(const Verdict& verdict) {
    return to_string(verdict.state) + ' ' + std::string(name(verdict.reason));
  }

  // ---- openings ---------------------------------------------------------------------------------

  Request random_request(NatDetail& detail, const NatSpec*& spec) {
    Request request;
    request.commit = true;
    request.zone = detail.pick(kNatZones);
    const std::uint32_t which = detail.below(static_cast<std::uint32_t>(ids_.size()) + 1);
    spec = which < ids_.size() ? &sequence_.specs[which] : nullptr;
    if (spec != nullptr) request.nat = ids_[which];
    return request;
  }

  void open(NatDetail& detail) {
    const NatSpec* spec = nullptr;
    const Request request = random_request(detail, spec);
    open(random_opening(detail), request, spec, detail);
  }

  void open(const Tuple& tuple, const Request& request, const NatSpec* spec, NatDetail& detail) {
    const Content content = content_of(Direction::original, 0, false, detail);
    const NatPlace place = model_.find(request.zone, tuple, now_);
    const bool wrong_side = place.connection != nullptr && place.wrong_side;
    const Bytes bytes = test::make_checked(tuple, content);
    // Asked before the packet, which may take what it asks for.
    const bool was_free = spec != nullptr && place.connection == nullptr &&
                          kept_is_free(NatRules(*spec, tuple), request.zone, tuple);
    const Sent sent = send(bytes, request);
    if (wrong_side) return expect_refused(sent, Reason::nat_tuple_side);
    if (sent.verdict.reason == Reason::nat_exhausted) {
      // A connection that was over has made way by now, though no other one can be opened.
      const bool is_there = model_.find(request.zone, tuple, now_).connection != nullptr;
      expect(spec != nullptr && !is_there, "an opening was refused for nothing");
      if (spec != nullptr) expect_exhausted(NatRules(*spec, tuple), request.zone, tuple);
    }
    if (sent.verdict.reason != Reason::none) {
      return expect_bytes(bytes, sent, "a packet that was not accepted was written to");
    }
    if (sent.opened.empty()) {
      expect(place.connection != nullptr, "an opening was accepted and opened nothing");
      return compare_talk(sent, content);
    }
    expect_opened(sent, spec, tuple, was_free);
    compare_talk(sent, content);
  }

  bool kept_is_free(const NatRules& rules, Zone zone, const Tuple& tuple) const {
    return rules.applies() && rules.must_keep_ports() &&
           model_.is_free(zone, tuple, rules.kept(), now_);
  }

  void expect_exhausted(const NatRules& rules, Zone zone, const Tuple& tuple) {
    ++reach_.refused;
    expect(rules.applies(), "refused by a spec of the other family");
    if (!rules.applies()) return;
    const bool exhausted = rules.is_exhausted(
        [&](const Tuple& sent) { return model_.is_free(zone, tuple, sent, now_); });
    expect(exhausted, "nat_exhausted, and something was free for " + to_string(tuple.source));
  }

  void expect_opened(const Sent& sent, const NatSpec* spec, const Tuple& tuple,
                     bool kept_was_free) {
    const NatConnection* made = model_.find(sent.opened.back());
    if (sent.opened.size() != 1 || made == nullptr || made->info.original != tuple) {
      return note("a packet opened something else than its connection");
    }
    check_flags(made->info);
    if (made->is_translated()) ++reach_.opened;
    const NatRules rules(spec != nullptr ? *spec : NatSpec{}, tuple);
    if (spec == nullptr || !rules.applies()) {
      return expect(!made->is_translated(), "translated without a translation");
    }
    expect(rules.allows(made->sent()), "a tuple was chosen that the spec does not allow");
    if (kept_was_free) expect(made->sent() == rules.kept(), "the ports were free and not kept");
  }

  /// What a connection says of itself against its tuples.
  void check_flags(const ConnectionInfo& info) {
    const Tuple sent = test::reversed(info.reply);
    const Tuple& original = info.original;
    const bool source = sent.source != original.source ||
                        sent.source_port != original.source_port ||
                        sent.icmp_id != original.icmp_id;
    const bool destination = sent.destination != original.destination ||
                             sent.destination_port != original.destination_port;
    expect(info.source_translated == source && info.destination_translated == destination,
           "the flags of a connection are not those of its tuples");
  }

  /// Openings in one call: their order is not said, so that what holds afterwards is judged.
  void burst(NatDetail& detail) {
    const NatSpec* spec = nullptr;
    const Request request = random_request(detail, spec);
    std::vector<Tuple> tuples(2 + detail.below(70));
    std::vector<Bytes> bytes;
    std::vector<Packet> packets;
    for (Tuple& tuple : tuples) {
      do {
        tuple = random_opening(detail);
      } while (tuple.protocol != Protocol::udp && !has_icmp_id(tuple.protocol));
      bytes.push_back(test::make_checked(tuple, {}));
    }
    const std::vector<Bytes> before = bytes;
    for (Bytes& each : bytes) packets.push_back(packet_of(each));
    std::vector<Verdict> verdicts(packets.size());
    tracker_->process(packets, request, now_, verdicts);
    model_.take_opened();
    for (std::size_t i = 0; i < packets.size(); ++i) {
      refresh(verdicts[i]);
      const Sent sent{before[i], bytes[i], verdicts[i], {}};
      if (sent.verdict.reason == Reason::none) {
        compare_talk(sent, {});
      } else {
        expect_bytes(before[i], sent, "a packet that was not accepted was written to");
      }
      if (sent.verdict.reason == Reason::nat_exhausted && spec != nullptr) {
        expect_exhausted(NatRules(*spec, tuples[i]), request.zone, tuples[i]);
      }
    }
  }

  // ---- packets of connections -------------------------------------------------------------------

  void talk(NatConnection& connection, NatVerb verb, NatDetail& detail) {
    const bool back = verb == NatVerb::answer || verb == NatVerb::force ||
                      (verb == NatVerb::close && detail.one_in(2));
    const Direction direction = back ? Direction::reply : Direction::original;
    Request request;
    request.zone = connection.info.zone;
    request.commit = !detail.one_in(4);
    request.force = verb == NatVerb::force;
    const Content content = content_of(direction, connection.stage, verb == NatVerb::close, detail);
    const Tuple tuple = back ? connection.info.reply : connection.info.original;
    const ConnectionHandle handle = connection.info.handle;
    const Sent sent = send(test::make_checked(tuple, content), request);
    if (sent.verdict.reason != Reason::none) {
      return expect_bytes(sent.before, sent, "a packet that was not accepted was written to");
    }
    if (NatConnection* still = model_.find(handle); still != nullptr && back) still->stage = 1;
    if (model_.find(sent.verdict.connection) != nullptr) compare_talk(sent, content);
  }

  /// Compares an accepted packet with one made anew.
  void compare_talk(const Sent& sent, const Content& content) {
    const NatConnection* connection = model_.find(sent.verdict.connection);
    if (connection == nullptr) return note("an accepted packet has no connection");
    const bool back = is_from_responder(*connection, sent.before, content);
    const Tuple wanted = back ? test::reversed(connection->info.original) : connection->sent();
    expect_bytes(test::make_checked(wanted, content), sent, "a packet was translated wrongly");
    expect((sent.verdict.state & kTranslated) == translation_of(connection->info),
           "the flags of a verdict are not its connection's: " + verdict_text(sent.verdict));
    expect(has(sent.verdict.state, StateFlags::reply) == back,
           "the direction of a verdict: " + verdict_text(sent.verdict));
    ++reach_.rewritten;
  }

  static bool is_from_responder(const NatConnection& connection, const Bytes& bytes,
                                const Content& content) {
    return !same_bytes(bytes, test::make_checked(connection.info.original, content));
  }

  void wrong_side(const NatConnection& connection, NatDetail& detail) {
    if (!connection.is_translated()) return;
    const bool back = detail.one_in(2);
    const Tuple tuple = back ? test::reversed(connection.info.original) : connection.sent();
    Request request;
    request.zone = connection.info.zone;
    request.commit = detail.one_in(2);
    request.force = detail.one_in(4);
    const Content content =
        content_of(back ? Direction::reply : Direction::original, connection.stage, false, detail);
    expect_refused(send(test::make_checked(tuple, content), request), Reason::nat_tuple_side);
  }

  void expect_refused(const Sent& sent, Reason reason) {
    expect(sent.verdict.reason == reason,
           "expected " + std::string(name(reason)) + ", got " + verdict_text(sent.verdict));
    expect_bytes(sent.before, sent, "a refused packet was written to");
    ++reach_.wrong_side;
  }

  /// An error about what the one side sent, from a router or from the other side's end, comes to
  /// the sender as if nothing had been translated.
  void error(const NatConnection& connection, NatDetail& detail) {
    const ConnectionInfo& info = connection.info;
    const bool about_reply = detail.one_in(2);
    const Direction direction = about_reply ? Direction::reply : Direction::original;
    const Content content = content_of(direction, connection.stage, false, detail);
    // As it arrived where the error is made, and as it was sent.
    const Tuple arrived = about_reply ? test::reversed(info.original) : connection.sent();
    const Tuple first = about_reply ? info.reply : info.original;
    const Address router = nat_address(info.original.source.family, NatHost::server, 77);
    const bool from_end = detail.one_in(2);
    const Address source = from_end ? arrived.destination : router;
    Address seen = from_end ? first.destination : router;
    // What stands on a translated side hides behind it.
    if (about_reply ? info.source_translated : info.destination_translated) {
      seen = first.destination;
    }
    Request request;
    request.zone = info.zone;
    const Sent sent =
        send(test::make_checked_error(source, arrived.source, test::make_checked(arrived, content)),
             request);
    if (sent.verdict.reason != Reason::none) {
      return expect_bytes(sent.before, sent, "an error that was not accepted was written to");
    }
    expect(sent.verdict.connection == info.handle, "an error is not its connection's");
    expect_bytes(test::make_checked_error(seen, first.source, test::make_checked(first, content)),
                 sent, "an error was translated wrongly");
    expect((sent.verdict.state & kTranslated) == translation_of(info), "the flags of an error");
    ++reach_.errors;
  }

  // ---- all of it --------------------------------------------------------------------------------

  void whole_table() {
    const Stats stats = tracker_->stats();
    expect(stats.reply_tuples == model_.translated(),
           "reply tuples: " + std::to_string(stats.reply_tuples) +
               ", translated connections: " + std::to_string(model_.translated()));
    expect(stats.connections == model_.size(), "the number of connections");
    const std::vector<ConnectionInfo> dumped = test::dump_all(*tracker_, now_);
    expect(dumped.size() == model_.live(now_).size(), "the size of a dump");
    for (const ConnectionInfo& info : dumped) {
      const NatConnection* connection = model_.find(info.handle);
      if (connection == nullptr) return note("a dump has what is not there");
      expect(connection->info.original == info.original && connection->info.reply == info.reply,
             "a dump has other tuples");
      for (const Tuple& tuple : {info.original, info.reply}) {
        const auto found = tracker_->find(info.zone, tuple, now_);
        expect(found && found->handle == info.handle, "a tuple does not find its connection");
      }
    }
  }

  void end() {
    whole_table();
    now_ += std::chrono::hours(24 * 7);
    while (!tracker_->sweep(now_).finished) {
    }
    whole_table();
    expect(model_.size() == 0 && model_.translated() == 0, "something outlived a week");
  }

  const NatSequence& sequence_;
  NatReach& reach_;
  NatModel model_;
  std::unique_ptr<Tracker> tracker_;
  std::vector<NatId> ids_;
  Timestamp now_{std::chrono::seconds(1'000'000)};
  std::size_t operation_ = 0;
  std::optional<NatDifference> difference_;
};

}  // namespace

std::optional<NatDifference> play(const NatSequence& sequence, NatReach& reach) {
  return NatComparison(sequence, reach).play();
}

std::string shrunk_failure(const NatSequence& sequence, const NatDifference& difference) {
  NatReach reach;
  const auto fails = [&](const NatSequence& some) { return play(some, reach).has_value(); };
  const NatSequence shorter =
      test::shrink_operations(sequence, difference.operation, fails, kShrinkAttempts);
  std::ostringstream text;
  text << "repeat with UCT_SEED=" << sequence.seed << ", " << sequence.shards << " shards\n";
  for (const NatSpec& spec : sequence.specs) text << "  spec " << to_text(spec) << '\n';
  for (const NatOperation& operation : shorter.operations) {
    text << "  " << to_text(operation) << '\n';
  }
  if (const auto last = play(shorter, reach)) {
    text << "at " << last->operation << ": " << last->text << '\n';
  }
  return text.str();
}

}  // namespace uct::model
