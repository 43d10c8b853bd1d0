/// Connections for people: columns as wide as what stands in them.
///
/// Included by report.cc, which shows every connection twice: first to measure, then to print, so
/// that a table of millions is never held as text.
/// Threads   one thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include <uct/connection.h>

#include "cli/terminal.h"

namespace uct::cli {

class Table {
 public:
  /// `wide` adds zone, mark, id, status, window scales, idle time and start.
  Table(bool wide, Style style);

  /// Makes room for a connection; to be called for each before the first line.
  void measure(const ConnectionInfo& info, Timestamp now);

  void append_heading(Text& out) const;
  void append_line(Text& out, const ConnectionInfo& info, Timestamp now);

 private:
  struct Column {
    std::string_view title;
    bool right;  ///< aligned to the right
    void (*fill)(Text& cell, const ConnectionInfo& info, Timestamp now);
    std::size_t width;
  };

  void append_cell(Text& out, const Column& column, std::string_view words, bool last) const;

  std::vector<Column> columns_;
  Style style_;
  Text cell_;
};

/// Gives     the colour of a connection's state: yellow while it opens, green while it is in use,
///           dim when it ends.
Color state_color(const ConnectionInfo& info);

}  // namespace uct::cli
