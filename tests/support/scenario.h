/// A scenario as read from its file: hosts, settings and statements, in order.
///
/// Filled by scenario_parse.h, played by scenario_run.h. The language stands in
/// tests/scenario/README.md. Everything here was checked by the parser: a field that is there has a
/// value of its type.
/// Threads   values only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <uct/key.h>

namespace uct::scenario {

/// One named value of a statement: "seq 1000", or a bare word such as "commit".
struct Field {
  std::string name;
  std::string value;
};

/// The named values of a statement, in the order of the text.
class Fields {
 public:
  void add(std::string name, std::string value) {
    all_.push_back({std::move(name), std::move(value)});
  }
  /// Adds it, or changes the one of that name.
  void set(std::string_view name, std::string value);
  const std::vector<Field>& all() const { return all_; }
  bool has(std::string_view name) const { return find(name) != nullptr; }

  /// Gives     the value, or nothing when the field is not there.
  const std::string* find(std::string_view name) const;
  std::string text(std::string_view name, std::string_view otherwise = "") const;
  std::uint64_t number(std::string_view name, std::uint64_t otherwise = 0) const;

 private:
  std::vector<Field> all_;
};

struct Host {
  std::string name;
  std::optional<Address> ipv4;
  std::optional<Address> ipv6;
  std::uint16_t port = 0;
};

/// A host as a statement names it: "c", or "c:4000" with another port.
struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
};

struct Moment {
  enum class Kind : std::uint8_t { same, absolute, relative } kind = Kind::same;
  std::int64_t ns = 0;
};

enum class Verb : std::uint8_t {
  packet,   ///< a packet from one host to another
  request,  ///< what the caller asks for from here on
  set,      ///< a setting of the running tracker
  sweep,
  flush,
  leaves,  ///< a fragment that was held is handed out
  expect,  ///< a look at the tracker, which changes nothing
};

struct Statement {
  Verb verb = Verb::packet;
  std::size_t line = 0;  ///< counted from 1
  Moment moment;
  Endpoint from;  ///< of a packet, or of the connection that is looked for
  Endpoint to;
  bool has_endpoints = false;
  std::string subject;   ///< what is set or expected: "zone-limit", "connection", ...
  std::string protocol;  ///< "tcp", "icmp", ...
  std::string detail;    ///< TCP flags, ICMP type/code, DCCP type, protocol number; or an argument
  Fields fields;
  Fields with;  ///< what differs from the current request, for this packet only
  std::vector<std::string> expected;  ///< the words behind "="
  std::vector<std::string> block;     ///< the lines between braces of "expect dump"
};

struct Scenario {
  std::vector<std::string> text;  ///< the file, line by line
  std::vector<Host> hosts;
  Fields tracker;  ///< what the tracker is made with
  std::vector<Statement> statements;

  const Host* find_host(std::string_view name) const;
};

/// Reads a whole number, decimal or 0x...
/// Gives     nothing when `text` is anything else.
std::optional<std::uint64_t> parse_number(std::string_view text);

/// Reads a length of time: 250us, 30ms, 1.5s, 2m, 3h, 5d.
std::optional<std::int64_t> parse_duration_ns(std::string_view text);

/// Gives     the shortest exact spelling in s, ms, us or ns; what the runner prints.
std::string format_duration(std::int64_t ns);

/// Gives     the parts of `text` between separators.
std::vector<std::string> split(std::string_view text, char separator);

}  // namespace uct::scenario
