/// What is known of the terminal, if there is one: colours and width.
///
/// Included by the formats for people, by progress.h and by the commands.
/// Threads   reads the environment when asked; Style is a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "cli/output.h"

namespace uct::cli {

enum class ColorMode : std::uint8_t { automatic, always, never };

/// Gives     true when the descriptor is a terminal.
bool is_terminal(int descriptor);

/// Gives     columns of the terminal; nothing when it is none or does not say. No default is made
///           up here: whoever sizes by an unprobed width fills disks with blanks.
std::optional<unsigned> terminal_width(int descriptor);

/// Gives     whether to colour what goes to `descriptor`. Unless `mode` decides, only a terminal
///           that is not `dumb` is coloured, and not when NO_COLOR is set (https://no-color.org).
bool wants_color(ColorMode mode, int descriptor);

enum class Color : std::uint8_t { bold, dim, red, green, yellow, cyan };

/// Paints words, or leaves them plain.
class Style {
 public:
  explicit Style(bool colored = false) : colored_(colored) {}

  void start(Text& out, Color color) const;
  void end(Text& out) const;
  void paint(Text& out, Color color, std::string_view words) const;

  bool colored() const { return colored_; }

 private:
  bool colored_;
};

}  // namespace uct::cli
