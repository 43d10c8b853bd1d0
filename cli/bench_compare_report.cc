#include "cli/bench_compare_report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

namespace uct::cli {

namespace {

using Row = std::array<std::string, 8>;

/// More than this many processes beside the measurements are noise to speak of.
constexpr double kLoadMax = 0.5;

const Row kHeads = {"work", "uct", "rival", "its figure", "ratio", "must", "stretch", "met"};

std::string optional_figure(const std::optional<double>& value, std::string_view unit) {
  return value ? figure_text(*value, unit) : "-";
}

Row row_of(const Judged& judged) {
  const Goal& goal = judged.goal;
  return {std::string(goal.work),
          optional_figure(judged.of_uct, goal.unit),
          goal.rival.empty() ? "-" : std::string(goal.rival),
          optional_figure(judged.of_rival, goal.unit),
          ratio_text(judged),
          bound_text(goal, goal.must),
          bound_text(goal, goal.stretch),
          std::string(met_text(judged))};
}

/// Gives     the first round's word: commit, compiler, cpu, cores or date.
std::string word_of(const Comparison& comparison, std::string_view key) {
  for (const Measured& measured : comparison.measured) {
    for (const BenchFigures& round : measured.rounds) {
      if (round.words.contains(key)) return round.word(key, "");
      const auto number = round.numbers.find(key);
      if (number != round.numbers.end()) return fmt::format("{:.0f}", number->second);
    }
  }
  return "unknown";
}

// ---- Markdown ----------------------------------------------------------------------------------

void append_machine(Text& out, const Comparison& comparison) {
  const auto to = fmt::appender(out);
  const auto line = [&](std::string_view what, std::string_view value) {
    fmt::format_to(to, "| {} | {} |\n", what, value);
  };
  append(out, "| | |\n|---|---|\n");
  line("processor", word_of(comparison, "cpu") + ", " + word_of(comparison, "cores") + " cores");
  line("memory", comparison.memory);
  line("kernel", comparison.kernel);
  line("load before", fmt::format("{:.2f}", comparison.load));
  line("compiler", word_of(comparison, "compiler"));
  line("commit", word_of(comparison, "commit"));
  line("date", word_of(comparison, "date"));
  line("to repeat", "`" + comparison.command + "`");
  append(out, "\n");
}

void append_goals_markdown(Text& out, std::span<const Judged> judged) {
  if (judged.empty()) return;
  append(out, "## Goals\n\n");
  for (const std::string& head : kHeads) append(out, "| " + head + " ");
  append(out, "|\n|---|--:|---|--:|--:|--:|--:|---|\n");
  for (const Judged& one : judged) {
    for (const std::string& cell : row_of(one)) append(out, "| " + cell + " ");
    append(out, "|\n");
  }
  append(out, R"(
Ratios: `<=` is uct's figure over the rival's, `>=` how many times faster uct is, or for two threads
how many times as much they do as one. `uct` is the whole call of `process()`, from bytes to
verdict. `rte_hash` is a bulk lookup of 32 ready-made keys and one write to the record, without
parsing, protocol or a keyed hash. Figures for two threads are those of one of them. Translated
connections stand beside plain ones, untranslated, that took turns with them in the same process.

)");
}

void append_pictures(Text& out, const Comparison& comparison) {
  for (const std::string& picture : comparison.pictures) {
    const std::string stem = picture.substr(0, picture.find('.'));
    fmt::format_to(fmt::appender(out), "![{}]({})\n\n", stem, picture);
  }
}

/// Gives     what a program printed of what it was asked, and of the machine: no figures.
bool is_figure(std::string_view key) {
  constexpr std::array<std::string_view, 6> kAsked = {"connections", "packets", "threads",
                                                      "runs",        "shards",  "cores"};
  return std::find(kAsked.begin(), kAsked.end(), key) == kAsked.end();
}

std::set<std::string> figure_names(const Measured& measured) {
  std::set<std::string> names;
  for (const BenchFigures& round : measured.rounds) {
    for (const auto& [key, value] : round.numbers) {
      if (is_figure(key)) names.insert(key);
    }
  }
  return names;
}

std::string plain_text(double value) {
  return fmt::format("{:.{}f}", value, std::abs(value) < 1000 ? 2 : 0);
}

void append_measured(Text& out, const Measured& measured) {
  const auto to = fmt::appender(out);
  std::string label = measured.what.label();
  if (!measured.failure.empty()) {
    std::string failure = measured.failure;
    std::replace(failure.begin(), failure.end(), '|', '/');  // which would end the cell
    fmt::format_to(to, "| {} | {} | | | | {} |\n", label, failure, measured.rounds.size());
  }
  for (const std::string& figure : figure_names(measured)) {
    const std::optional<Spread> values = spread(measured, figure);
    fmt::format_to(to, "| {} | {} | {} | {} | {} | {} |\n", label, figure,
                   plain_text(values->median), plain_text(values->min), plain_text(values->max),
                   measured.rounds.size());
    label.clear();  // once a measurement
  }
}

void append_all_figures(Text& out, std::span<const Measured> measured) {
  append(out,
         "## All figures\n\n"
         "`net_` is a time less the driver's own. Each group's measurements were run in turn, a "
         "process each.\n");
  const Measured* before = nullptr;
  for (const Measured& one : measured) {
    if (before == nullptr || before->what.group != one.what.group) {
      fmt::format_to(fmt::appender(out),
                     "\n### {}\n\n| measurement | figure | median | min | max | rounds |\n"
                     "|---|---|--:|--:|--:|--:|\n",
                     name(one.what.group));
    }
    append_measured(out, one);
    before = &one;
  }
}

// ---- JSON --------------------------------------------------------------------------------------

using Json = nlohmann::ordered_json;

Json to_json(const Measured& measured) {
  Json object;
  object["group"] = name(measured.what.group);
  object["label"] = measured.what.label();
  object["program"] = measured.what.subject == Subject::rte_hash ? "uct-bench-rte-hash" : "uct";
  object["arguments"] = measured.what.arguments();
  object["rounds"] = Json::array();
  for (const BenchFigures& figures : measured.rounds) {
    Json round;
    for (const auto& [key, value] : figures.words) round[key] = value;
    for (const auto& [key, value] : figures.numbers) round[key] = value;
    object["rounds"].push_back(std::move(round));
  }
  if (!measured.failure.empty()) object["failure"] = measured.failure;
  return object;
}

Json to_json(const Judged& judged) {
  const auto set = [](Json& object, const char* key, const std::optional<double>& value) {
    if (value) object[key] = *value;
  };
  Json object;
  object["work"] = judged.goal.work;
  object["rival"] = judged.goal.rival;
  object["unit"] = judged.goal.unit;
  set(object, "uct", judged.of_uct);
  set(object, "rival_figure", judged.of_rival);
  set(object, "ratio", judged.ratio);
  object["must"] = bound_text(judged.goal, judged.goal.must);
  object["stretch"] = bound_text(judged.goal, judged.goal.stretch);
  object["met"] = met_text(judged);
  return object;
}

void append_failures(std::vector<std::string>& notes, std::span<const Measured> all) {
  for (const Measured& measured : all) {
    if (measured.failure.empty()) continue;
    const bool absent = measured.failure == kRteHashNotBuilt;
    std::string note = absent ? "rte_hash" : measured.what.label() + " failed";
    note += ": " + measured.failure;
    if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(note);
  }
}

/// Appends where 99.99 % is not told by enough calls: fewer than this, and it is the longest.
void append_few_calls(std::vector<std::string>& notes, std::span<const Measured> all) {
  constexpr double kCallsMin = 10'000;
  for (const Measured& measured : all) {
    const std::optional<Spread> calls = spread(measured, "timed_calls");
    if (!calls || calls->min >= kCallsMin) continue;
    notes.push_back(
        fmt::format("{}: a round timed only {:.0f} calls, so that its 99.99 % is the "
                    "longest",
                    measured.what.label(), calls->min));
  }
}

}  // namespace

std::vector<std::string> notes_on(const Comparison& comparison) {
  std::vector<std::string> notes;
  append_failures(notes, comparison.measured);
  append_few_calls(notes, comparison.measured);
  if (comparison.load >= kLoadMax) {
    notes.push_back(fmt::format(
        "the machine was busy when the run began (load {:.2f}): the figures tell of that too",
        comparison.load));
  }
  if (comparison.quick) {
    notes.emplace_back("a quick run, with fewer sizes and packets: for a look, not for citing");
  }
  if (word_of(comparison, "slow_build") == "true") {
    notes.emplace_back("this build is not optimised or checks itself: not for citing");
  }
  return notes;
}

void append_goals_text(Text& out, std::span<const Judged> judged) {
  std::vector<Row> rows = {kHeads};
  for (const Judged& one : judged) rows.push_back(row_of(one));
  std::array<std::size_t, kHeads.size()> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool words = i == 0 || i == 2 || i + 1 == row.size();
      const bool last = i + 1 == row.size();
      fmt::format_to(fmt::appender(out), fmt::runtime(words ? "{:<{}}" : "{:>{}}"), row[i],
                     last ? 0 : widths[i]);
      append(out, last ? "\n" : "  ");
    }
  }
}

