#include "tests/support/scenario_expect.h"

#include <algorithm>
#include <array>

namespace uct::scenario {

namespace {

/// Gives     the keys of "KEY VALUE KEY VALUE ...", from the word at `first` on.
Texts keys_of(const Texts& expected, std::size_t first) {
  Texts keys;
  for (std::size_t i = first; i < expected.size(); i += 2) keys.push_back(expected[i]);
  return keys;
}

std::string yes_no(bool value) { return value ? "yes" : "no"; }

bool is_verdict_key(std::string_view word) {
  return word == "mark" || word == "label" || word == "zone" || word == "entry";
}

std::string value_of(const Verdict& verdict, std::string_view key) {
  if (key == "mark") return hexadecimal(verdict.mark);
  if (key == "label") return hexadecimal(verdict.label);
  if (key == "zone") return std::to_string(verdict.zone);
  if (key == "entry") return yes_no(verdict.connection != ConnectionHandle::none);
  return "no-such-key";
}

std::string flags_without_trk(StateFlags state) {
  if (state == StateFlags::tracked) return "trk";
  const auto bits = static_cast<unsigned>(state) & ~static_cast<unsigned>(StateFlags::tracked);
  return to_string(static_cast<StateFlags>(bits));
}

std::string pair(std::uint64_t first, std::uint64_t second) {
  return std::to_string(first) + "/" + std::to_string(second);
}

bool is_at(const Host& host, const Address& address) {
  return (host.ipv4 && *host.ipv4 == address) || (host.ipv6 && *host.ipv6 == address);
}

/// Gives     the host's name, with its port where it is not the host's own.
std::string endpoint_name(const Scenario& scenario, const Address& address, std::uint16_t port,
                          bool with_port) {
  const Host* best = nullptr;
  for (const Host& host : scenario.hosts) {
    if (!is_at(host, address)) continue;
    if (best == nullptr || host.port == port) best = &host;
    if (host.port == port) break;
  }
  if (best == nullptr) return to_string(address);
  if (!with_port || best->port == port) return best->name;
  return best->name + ":" + std::to_string(port);
}

std::string originator(const ConnectionInfo& info, const Scenario& scenario) {
  return endpoint_name(scenario, info.original.source, info.original.source_port,
                       has_ports(info.protocol));
}

std::string duration_between(Timestamp from, Timestamp to) {
  return format_duration((to - from).count());
}

std::string value_of(const ConnectionInfo& info, const ConnectionContext& context,
                     std::string_view key) {
  const Counters& original = info.counters[0];
  const Counters& reply = info.counters[1];
  if (key == "timeout") {
    return format_duration(std::chrono::nanoseconds(info.timeout).count());
  }
  if (key == "left") return duration_between(context.now, info.expires);
  if (key == "age") return duration_between(info.start, context.now);
  if (key == "idle") return duration_between(info.last_seen, context.now);
  if (key == "packets") return pair(original.packets, reply.packets);
  if (key == "bytes") return pair(original.bytes, reply.bytes);
  if (key == "assured") return yes_no(info.assured);
  if (key == "replied") return yes_no(info.seen_reply);
  if (key == "picked-up") return yes_no(info.picked_up);
  if (key == "mark") return hexadecimal(info.mark);
  if (key == "label") return hexadecimal(info.label);
  if (key == "zone") return std::to_string(info.zone);
  if (key == "from") return originator(info, *context.scenario);
  if (key == "wscale") return pair(info.tcp[0].window_scale, info.tcp[1].window_scale);
  if (key == "window") return pair(info.tcp[0].max_window, info.tcp[1].max_window);
  return "no-such-key";
}

std::string value_of(const SweepResult& result, std::string_view key) {
  if (key == "removed") return std::to_string(result.removed);
  if (key == "rearmed") return std::to_string(result.rearmed);
  if (key == "finished") return yes_no(result.finished);
  return "no-such-key";
}

std::string value_of(const Stats& stats, std::string_view key) {
  if (key == "packets") return std::to_string(stats.packets);
  if (key == "bytes") return std::to_string(stats.bytes);
  if (key == "untracked") return std::to_string(stats.untracked);
  if (key == "new") return std::to_string(stats.new_);
  if (key == "established") return std::to_string(stats.established);
  if (key == "related") return std::to_string(stats.related);
  if (key == "reply") return std::to_string(stats.reply);
  if (key == "invalid") return std::to_string(stats.invalid);
  if (key == "connections") return std::to_string(stats.connections);
  if (key == "held-fragments") return std::to_string(stats.held_fragments);
  if (key == "fragmented-datagrams") return std::to_string(stats.fragmented_datagrams);
  return "no-such-key";
}

std::string value_of(const ProtocolStats& stats, std::string_view key) {
  if (key == "opened") return std::to_string(stats.opened);
  if (key == "expired") return std::to_string(stats.expired);
  if (key == "removed") return std::to_string(stats.removed);
  if (key == "live") return std::to_string(stats.live);
  return "no-such-key";
}

template <typename Source>
Texts pairs(const Source& source, const Texts& expected) {
  Texts words;
  for (const std::string& key : keys_of(expected, 0)) {
    words.push_back(key);
    words.push_back(value_of(source, key));
  }
  return words;
}

}  // namespace

Texts true_words(const Verdict& verdict, const Texts& expected) {
  const bool held = is_held(verdict.reason) && verdict.state == StateFlags::tracked;
  Texts words = {held ? "held" : flags_without_trk(verdict.state)};
  if (!held && verdict.reason != Reason::none) words.emplace_back(name(verdict.reason));
  const std::size_t first = expected.size() > 1 && !is_verdict_key(expected[1]) ? 2 : 1;
  for (const std::string& key : keys_of(expected, first)) {
    words.push_back(key);
    words.push_back(value_of(verdict, key));
  }
  return words;
}

Texts true_words(const ConnectionInfo& info, const ConnectionContext& context,
                 const Texts& expected) {
  Texts words = {std::string(state_name(info))};
  for (const std::string& key : keys_of(expected, 1)) {
    words.push_back(key);
    words.push_back(value_of(info, context, key));
  }
  return words;
}

Texts true_words(const SweepResult& result, const Texts& expected) {
  return pairs(result, expected);
}

Texts true_words(const Stats& stats, const Texts& expected) { return pairs(stats, expected); }

Texts true_words(const ProtocolStats& stats, const Texts& expected) {
  return pairs(stats, expected);
}

Texts true_words(std::optional<std::uint32_t> limit, std::uint32_t count, const Texts& expected) {
  Texts words = {limit ? std::to_string(*limit) : "none"};
  if (expected.size() > 1) {
    words.emplace_back("count");
    words.push_back(std::to_string(count));
  }
  return words;
}

std::string dump_line(const ConnectionInfo& info, const Scenario& scenario) {
  const bool ports = has_ports(info.protocol);
  Texts words = {
      to_string(info.protocol),
      endpoint_name(scenario, info.original.source, info.original.source_port, ports),
      ">",
      endpoint_name(scenario, info.original.destination, info.original.destination_port, ports),
      std::string(state_name(info)),
      pair(info.counters[0].packets, info.counters[1].packets)};
  if (info.zone != 0) words.push_back("zone " + std::to_string(info.zone));
  if (info.mark != 0) words.push_back("mark " + hexadecimal(info.mark));
  if (info.label != Label{}) words.push_back("label " + hexadecimal(info.label));
  return join(words, " ");
}

std::string hexadecimal(std::uint64_t value) {
  std::string digits;
  do {
    digits.insert(digits.begin(), "0123456789abcdef"[value & 15]);
    value >>= 4;
  } while (value != 0);
  return "0x" + digits;
}

std::string hexadecimal(const Label& label) {
  std::string digits;
  for (const std::uint8_t byte : label) {
    digits += "0123456789abcdef"[byte >> 4];
    digits += "0123456789abcdef"[byte & 15];
  }
  const std::size_t first = std::min(digits.find_first_not_of('0'), digits.size() - 1);
  return "0x" + digits.substr(first);
}

Label parse_label(std::string_view text) {
  Label label{};
  text.remove_prefix(2);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char digit = text[text.size() - 1 - i];
    const int value = digit <= '9' ? digit - '0' : digit - 'a' + 10;
    const std::size_t byte = 15 - i / 2;
    label[byte] = static_cast<std::uint8_t>(label[byte] | value << (i % 2 * 4));
  }
  return label;
}

Texts canonical(const Texts& expected) {
  constexpr std::array<std::string_view, 4> kTimes = {"timeout", "left", "age", "idle"};
  Texts words = expected;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string& key = words[i - 1];
    const bool time = std::find(kTimes.begin(), kTimes.end(), key) != kTimes.end();
    const auto ns = time ? parse_duration_ns(words[i]) : std::nullopt;
    if (ns) words[i] = format_duration(*ns);
    const auto mark = key == "mark" ? parse_number(words[i]) : std::nullopt;
    if (mark) words[i] = hexadecimal(*mark);
    if (key == "label" && words[i].substr(0, 2) == "0x") {
      words[i] = hexadecimal(parse_label(words[i]));
    }
  }
  return words;
}

std::string join(const Texts& words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += separator;
    text += word;
  }
  return text;
}

}  // namespace uct::scenario
