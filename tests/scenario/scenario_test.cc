// Plays every tests/scenario/**/*.scenario (README.md). UCT_UPDATE=1 rewrites what files expect.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/scenario_parse.h"
#include "tests/support/scenario_run.h"

namespace uct::scenario {
namespace {

const char* const kDirectory = UCT_SOURCE_DIR "/tests/scenario";

/// Paths below tests/scenario, sorted.
std::vector<std::string> find_files() {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kDirectory)) {
    if (entry.path().extension() != ".scenario") continue;
    paths.push_back(std::filesystem::relative(entry.path(), kDirectory).string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string read_file(const std::string& path) {
  std::ifstream stream(std::string(kDirectory) + "/" + path);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

void write_file(const std::string& path, const std::vector<std::string>& lines) {
  std::ofstream stream(std::string(kDirectory) + "/" + path);
  for (const std::string& line : lines) stream << line << "\n";
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param.substr(0, info.param.rfind('.'));
  for (char& letter : name) {
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0) letter = '_';
  }
  return name;
}

bool update_wanted() {
  const char* value = std::getenv("UCT_UPDATE");
  return value != nullptr && std::string(value) == "1";
}

class Scenarios : public testing::TestWithParam<std::string> {};

TEST_P(Scenarios, HappensAsWritten) {
  const std::string path = "tests/scenario/" + GetParam();
  const ParseResult parsed = parse(read_file(GetParam()));
  if (!parsed.error.empty()) FAIL() << path << ":" << parsed.line << ": " << parsed.error;
  const Scenario& scenario = parsed.scenario;
  ASSERT_FALSE(scenario.statements.empty()) << path << " says nothing";
  const std::vector<Variant> ways = variants(scenario);
  for (const Variant& variant : ways) {
    const RunResult result = run(scenario, variant);
    if (result.mismatches.empty()) continue;
    if (update_wanted() && &variant == &ways.front()) write_file(GetParam(), result.updated);
    FAIL() << "\n" << describe(path, scenario, variant, result.mismatches);
  }
}

INSTANTIATE_TEST_SUITE_P(Files, Scenarios, testing::ValuesIn(find_files()), test_name);

/// The rules that the first line of a file names: "# T24, T25: ..." gives T24 and T25.
std::set<std::string> rules_of(const std::string& text) {
  std::set<std::string> rules;
  const std::string line = text.substr(0, text.find('\n'));
  const std::size_t colon = line.find(':');
  if (line.rfind("# ", 0) != 0 || colon == std::string::npos) return rules;
  for (std::string word : split(std::string_view(line).substr(2, colon - 2), ',')) {
    word.erase(0, word.find_first_not_of(' '));
    rules.insert(word);
  }
  return rules;
}

std::vector<std::string> all_rules() {
  std::vector<std::string> rules;
  for (int number = 1; number <= 29; ++number) rules.push_back("T" + std::to_string(number));
  for (const char* rule : {"U1", "U2", "U3", "I1", "I2", "I3", "I4", "E1", "E2", "E3", "E4", "S1",
                           "S3", "P1", "P2", "P3", "L1"}) {
    rules.emplace_back(rule);
  }
  return rules;
}

TEST(ScenarioFiles, EveryRuleIsShownByOne) {
  std::set<std::string> shown;
  for (const std::string& path : find_files()) shown.merge(rules_of(read_file(path)));
  for (const std::string& rule : all_rules()) {
    EXPECT_TRUE(shown.count(rule) > 0) << "no file begins with \"# " << rule << ": \"";
  }
}

// ---- the table of Open vSwitch's cases, nat/README.md -------------------------------------------

/// Each case with the files that its row names.
std::map<std::string, std::set<std::string>> table_of_cases() {
  std::map<std::string, std::set<std::string>> table;
  for (const std::string& line : split(read_file("nat/README.md"), '\n')) {
    const std::vector<std::string> columns = split(line, '|');
    if (columns.size() < 4 || columns[2].find(".scenario`") == std::string::npos) continue;
    const std::string name = columns[1].substr(1, columns[1].size() - 2);
    for (const std::string& word : split(columns[2], '`')) {
      if (word.find(".scenario") != std::string::npos) table[name].insert(word);
    }
  }
  return table;
}

/// The quoted names of a first line `# Open vSwitch "a", "b": ...`, which may be several lines.
std::set<std::string> cases_of(const std::string& text) {
  std::set<std::string> cases;
  if (text.rfind("# Open vSwitch \"", 0) != 0) return cases;
  std::string head = text.substr(0, text.find("\":"));
  for (std::size_t end = head.find("\n# "); end != std::string::npos; end = head.find("\n# ")) {
    head.replace(end, 3, " ");
  }
  const std::vector<std::string> parts = split(head, '"');
  for (std::size_t i = 1; i < parts.size(); i += 2) cases.insert(parts[i]);
  return cases;
}

TEST(ScenarioFiles, EveryFileOfTheTableOfCasesExists) {
  const auto table = table_of_cases();
  EXPECT_GE(table.size(), 38U) << "a case is missing, or the table is not understood";
  for (const auto& [name, files] : table) {
    for (const std::string& file : files) {
      EXPECT_TRUE(std::filesystem::exists(std::string(kDirectory) + "/" + file))
          << "\"" << name << "\" is said to be shown by " << file;
    }
  }
}

TEST(ScenarioFiles, ATranslatedCaseIsInTheTableWithItsFile) {
  const auto table = table_of_cases();
  for (const std::string& path : find_files()) {
    if (path.rfind("nat/", 0) != 0) continue;
    for (const std::string& name : cases_of(read_file(path))) {
      const auto row = table.find(name);
      EXPECT_TRUE(row != table.end() && row->second.count(path) > 0)
          << path << " shows \"" << name << "\", and nat/README.md does not say so";
    }
  }
}

TEST(ScenarioFiles, EveryFileSaysWhatItShows) {
  for (const std::string& path : find_files()) {
    EXPECT_EQ(read_file(path).rfind("# ", 0), 0U) << path << " begins without a comment";
  }
}

}  // namespace
}  // namespace uct::scenario
