#include "tests/support/scenario_run.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <tuple>

#include <uct/tracker.h>

#include "tests/support/scenario_expect.h"
#include "tests/support/scenario_grammar.h"
#include "tests/support/scenario_held.h"
#include "tests/support/scenario_packet.h"
#include "tests/support/scenario_request.h"

namespace uct::scenario {

namespace {

constexpr std::int64_t kPlainBaseNs = 1'000'000'000;
/// 20 s before a 32-bit count of milliseconds wraps around.
constexpr std::int64_t kWrappingBaseNs = ((std::int64_t{1} << 32) - 20'000) * 1'000'000;
/// Numbers around 1000 are around 2^32 with it.
constexpr std::uint32_t kWrappingShift = 0U - 1'500U;

struct Waiting {
  const Statement* statement;
  Frame frame;
};

class Player {
 public:
  Player(const Scenario& scenario, const Variant& variant)
      : scenario_(scenario), variant_(variant), frames_(scenario, variant) {
    result_.updated = scenario.text;
    Config config = make_config(scenario.tracker);
    config.exclusive = variant.bursts;
    if (scenario.tracker.text("hold-fragments", "off") == "on") config.fragments = &handed_out_;
    auto made = Tracker::create(config);
    if (made.ok()) {
      tracker_ = std::move(made.value());
    } else {
      mismatch(0, "a tracker", std::string(uct::describe(made.error())), "");
    }
  }

  RunResult run() {
    request_.commit = true;
    for (const Statement& statement : scenario_.statements) {
      if (tracker_ == nullptr) break;
      advance(statement.moment);
      play(statement);
    }
    process_waiting();
    for (const HandedOut& one : handed_out_.waiting) {
      mismatch(0, "", "packet #" + std::to_string(one.number) + " left, and no line says so", "");
    }
    return std::move(result_);
  }

 private:
  Timestamp now() const { return timestamp_from_ns(variant_.base_ns + elapsed_ns_); }

  void advance(const Moment& moment) {
    std::int64_t next = elapsed_ns_;
    if (moment.kind == Moment::Kind::absolute) next = moment.ns;
    if (moment.kind == Moment::Kind::relative) next += moment.ns;
    if (next != elapsed_ns_) process_waiting();
    elapsed_ns_ = next;
    handed_out_.moment_ns = next;
  }

  void play(const Statement& statement) {
    if (statement.verb == Verb::packet) return packet(statement);
    process_waiting();
    switch (statement.verb) {
      case Verb::request:
        change(statement.with, request_);
        break;
      case Verb::set:
        set(statement);
        break;
      case Verb::sweep:
        sweep(statement);
        break;
      case Verb::flush:
        flush(statement);
        break;
      case Verb::leaves:
        leaves(statement);
        break;
      case Verb::expect:
        expect(statement);
        break;
      case Verb::packet:
        break;
    }
  }

  // ---- packets --------------------------------------------------------------------------------

  void packet(const Statement& statement) {
    Request request = request_;
    change(statement.with, request);
    if (!waiting_.empty() && !same(request, waiting_request_)) process_waiting();
    // What may be asked about a packet whose ends the tracker chooses is known when it has left.
    if (std::any_of(waiting_.begin(), waiting_.end(),
                    [](const Waiting& one) { return one.frame.open; })) {
      process_waiting();
    }
    waiting_request_ = request;
    waiting_.push_back({&statement, frames_.make(statement)});
    if (!variant_.bursts || waiting_.size() == kBurstMax) process_waiting();
  }

  void process_waiting() {
    if (waiting_.empty()) return;
    std::vector<Packet> burst;
    for (Waiting& one : waiting_) {
      burst.push_back(one.frame.packet());
      burst.back().user = one.frame.number + 1;
    }
    std::vector<Verdict> verdicts(burst.size());
    // Bursts are played as a data plane sends them, for speed: without asking why.
    std::vector<Explanation> explanations(burst.size());
    const std::size_t asked = variant_.bursts ? 0 : explanations.size();
    tracker_->process(burst, waiting_request_, now(), verdicts, {explanations.data(), asked});
    for (std::size_t i = 0; i < burst.size(); ++i) {
      const Statement& statement = *waiting_[i].statement;
      compare(statement, true_words(verdicts[i], statement.expected),
              why(verdicts[i], explanations[i]));
      if (is_held(verdicts[i].reason)) {
        held_.emplace(burst[i].user, std::move(waiting_[i]));
        continue;
      }
      const std::string complaint = frames_.settle(waiting_[i].frame);
      if (!complaint.empty()) {
        mismatch(statement.line, "as " + statement.fields.text("as"), complaint, "");
      }
      compare_bytes(statement, waiting_[i].frame);
    }
    waiting_.clear();
  }

  /// "leaves #3 = new": the third packet, which was held, is the next to be handed out, now.
  void leaves(const Statement& statement) {
    const auto line = statement.line;
    if (handed_out_.waiting.empty()) return mismatch(line, statement.detail, "nothing left", "");
    const HandedOut one = std::move(handed_out_.waiting.front());
    handed_out_.waiting.pop_front();
    const std::string number = "#" + std::to_string(one.number);
    if (number != statement.detail) return mismatch(line, statement.detail, number + " left", "");
    if (one.moment_ns != elapsed_ns_) {
      mismatch(line, "now", "it left at " + format_duration(one.moment_ns), "");
    }
    compare(statement, true_words(one.verdict, statement.expected),
            std::string(uct::describe(one.verdict.reason)));
    const auto held = held_.find(one.number);
    if (held == held_.end()) return mismatch(line, "a packet that was held", "it was not", "");
    Frame& frame = held->second.frame;
    frame.bytes = Bytes();
    for (const std::byte byte : one.bytes) frame.bytes.u8(std::to_integer<std::uint8_t>(byte));
    if (one.verdict.reason == Reason::none) compare_bytes(*held->second.statement, frame);
  }

  /// Translated packets are held against ones that the language makes itself, checksums and all.
  void compare_bytes(const Statement& statement, const Frame& frame) {
    const Bytes& wanted = frame.translated;
    if (wanted.size() == 0) return;
    std::size_t at = 0;
    while (at < wanted.size() && at < frame.bytes.size() && wanted.at(at) == frame.bytes.at(at))
      ++at;
    if (at == wanted.size() && at == frame.bytes.size()) return;
    mismatch(statement.line, "as " + statement.fields.text("as"),
             "other bytes from " + std::to_string(at) + " on: " + hex(frame.bytes, at) +
                 " instead of " + hex(wanted, at),
             "");
  }

  static std::string hex(const Bytes& bytes, std::size_t from) {
    std::string text;
    for (std::size_t i = from; i < bytes.size() && i < from + 8; ++i) {
      constexpr char kDigits[] = "0123456789abcdef";
      text += kDigits[bytes.at(i) >> 4];
      text += kDigits[bytes.at(i) & 15];
    }
    return text;
  }

  static std::string why(const Verdict& verdict, const Explanation& explanation) {
    std::string text(uct::describe(verdict.reason));
    const TcpNumbers& n = explanation.tcp;
    if (!n.judged) return text;
    auto number = [](const char* name, std::uint32_t value) {
      return std::string(" ") + name + " " + std::to_string(value);
    };
    return text + ";" + number("seq", n.seq) + number("end", n.end) + number("ack", n.ack) +
           number("window", n.window) + number("seq_low", n.seq_low) +
           number("seq_high", n.seq_high) + number("ack_low", n.ack_low) +
           number("ack_high", n.ack_high) + number("exact", n.exact);
  }

  // ---- other statements -----------------------------------------------------------------------

  void change(const Fields& fields, Request& request) const {
    change_request(fields, *tracker_, request);
    if (!fields.has("nat")) return;
    const auto known = nats_.find(fields.text("nat"));
    request.nat = known == nats_.end() ? NatId::none : known->second;
  }

  void add_nat(const Statement& statement) {
    const auto id = tracker_->add_nat(make_nat(scenario_, variant_.family, statement.fields));
    if (!id)
      mismatch(statement.line, "the translation is taken", std::string(uct::describe(id.error())),
               "");
    nats_[statement.detail] = id.value();
  }

  void set(const Statement& statement) {
    if (statement.subject == "nat") return add_nat(statement);
    const std::string complaint = change_setting(statement, *tracker_);
    if (!complaint.empty()) mismatch(statement.line, "the setting is taken", complaint, "");
  }

  void sweep(const Statement& statement) {
    SweepBudget budget;
    budget.timers = static_cast<std::uint32_t>(statement.fields.number("timers", budget.timers));
    compare(statement, true_words(tracker_->sweep(now(), budget), statement.expected), "");
  }

  void flush(const Statement& statement) {
    const Filter filter = make_filter(scenario_, variant_.family, statement.fields);
    const std::size_t removed = tracker_->flush(now(), filter);
    compare(statement, {"removed", std::to_string(removed)}, "");
  }

  std::vector<ConnectionInfo> dump() const {
    std::vector<ConnectionInfo> all;
    std::array<ConnectionInfo, 16> some;
    DumpCursor cursor;
    while (!cursor.done()) {
      const std::size_t count = tracker_->dump(cursor, some, now());
      all.insert(all.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(count));
    }
    return all;
  }

  void expect(const Statement& statement) {
    const std::string& what = statement.subject;
    if (what == "connection") return expect_connection(statement);
    if (what == "dump") return expect_dump(statement);
    if (what == "count") return compare(statement, {std::to_string(dump().size())}, "");
    if (what == "held") {
      return compare(statement, {std::to_string(tracker_->connection_count())}, "");
    }
    if (what == "limit") return expect_limit(statement);
    const Stats stats = tracker_->stats();
    if (what == "stats") return compare(statement, true_words(stats, statement.expected), "");
    if (what == "reason") return expect_reason(statement, stats);
    for (std::size_t group = 0; group < kProtocolGroupCount; ++group) {
      if (name(static_cast<ProtocolGroup>(group)) != statement.detail) continue;
      return compare(statement, true_words(stats.protocols[group], statement.expected), "");
    }
    mismatch(statement.line, statement.detail, "no protocol group of this name", "");
  }

  void expect_reason(const Statement& statement, const Stats& stats) {
    for (std::size_t reason = 0; reason < kReasonCount; ++reason) {
      if (name(static_cast<Reason>(reason)) != statement.detail) continue;
      return compare(statement, {std::to_string(stats.reasons[reason])}, "");
    }
    mismatch(statement.line, statement.detail, "no reason of this name", "");
  }

  void expect_limit(const Statement& statement) {
    if (statement.detail == "default") {
      return compare(statement, true_words(tracker_->default_zone_limit(), 0, statement.expected),
                     "");
    }
    const auto zone = static_cast<Zone>(parse_number(statement.detail).value_or(0));
    const Tracker::ZoneLimit limit = tracker_->zone_limit(zone);
    compare(statement, true_words(limit.limit, limit.count, statement.expected), "");
  }

  void expect_connection(const Statement& statement) {
    std::vector<ConnectionInfo> found;
    if (statement.has_endpoints) {
      const Tuple tuple = make_tuple(scenario_, variant_.family, statement);
      const auto zone = static_cast<Zone>(statement.fields.number("zone", request_.zone));
      const auto one = tracker_->find(zone, tuple, now());
      if (one) found.push_back(*one);
    } else {
      found = dump();
    }
    if (found.empty()) return compare(statement, {"none"}, "");
    if (found.size() > 1) return compare(statement, {"several"}, "");
    compare(statement, true_words(found[0], {&scenario_, now()}, statement.expected), "");
  }

  void expect_dump(const Statement& statement) {
    Texts lines;
    for (const ConnectionInfo& info : dump()) lines.push_back(dump_line(info, scenario_));
    Texts expected = statement.block;
    std::sort(lines.begin(), lines.end());
    std::sort(expected.begin(), expected.end());
    if (lines != expected) {
      mismatch(statement.line, join(expected, "\n    "), join(lines, "\n    "), "");
    }
  }

  // ---- comparing ------------------------------------------------------------------------------

  void mismatch(std::size_t line, std::string expected, std::string got, std::string reason) {
    result_.mismatches.push_back({line, std::move(expected), std::move(got), std::move(reason)});
  }

  void compare(const Statement& statement, const Texts& got, const std::string& reason) {
    if (got == canonical(statement.expected)) return;
    mismatch(statement.line, join(statement.expected, " "), join(got, " "), reason);
    std::string& line = result_.updated[statement.line - 1];
    const std::size_t sign = line.find(" = ");
    if (sign != std::string::npos) line = line.substr(0, sign + 3) + join(got, " ");
  }

  const Scenario& scenario_;
  const Variant& variant_;
  FrameMaker frames_;
  std::map<std::string, NatId> nats_;
  std::unique_ptr<Tracker> tracker_;
  Request request_;
  std::int64_t elapsed_ns_ = 0;
  std::vector<Waiting> waiting_;
  HandedOutFragments handed_out_;
  std::map<std::uint64_t, Waiting> held_;  ///< by the number of the packet
  Request waiting_request_;
  RunResult result_;
};

bool every_host_has(const Scenario& scenario, Family family) {
  return std::all_of(scenario.hosts.begin(), scenario.hosts.end(), [&](const Host& host) {
    return (family == Family::ipv4 ? host.ipv4 : host.ipv6).has_value();
  });
}

}  // namespace

std::vector<Variant> variants(const Scenario& scenario) {
  std::vector<Variant> all;
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    if (!every_host_has(scenario, family)) continue;
    const std::string name = family == Family::ipv4 ? "ipv4" : "ipv6";
    all.push_back({name, family, kPlainBaseNs, 0, false});
    all.push_back({name + ", wrapping", family, kWrappingBaseNs, kWrappingShift, false});
    all.push_back({name + ", bursts", family, kPlainBaseNs, 0, true});
  }
  if (all.empty()) {  // hosts of both families talk: each pair decides
    all.push_back({"mixed", Family::ipv4, kPlainBaseNs, 0, false});
    all.push_back({"mixed, wrapping", Family::ipv4, kWrappingBaseNs, kWrappingShift, false});
    all.push_back({"mixed, bursts", Family::ipv4, kPlainBaseNs, 0, true});
  }
  return all;
}

RunResult run(const Scenario& scenario, const Variant& variant) {
  return Player(scenario, variant).run();
}

std::string describe(const std::string& path, const Scenario& scenario, const Variant& variant,
                     const std::vector<Mismatch>& mismatches) {
  std::string text;
  for (const Mismatch& one : mismatches) {
    text += path + ":" + std::to_string(one.line) + ": (" + variant.name + ")\n";
    if (one.line > 0) text += "    " + scenario.text[one.line - 1] + "\n";
    text += "  - " + one.expected + "\n  + " + one.got + "\n";
    if (!one.why.empty()) text += "  because " + one.why + "\n";
  }
  return text;
}

}  // namespace uct::scenario
