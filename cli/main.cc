// The program uct: finds the subcommand and hands the rest over.
#include <unistd.h>

#include <array>
#include <csignal>
#include <span>
#include <string>
#include <string_view>

#include "cli/bench.h"
#include "cli/exit_codes.h"
#include "cli/nearest.h"
#include "cli/output.h"
#include "cli/track.h"

namespace uct::cli {

namespace {

using Arguments = std::span<const char* const>;

constexpr std::string_view kHelp =
    "uct " UCT_VERSION
    " - connection tracking in user space\n"
    "\n"
    "Usage: uct COMMAND [OPTIONS]\n"
    "\n"
    "Commands:\n"
    "  track FILE...   the connections in captures, every packet's state, and why\n"
    "  bench WORKLOAD  what tracking costs on this machine\n"
    "  help [COMMAND]  this text, or a command's options\n"
    "  version         the version\n"
    "\n"
    "Examples:\n"
    "  uct track web.pcap\n"
    "  uct track --explain --filter 'tcp port 443' web.pcap\n"
    "  uct bench established --connections 1M\n";

constexpr std::array<std::string_view, 4> kCommands = {"track", "bench", "help", "version"};

int print(std::string_view words) {
  Output out(STDOUT_FILENO);
  append(out.text(), words);
  return exit_code::kDone;
}

int refuse(std::string_view what, std::string_view word) {
  Output errors(STDERR_FILENO);
  append(errors.text(), "uct: unknown " + std::string(what) + " '" + std::string(word) + "'" +
                            did_you_mean(word, kCommands) + "; see uct help\n");
  return exit_code::kUsage;
}

int help(Arguments arguments) {
  if (arguments.empty() || std::string_view(arguments[0]) == "help" ||
      std::string_view(arguments[0]) == "version") {
    return print(kHelp);
  }
  const std::array<const char*, 1> ask = {"--help"};
  if (std::string_view(arguments[0]) == "track") return track(ask);
  if (std::string_view(arguments[0]) == "bench") return bench(ask);
  return refuse("command", arguments[0]);
}

int run(Arguments arguments) {
  if (arguments.empty()) return print(kHelp);
  const std::string_view command = arguments[0];
  const Arguments rest = arguments.subspan(1);
  if (command == "track") return track(rest);
  if (command == "bench") return bench(rest);
  if (command == "help") return help(rest);
  if (command == "--help" || command == "-h") return print(kHelp);
  if (command == "version" || command == "--version" || command == "-V") {
    if (!rest.empty() && std::string_view(rest[0]).starts_with('-')) return print(kHelp);
    return print("uct " UCT_VERSION "\n");
  }
  return refuse(command.starts_with('-') ? "option" : "command", command);
}

}  // namespace

}  // namespace uct::cli

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // writing to nobody becomes an error that Output sees
  return uct::cli::run({argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)});
}
