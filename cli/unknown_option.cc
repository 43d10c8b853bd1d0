#include "cli/unknown_option.h"

#include <CLI/CLI.hpp>
#include <string_view>

#include "cli/nearest.h"

namespace uct::cli {

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

std::string unknown_option(const CLI::App& app, const std::string& word) {
  const std::vector<std::string> names = option_names(app);
  const std::vector<std::string_view> views(names.begin(), names.end());
  return "unknown option " + in_quotes(word) + did_you_mean(word, views);
}

}  // namespace uct::cli