void append_results_markdown(Text& out, const Comparison& comparison) {
  append(out, "# uct and its rivals on one machine\n\n");
  fmt::format_to(fmt::appender(out),
                 "Written by `uct bench compare`. Figures are medians of {} {}.\n\n",
                 comparison.rounds, comparison.rounds == 1 ? "round" : "rounds");
  append_machine(out, comparison);
  const std::vector<std::string> notes = notes_on(comparison);
  for (const std::string& note : notes) append(out, "- " + note + "\n");
  if (!notes.empty()) append(out, "\n");
  append_goals_markdown(out, comparison.judged);
  append_pictures(out, comparison);
  append_all_figures(out, comparison.measured);
}

void append_results_json(Text& out, const Comparison& comparison) {
  Json object;
  object["command"] = comparison.command;
  object["rounds"] = comparison.rounds;
  object["quick"] = comparison.quick;
  object["kernel"] = comparison.kernel;
  object["memory"] = comparison.memory;
  object["load_before"] = comparison.load;
  for (const char* key : {"cpu", "cores", "compiler", "commit", "date"}) {
    object[key] = word_of(comparison, key);
  }
  object["notes"] = notes_on(comparison);
  object["goals"] = Json::array();
  for (const Judged& judged : comparison.judged) object["goals"].push_back(to_json(judged));
  object["measurements"] = Json::array();
  for (const Measured& measured : comparison.measured) {
    object["measurements"].push_back(to_json(measured));
  }
  append(out, object.dump(1, ' ', false, Json::error_handler_t::replace));
  append(out, "\n");
}

}  // namespace uct::cli
