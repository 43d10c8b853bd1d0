#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

namespace uct::cli {

bool is_terminal(int descriptor) { return ::isatty(descriptor) == 1; }

std::optional<unsigned> terminal_width(int descriptor) {
  if (!is_terminal(descriptor)) return std::nullopt;
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::nullopt;
  return size.ws_col;
}

bool wants_color(ColorMode mode, int descriptor) {
  if (mode != ColorMode::automatic) return mode == ColorMode::always;
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return false;
  const char* terminal = std::getenv("TERM");
  if (terminal != nullptr && std::string_view(terminal) == "dumb") return false;
  return is_terminal(descriptor);
}

void Style::start(Text& out, Color color) const {
  if (!colored_) return;
  switch (color) {
    case Color::bold:
      return append(out, "\x1b[1m");
    case Color::dim:
      return append(out, "\x1b[2m");
    case Color::red:
      return append(out, "\x1b[31m");
    case Color::green:
      return append(out, "\x1b[32m");
    case Color::yellow:
      return append(out, "\x1b[33m");
    case Color::cyan:
      return append(out, "\x1b[36m");
  }
}

void Style::end(Text& out) const {
  if (colored_) append(out, "\x1b[0m");
}

void Style::paint(Text& out, Color color, std::string_view words) const {
  start(out, color);
  append(out, words);
  end(out);
}

}  // namespace uct::cli
