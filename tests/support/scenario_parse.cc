#include "tests/support/scenario_parse.h"

#include <algorithm>
#include <sstream>

#include <uct/timeout_policy.h>

#include "tests/support/scenario_ends.h"
#include "tests/support/scenario_grammar.h"

namespace uct::scenario {

namespace {

/// The words of one line, taken from the left. The first complaint wins.
class Words {
 public:
  explicit Words(std::string_view line) {
    std::istringstream stream{std::string(line)};
    for (std::string word; stream >> word;) all_.push_back(word);
  }

  bool empty() const { return next_ == all_.size(); }
  std::string_view peek(std::size_t ahead = 0) const {
    return next_ + ahead < all_.size() ? std::string_view(all_[next_ + ahead]) : "";
  }
  std::string take() { return empty() ? std::string() : all_[next_++]; }
  bool take_if(std::string_view word) {
    if (peek() != word || empty()) return false;
    ++next_;
    return true;
  }

 private:
  std::vector<std::string> all_;
  std::size_t next_ = 0;
};

class Parser {
 public:
  explicit Parser(std::string_view text) {
    result_.scenario.text = split(text, '\n');
    if (result_.scenario.text.back().empty()) result_.scenario.text.pop_back();
  }

  ParseResult run() {
    const std::vector<std::string>& text = result_.scenario.text;
    for (line_ = 1; line_ <= text.size() && result_.error.empty(); ++line_) {
      const std::string_view line = text[line_ - 1];
      const std::size_t first = line.find_first_not_of(' ');
      if (first == std::string_view::npos || line[first] == '#') continue;
      if (in_block_) {
        block_line(line.substr(first));
      } else {
        statement(line);
      }
    }
    if (in_block_) fail("the block is not closed");
    return std::move(result_);
  }

 private:
  void fail(std::string message) {
    if (!result_.error.empty()) return;
    result_.error = std::move(message);
    result_.line = std::min(line_, result_.scenario.text.size());
  }

  void block_line(std::string_view line) {
    if (line == "}") {
      in_block_ = false;
      return;
    }
    result_.scenario.statements.back().block.emplace_back(line);
  }

  void statement(std::string_view line) {
    Words words(line);
    if (words.take_if("host")) return host(words);
    if (words.take_if("tracker")) {
      if (!result_.scenario.statements.empty()) return fail("tracker comes before all statements");
      fields(words, scope::kTracker, result_.scenario.tracker);
      return;
    }
    Statement statement;
    statement.line = line_;
    moment(words, statement.moment);
    verb(words, statement);
    if (words.take_if("=")) {
      while (!words.empty()) statement.expected.push_back(words.take());
      if (statement.expected.empty()) fail("nothing is expected behind =");
    }
    if (!words.empty()) fail("'" + std::string(words.peek()) + "' is not understood here");
    check_expectation(statement);
    result_.scenario.statements.push_back(std::move(statement));
  }

  void check_expectation(const Statement& s) {
    const bool wanted = s.verb == Verb::packet || s.verb == Verb::sweep || s.verb == Verb::flush ||
                        s.verb == Verb::leaves || (s.verb == Verb::expect && s.subject != "dump");
    if (wanted && s.expected.empty()) fail("what is expected is missing: = ...");
    if (!wanted && !s.expected.empty()) fail("nothing can be expected of this");
  }

  void host(Words& words) {
    Host host;
    host.name = words.take();
    while (!words.empty()) {
      if (words.take_if("port")) {
        host.port = static_cast<std::uint16_t>(take_number(words));
        continue;
      }
      const std::string text = words.take();
      Address address;
      if (!parse_address(text, address)) return fail("'" + text + "' is no address");
      (address.family == Family::ipv4 ? host.ipv4 : host.ipv6) = address;
    }
    if (!host.ipv4 && !host.ipv6) return fail("host NAME ADDRESS... [port N] is wanted");
    if (result_.scenario.find_host(host.name) != nullptr) return fail("the host is there already");
    result_.scenario.hosts.push_back(std::move(host));
  }

  std::uint64_t take_number(Words& words) {
    const std::string text = words.take();
    const auto number = parse_number(text);
    if (!number) fail("a number is wanted, not '" + text + "'");
    return number.value_or(0);
  }

