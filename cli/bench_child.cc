#include "cli/bench_child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

namespace uct::cli {

namespace {

std::string system_words(int error) { return std::generic_category().message(error); }

/// A file in memory that a child writes to: unlike a pipe, it needs nobody who reads meanwhile.
class Sink {
 public:
  explicit Sink(const char* name) : descriptor_(::memfd_create(name, MFD_CLOEXEC)) {}
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  ~Sink() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  int descriptor() const { return descriptor_; }

  std::string content() const {
    std::string text;
    std::array<char, 4096> piece;
    for (;;) {
      const ssize_t size =
          ::pread(descriptor_, piece.data(), piece.size(), static_cast<off_t>(text.size()));
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return text;
      text.append(piece.data(), static_cast<std::size_t>(size));
    }
  }

 private:
  int descriptor_;
};

/// Where the child's three descriptors go.
class Actions {
 public:
  Actions() { ::posix_spawn_file_actions_init(&actions_); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  ~Actions() { ::posix_spawn_file_actions_destroy(&actions_); }

  void connect(const Sink& output, const Sink& errors) {
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, output.descriptor(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, errors.descriptor(), STDERR_FILENO);
  }
  void change_folder(const std::string& folder) {
    ::posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str());
  }

  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

/// Gives     what went wrong, in the child's own words where it has some.
std::string failure_of(int status, const std::string& errors) {
  if (WIFSIGNALED(status)) {
    return fmt::format("ended by signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)));
  }
  if (WEXITSTATUS(status) == 0) return {};
  const std::string line = errors.substr(0, errors.find('\n'));
  return line.empty() ? fmt::format("ended with code {}", WEXITSTATUS(status)) : line;
}

void add_net(BenchFigures& figures, const std::string& unit) {
  // A program without a driver of its own, such as the physical floor, has nothing to take off.
  const auto driver = figures.numbers.find("driver_ns_per_" + unit);
  const double off = driver == figures.numbers.end() ? 0 : driver->second;
  for (const char* whose : {"", "plain_", "rival_"}) {
    const std::string figure = whose + ("ns_per_" + unit);
    const auto all = figures.numbers.find(figure);
    if (all != figures.numbers.end()) figures.numbers["net_" + figure] = all->second - off;
  }
}

/// Gives     the last line that begins as an object does.
std::string_view last_object(std::string_view output) {
  while (!output.empty()) {
    if (output.back() == '\n') {
      output.remove_suffix(1);
      continue;
    }
    const std::size_t end = output.rfind('\n');
    const std::size_t start = end == std::string_view::npos ? 0 : end + 1;
    if (output[start] == '{') return output.substr(start);
    output = output.substr(0, start);
  }
  return {};
}

}  // namespace

Ended run_program(const std::string& program, const std::vector<std::string>& arguments,
                  const std::string& folder) {
  Ended ended;
  const Sink output("output");
  const Sink errors("errors");
  if (output.descriptor() < 0 || errors.descriptor() < 0) {
    ended.failure = "no file in memory for its output: " + system_words(errno);
    return ended;
  }
  Actions actions;
  actions.connect(output, errors);
  if (!folder.empty()) actions.change_folder(folder);
  std::vector<std::string> words = {program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  pid_t child = 0;
  const int error =
      ::posix_spawnp(&child, program.c_str(), actions.get(), nullptr, pointers.data(), ::environ);
  if (error != 0) {
    ended.absent = error == ENOENT;
    ended.failure = "cannot start " + program + ": " + system_words(error);
    return ended;
  }
  const int status = wait_for(child);
  ended.output = output.content();
  ended.failure = failure_of(status, errors.content());
  return ended;
}

std::string BenchFigures::word(std::string_view key, std::string_view fallback) const {
  const auto found = words.find(key);
  return found == words.end() ? std::string(fallback) : found->second;
}

BenchFigures read_figures(std::string_view output) {
  BenchFigures figures;
  const auto object = nlohmann::json::parse(last_object(output), nullptr, false);
  if (!object.is_object()) {
    figures.failure = "printed no JSON object";
    return figures;
  }
  for (const auto& [key, value] : object.items()) {
    if (value.is_number()) figures.numbers[key] = value.get<double>();
    if (value.is_string()) figures.words[key] = value.get<std::string>();
    if (value.is_boolean() && value.get<bool>()) figures.words[key] = "true";
  }
  add_net(figures, "packet");
  add_net(figures, "connection");
  figures.failure = figures.word("wrong", "");
  return figures;
}

BenchFigures measure(const std::string& program, const std::vector<std::string>& arguments) {
  const Ended ended = run_program(program, arguments);
  if (ended.failure.empty()) return read_figures(ended.output);
  BenchFigures figures;
  figures.failure = ended.failure;
  return figures;
}

}  // namespace uct::cli
