#include "cli/summary.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "cli/durations.h"

namespace uct::cli {

namespace {

std::string counted(std::uint64_t count) {
  Text text;
  append_count(text, count);
  return std::string(view(text));
}

/// Appends the words in front of a line of the summary.
void append_label(Text& out, std::string_view label, Style style) {
  append(out, "  ");
  style.paint(out, Color::bold, label);
  const std::size_t width = 13;
  fmt::format_to(fmt::appender(out), "{:{}}", "", width - std::min(width, label.size()));
}

void append_packets(Text& out, const RunFacts& facts, Style style) {
  append_label(out, "packets", style);
  append_count(out, facts.frames_tracked);
  if (facts.frames_tracked != facts.frames_read) {
    fmt::format_to(fmt::appender(out), " of {}", counted(facts.frames_read));
  }
  append(out, ", ");
  append_size(out, facts.stats.bytes);
  append(out, ", ");
  append_duration(out, between(facts.first, facts.last));
  append(out, " of capture time\n");
  if (facts.written == 0) return;
  append_label(out, "written", style);
  append_count(out, facts.written);
  append(out, " packets\n");
}

void append_states(Text& out, const Stats& stats, Style style) {
  append_label(out, "by state", style);
  const std::array<std::pair<std::string_view, std::uint64_t>, 6> states = {
      {{"new", stats.new_},
       {"established", stats.established},
       {"related", stats.related},
       {"reply", stats.reply},
       {"invalid", stats.invalid},
       {"untracked", stats.untracked}}};
  bool first = true;
  for (const auto& [words, count] : states) {
    if (!first) append(out, ", ");
    first = false;
    const bool red = words == "invalid" && count != 0;
    if (red) style.start(out, Color::red);
    fmt::format_to(fmt::appender(out), "{} {}", words, counted(count));
    if (red) style.end(out);
  }
  out.push_back('\n');
}

void append_connections(Text& out, const Stats& stats, Style style) {
  bool first = true;
  for (std::size_t i = 0; i < kProtocolGroupCount; ++i) {
    const ProtocolStats& of = stats.protocols[i];
    if (of.opened == 0) continue;
    append_label(out, first ? "connections" : "", first ? style : Style());
    first = false;
    fmt::format_to(fmt::appender(out), "{:<8} opened {}, expired {}, live {}",
                   name(static_cast<ProtocolGroup>(i)), counted(of.opened), counted(of.expired),
                   counted(of.live));
    if (of.removed != 0) fmt::format_to(fmt::appender(out), ", replaced {}", counted(of.removed));
    out.push_back('\n');
  }
  if (!first) return;
  append_label(out, "connections", style);
  append(out, "none\n");
}

/// Appends the reasons with their counts, the most frequent first.
void append_reasons(Text& out, const Stats& stats, Style style) {
  std::vector<Reason> reasons;
  for (std::size_t i = 1; i < kReasonCount; ++i) {
    if (stats.reasons[i] != 0) reasons.push_back(static_cast<Reason>(i));
  }
  std::stable_sort(reasons.begin(), reasons.end(),
                   [&](Reason a, Reason b) { return stats.reason(a) > stats.reason(b); });
  std::size_t count_width = 0;
  std::size_t name_width = 0;
  for (const Reason reason : reasons) {
    count_width = std::max(count_width, counted(stats.reason(reason)).size());
    name_width = std::max(name_width, name(reason).size());
  }
  for (const Reason reason : reasons) {
    const bool first = reason == reasons.front();
    append_label(out, first ? "reasons" : "", first ? style : Style());
    fmt::format_to(fmt::appender(out), "{:>{}}  {:<{}}  {}\n", counted(stats.reason(reason)),
                   count_width, name(reason), name_width, describe(reason));
  }
}

void append_speed(Text& out, const RunFacts& facts, Style style) {
  append_label(out, "speed", style);
  fmt::format_to(fmt::appender(out), "{:.2f} M packets/s, {:.0f} ns a packet (reading included)\n",
                 facts.packets_per_second() / 1e6, facts.ns_per_packet());
  append_label(out, "memory", style);
  append_size(out, facts.stats.memory_bytes);
  append(out, " for connections, ");
  append_size(out, facts.peak_memory_bytes);
  append(out, " for the whole process\n");
}

}  // namespace

void append_count(Text& out, std::uint64_t count) {
  const fmt::format_int digits(count);
  const std::size_t size = digits.size();
  for (std::size_t i = 0; i < size; ++i) {
    if (i != 0 && (size - i) % 3 == 0) out.push_back(',');
    out.push_back(digits.data()[i]);
  }
}

void append_size(Text& out, std::uint64_t bytes) {
  if (bytes < 1024) {
    fmt::format_to(fmt::appender(out), "{} B", bytes);
    return;
  }
  constexpr std::array<std::string_view, 5> units = {"KiB", "MiB", "GiB", "TiB", "PiB"};
  double amount = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (amount >= 1024 && unit + 1 < units.size()) {
    amount /= 1024;
    ++unit;
  }
  fmt::format_to(fmt::appender(out), "{:.1f} {}", amount, units[unit]);
}

void append_summary(Text& out, const RunFacts& facts, Style style) {
  append_packets(out, facts, style);
  append_states(out, facts.stats, style);
  append_connections(out, facts.stats, style);
  append_reasons(out, facts.stats, style);
  append_speed(out, facts, style);
}

}  // namespace uct::cli