  void moment(Words& words, Moment& moment) {
    std::string_view text = words.peek();
    if (words.take_if("...") || text.empty()) return;
    const bool relative = text[0] == '+';
    if (!relative && (text[0] < '0' || text[0] > '9')) return;
    if (relative) text.remove_prefix(1);
    const auto ns = parse_duration_ns(text);
    if (!ns) return fail("'" + std::string(text) + "' is no time");
    moment.kind = relative ? Moment::Kind::relative : Moment::Kind::absolute;
    moment.ns = *ns;
    words.take();
  }

  void verb(Words& words, Statement& statement) {
    if (words.peek(1) == ">") return packet(words, statement);
    const std::string word = words.take();
    if (word == "request") {
      statement.verb = Verb::request;
      fields(words, scope::kRequest, statement.with);
    } else if (word == "sweep") {
      statement.verb = Verb::sweep;
      fields(words, scope::kSweep, statement.fields);
    } else if (word == "flush") {
      statement.verb = Verb::flush;
      fields(words, scope::kFilter, statement.fields);
    } else if (word == "leaves") {
      leaves(words, statement);
    } else if (word == "set") {
      set(words, statement);
    } else if (word == "expect") {
      expect(words, statement);
    } else {
      fail("'" + word + "' begins no statement");
    }
  }

  void endpoint(Words& words, Endpoint& endpoint) {
    const std::vector<std::string> parts = split(words.take(), ':');
    if (is_earlier(parts[0])) {
      endpoint.host = parts[0];
      return;
    }
    const Host* host = result_.scenario.find_host(parts[0]);
    if (host == nullptr) return fail("no host is named '" + parts[0] + "'");
    endpoint.host = host->name;
    endpoint.port = host->port;
    if (parts.size() == 1) return;
    const auto port = parse_number(parts[1]);
    if (!port || *port > 65535) return fail("'" + parts[1] + "' is no port");
    endpoint.port = static_cast<std::uint16_t>(*port);
  }

  /// Gives     whether this is the end of an earlier packet; complains when there is none such.
  bool is_earlier(const std::string& text) {
    const auto earlier = earlier_end(text);
    if (!earlier) return false;
    if (earlier->number == 0 || earlier->number > packets_) {
      fail("from@N and to@N want the number of an earlier packet, counted from 1");
    }
    return true;
  }

  /// "FROM > TO PROTOCOL", which begins a packet and names a connection.
  const ProtocolSpec* line_of_tuple(Words& words, Statement& statement) {
    endpoint(words, statement.from);
    if (!words.take_if(">")) fail("FROM > TO is wanted");
    endpoint(words, statement.to);
    statement.has_endpoints = true;
    statement.protocol = words.take();
    const ProtocolSpec* spec = find_protocol(statement.protocol);
    if (spec == nullptr) fail("no protocol is named '" + statement.protocol + "'");
    return spec;
  }

  void packet(Words& words, Statement& statement) {
    statement.verb = Verb::packet;
    const ProtocolSpec* spec = line_of_tuple(words, statement);
    if (spec == nullptr) return;
    if (spec->needs_detail) {
      statement.detail = words.take();
      if (statement.detail.empty()) return fail("wanted: " + std::string(spec->detail_hint));
      const std::string complaint = complain_of_detail(spec->name, statement.detail);
      if (!complaint.empty()) return fail(complaint + ", not '" + statement.detail + "'");
    }
    fields(words, spec->scope, statement.fields);
    if (words.take_if("with")) fields(words, scope::kRequest, statement.with);
    check_packet(statement);
    ++packets_;
  }

  void check_packet(const Statement& statement) {
    const Fields& f = statement.fields;
    check_translated(f);
    if (statement.protocol == "tcp") {
      if (!f.has("seq")) fail("tcp wants seq");
      if (statement.detail.find('A') != std::string::npos && !f.has("ack")) fail("A wants ack");
    }
    for (const ChunkText& chunk : parse_chunks(f.text("chunks", "data"))) {
      if (chunk.type < 0) fail("a chunk of the list is not understood");
    }
    if (!f.has("about")) return;
    const std::string about = f.text("about");
    const auto number = parse_number(std::string_view(about).substr(1));
    if ((about[0] != '#' && about[0] != '@') || !number || *number == 0 || *number > packets_) {
      fail("about #N wants the number of an earlier packet, counted from 1");
    }
  }

  /// FROM>TO, without blanks: what the packet must become, see scenario_ends.h.
  void check_translated(const Fields& fields) {
    if (!fields.has("as")) return;
    const std::vector<std::string> ends = split(fields.text("as"), '>');
    if (ends.size() != 2) return fail("as FROM>TO is wanted, without blanks");
    for (const std::string& end : ends) {
      if (is_earlier(end)) continue;
      check_hosts(split(end, ':')[0]);
    }
  }

