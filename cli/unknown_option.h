/// The options that a command knows, and the error for one that it does not.
///
/// Relies on CLI11 and nearest.h; used by the options of track and bench.
/// Threads   a pure function.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace uct::cli {

/// Gives     every option of `app`, long and short, with its dashes.
std::vector<std::string> option_names(const CLI::App& app);

/// Gives     a sentence that names `word`, and the option that was probably meant.
std::string unknown_option(const CLI::App& app, const std::string& word);

}  // namespace uct::cli
