#include "cli/format_table.h"

#include <algorithm>

#include "cli/durations.h"
#include "cli/tuple_text.h"

namespace uct::cli {

namespace {

using Info = ConnectionInfo;

void fill_protocol(Text& cell, const Info& info, Timestamp) {
  append_protocol(cell, info.protocol);
}
void fill_state(Text& cell, const Info& info, Timestamp) { append(cell, state_name(info)); }
void fill_original(Text& cell, const Info& info, Timestamp) { append_tuple(cell, info.original); }
void fill_reply(Text& cell, const Info& info, Timestamp) { append_tuple(cell, info.reply); }

void fill_packets(Text& cell, const Info& info, Timestamp) {
  fmt::format_to(fmt::appender(cell), "{}/{}", info.counters[0].packets, info.counters[1].packets);
}
void fill_bytes(Text& cell, const Info& info, Timestamp) {
  fmt::format_to(fmt::appender(cell), "{}/{}", info.counters[0].bytes, info.counters[1].bytes);
}
void fill_age(Text& cell, const Info& info, Timestamp now) {
  append_duration(cell, between(info.start, now));
}
void fill_left(Text& cell, const Info& info, Timestamp now) {
  append_duration(cell, between(now, info.expires));
}
void fill_idle(Text& cell, const Info& info, Timestamp now) {
  append_duration(cell, between(info.last_seen, now));
}
void fill_start(Text& cell, const Info& info, Timestamp) { append_time(cell, info.start); }
void fill_zone(Text& cell, const Info& info, Timestamp) { append(cell, fmt::to_string(info.zone)); }
void fill_mark(Text& cell, const Info& info, Timestamp) { append(cell, fmt::to_string(info.mark)); }
void fill_id(Text& cell, const Info& info, Timestamp) { append(cell, fmt::to_string(info.id)); }

void fill_status(Text& cell, const Info& info, Timestamp) {
  append(cell, info.assured ? "assured" : info.seen_reply ? "replied" : "unreplied");
  if (info.picked_up) append(cell, ",picked_up");
}

void fill_scale(Text& cell, const Info& info, Timestamp) {
  if (info.protocol != Protocol::tcp) return append(cell, "-");
  const auto side = [&](const TcpPeerInfo& peer) {
    append(cell, peer.window_scale_known ? fmt::to_string(peer.window_scale) : "-");
  };
  side(info.tcp[0]);
  cell.push_back('/');
  side(info.tcp[1]);
}

}  // namespace

Color state_color(const ConnectionInfo& info) {
  if (info.protocol == Protocol::tcp) {
    switch (info.tcp_state()) {
      case TcpState::established:
        return Color::green;
      case TcpState::none:
      case TcpState::syn_sent:
      case TcpState::syn_recv:
      case TcpState::syn_sent2:
        return Color::yellow;
      default:
        return Color::dim;
    }
  }
  return info.seen_reply ? Color::green : Color::yellow;
}

Table::Table(bool wide, Style style) : style_(style) {
  columns_ = {{"PROTO", false, fill_protocol, 0},
              {"STATE", false, fill_state, 0},
              {"ORIGINAL", false, fill_original, 0},
              {"REPLY", false, fill_reply, 0},
              {"PACKETS", true, fill_packets, 0},
              {"BYTES", true, fill_bytes, 0},
              {"AGE", true, fill_age, 0},
              {"LEFT", true, fill_left, 0}};
  if (wide) {
    columns_.insert(columns_.end(), {{"IDLE", true, fill_idle, 0},
                                     {"STATUS", false, fill_status, 0},
                                     {"ZONE", true, fill_zone, 0},
                                     {"MARK", true, fill_mark, 0},
                                     {"ID", true, fill_id, 0},
                                     {"SCALE", true, fill_scale, 0},
                                     {"START", false, fill_start, 0}});
  }
  for (Column& column : columns_) column.width = column.title.size();
}

void Table::measure(const ConnectionInfo& info, Timestamp now) {
  for (Column& column : columns_) {
    cell_.clear();
    column.fill(cell_, info, now);
    column.width = std::max(column.width, cell_.size());
  }
}

void Table::append_cell(Text& out, const Column& column, std::string_view words, bool last) const {
  const std::size_t blanks = column.width - std::min(column.width, words.size());
  if (column.right) fmt::format_to(fmt::appender(out), "{:{}}", "", blanks);
  append(out, words);
  if (last) return out.push_back('\n');
  fmt::format_to(fmt::appender(out), "{:{}}", "", (column.right ? 0 : blanks) + 2);
}

void Table::append_heading(Text& out) const {
  style_.start(out, Color::bold);
  for (const Column& column : columns_) {
    append_cell(out, column, column.title, &column == &columns_.back());
  }
  style_.end(out);
}

void Table::append_line(Text& out, const ConnectionInfo& info, Timestamp now) {
  for (const Column& column : columns_) {
    cell_.clear();
    column.fill(cell_, info, now);
    const bool painted = style_.colored() && column.fill == fill_state;
    if (painted) style_.start(out, state_color(info));
    append_cell(out, column, view(cell_), &column == &columns_.back());
    if (painted) style_.end(out);
  }
}

}  // namespace uct::cli