  /// HOST or HOST-HOST.
  void check_hosts(const std::string& range) {
    for (const std::string& host : split(range, '-')) {
      if (result_.scenario.find_host(host) == nullptr) fail("no host is named '" + host + "'");
    }
  }

  void translation(Words& words, Fields& given) {
    fields(words, scope::kNat, given);
    for (const char* name : {"source", "destination", "inside", "exempt"}) {
      if (given.has(name) && given.text(name) != "any") check_hosts(given.text(name));
    }
  }

  void fields(Words& words, std::uint32_t scopes, Fields& fields) {
    while (!words.empty() && words.peek() != "=" && words.peek() != "with") {
      const std::string name = words.take();
      const FieldSpec* spec = find_field(name, scopes);
      if (spec == nullptr) return fail("'" + name + "' may not stand here");
      std::string value;
      if (spec->shape != Shape::nothing) {
        if (words.empty() || words.peek() == "=") return fail("'" + name + "' wants a value");
        value = words.take();
      }
      const std::string complaint = complain(spec->shape, value);
      if (!complaint.empty()) return fail(name + ": " + complaint + ", not '" + value + "'");
      fields.add(name, std::move(value));
    }
  }

  void leaves(Words& words, Statement& statement) {
    statement.verb = Verb::leaves;
    statement.detail = words.take();
    const auto number = statement.detail.empty() || statement.detail[0] != '#'
                            ? std::nullopt
                            : parse_number(std::string_view(statement.detail).substr(1));
    if (!number || *number == 0 || *number > packets_) {
      fail("leaves #N wants the number of an earlier packet, counted from 1");
    }
  }

  /// set max-connections N; set zone-limit ZONE N; set sequence-check ZONE HOW; set policy NAME ...
  void set(Words& words, Statement& statement) {
    statement.verb = Verb::set;
    statement.subject = words.take();
    statement.detail = words.take();
    const std::string& what = statement.subject;
    if (what == "max-connections") {
      if (!parse_number(statement.detail)) fail("set max-connections N is wanted");
      return;
    }
    if (what == "policy") return policy(words, statement);
    if (what == "nat") return translation(words, statement.fields);
    const bool zone = statement.detail == "default" || parse_number(statement.detail).has_value();
    if (!zone) return fail("a zone or the word default is wanted");
    const std::string value = words.take();
    const bool known = what == "zone-limit"
                           ? value == "none" || parse_number(value).has_value()
                           : what == "sequence-check" &&
                                 (value == "normal" || value == "strict" || value == "disabled");
    if (!known) return fail("set " + what + ": '" + value + "' is not understood");
    statement.fields.add("value", value);
  }

  void policy(Words& words, Statement& statement) {
    if (statement.detail.empty()) return fail("set policy NAME CLASS=TIME... is wanted");
    while (!words.empty()) {
      const std::vector<std::string> parts = split(words.take(), '=');
      TimeoutClass timeout_class{};
      if (parts.size() != 2 || !parse_timeout_class(parts[0], timeout_class) ||
          !parse_duration_ns(parts[1])) {
        return fail("CLASS=TIME such as tcp.established=1h is wanted");
      }
      statement.fields.add(parts[0], parts[1]);
    }
  }

  void expect(Words& words, Statement& statement) {
    statement.verb = Verb::expect;
    statement.subject = words.take();
    const std::string& what = statement.subject;
    if (what == "connection" && words.peek(1) == ">") {
      if (earlier_end(words.peek()) || earlier_end(words.peek(2))) fail("a host is wanted here");
      const ProtocolSpec* spec = line_of_tuple(words, statement);
      if (spec == nullptr) return;
      if (spec->name == "proto" || spec->scope == scope::kIcmp) statement.detail = words.take();
      fields(words, scope::kFind, statement.fields);
    } else if (what == "reason" || what == "limit" || what == "protocol") {
      statement.detail = words.take();
    } else if (what == "dump") {
      in_block_ = words.take_if("{");
    } else if (what != "connection" && what != "count" && what != "held" && what != "stats") {
      fail("'" + what + "' cannot be expected");
    }
  }

  ParseResult result_;
  std::size_t line_ = 0;
  std::size_t packets_ = 0;
  bool in_block_ = false;
};

}  // namespace

ParseResult parse(std::string_view text) { return Parser(text).run(); }

}  // namespace uct::scenario
