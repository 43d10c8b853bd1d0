#include "tests/support/scenario_ends.h"

#include <algorithm>

#include "tests/support/scenario_request.h"

namespace uct::scenario {

namespace {

bool is_icmp(const Statement& statement) {
  return statement.protocol == "icmp" || statement.protocol == "icmpv6";
}

/// An end as it stands in a packet that the tracker is done with.
struct ActualEnd {
  Address address;
  std::uint16_t port = 0;
};

std::uint16_t u16_at(const Bytes& bytes, std::size_t offset) {
  if (offset + 2 > bytes.size()) return 0;
  return static_cast<std::uint16_t>(bytes.at(offset) << 8 | bytes.at(offset + 1));
}

ActualEnd actual_end(const Bytes& frame, std::size_t network, std::size_t transport, bool source,
                     bool by_id) {
  const bool ipv4 = frame.at(network) >> 4 == 4;
  const std::size_t size = ipv4 ? 4 : 16;
  const std::size_t first = network + (ipv4 ? 12 : 8) + (source ? 0 : size);
  ActualEnd end;
  end.address.family = ipv4 ? Family::ipv4 : Family::ipv6;
  for (std::size_t i = 0; i < size; ++i) end.address.bytes[i] = frame.at(first + i);
  end.port = u16_at(frame, transport + (by_id ? 4 : (source ? 0 : 2)));
  return end;
}

/// The end that was chosen, as "host:port"; nothing when `allowed` does not name it.
std::optional<std::string> choose(const Scenario& scenario, const std::string& allowed,
                                  const ActualEnd& actual) {
  const std::vector<std::string> parts = split(allowed, ':');
  const std::vector<std::string> hosts = split(parts[0], '-');
  const Family family = actual.address.family;
  const Address first = address_of(scenario, hosts.front(), family);
  const Address last = address_of(scenario, hosts.back(), family);
  if (actual.address.bytes < first.bytes || last.bytes < actual.address.bytes) return std::nullopt;
  const auto host = std::find_if(
      scenario.hosts.begin(), scenario.hosts.end(),
      [&](const Host& one) { return address_of(scenario, one.name, family) == actual.address; });
  if (host == scenario.hosts.end()) return std::nullopt;
  if (parts.size() == 1) return host->name;
  const std::vector<std::string> ports = split(parts[1], '-');
  const std::uint64_t low = parse_number(ports.front()).value_or(0);
  const std::uint64_t high = parse_number(ports.back()).value_or(0);
  if (actual.port < low || high < actual.port) return std::nullopt;
  return host->name + ":" + std::to_string(actual.port);
}

}  // namespace

std::optional<EarlierEnd> earlier_end(std::string_view text) {
  EarlierEnd end;
  end.source = text.substr(0, 5) == "from@";
  if (!end.source && text.substr(0, 3) != "to@") return std::nullopt;
  const auto number = parse_number(text.substr(end.source ? 5 : 3));
  end.number = static_cast<std::size_t>(number.value_or(0));
  return end;
}

bool is_open(const Statement& statement) {
  return statement.fields.text("as").find('-') != std::string::npos;
}

void set_end(const Scenario& scenario, const std::string& text, bool source, Statement& statement) {
  const std::vector<std::string> parts = split(text, ':');
  Endpoint& end = source ? statement.from : statement.to;
  const bool moves = end.host != parts[0];
  end.host = parts[0];
  if (parts.size() > 1) {
    end.port = static_cast<std::uint16_t>(parse_number(parts[1]).value_or(0));
    if (source && statement.fields.has("id")) statement.fields.set("id", parts[1]);
  } else if (moves && scenario.find_host(parts[0]) != nullptr &&
             scenario.find_host(parts[0])->port != 0) {
    end.port = scenario.find_host(parts[0])->port;
  }
}

std::string end_text(const Statement& statement, bool source) {
  const Endpoint& end = source ? statement.from : statement.to;
  const std::uint64_t port = is_icmp(statement) ? statement.fields.number("id") : end.port;
  return end.host + ":" + std::to_string(port);
}

Statement as_translated(const Scenario& scenario, const Statement& statement) {
  Statement other = statement;
  const std::vector<std::string> ends = split(statement.fields.text("as"), '>');
  set_end(scenario, ends[0], true, other);
  if (ends.size() > 1) set_end(scenario, ends[1], false, other);
  if (statement.fields.has("as-about"))
    other.fields.set("about", statement.fields.text("as-about"));
  return other;
}

std::string settle_ends(const Scenario& scenario, const Bytes& frame, std::size_t network,
                        std::size_t transport, Statement& statement) {
  const std::vector<std::string> allowed = split(statement.fields.text("as"), '>');
  std::string chosen;
  for (const bool source : {true, false}) {
    const ActualEnd actual = actual_end(frame, network, transport, source, is_icmp(statement));
    const auto end = choose(scenario, allowed[source ? 0 : 1], actual);
    if (!end)
      return "it left with " + to_string(actual.address) + " " + std::to_string(actual.port);
    chosen += (source ? "" : ">") + *end;
  }
  statement.fields.set("as", chosen);
  return "";
}

}  // namespace uct::scenario
