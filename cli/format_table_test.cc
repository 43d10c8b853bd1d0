#include "cli/format_table.h"

#include "cli/samples_test.h"

namespace uct::cli::testing {
namespace {

std::string table_of(bool wide, Style style, const std::vector<ConnectionInfo>& infos) {
  Table table(wide, style);
  for (const ConnectionInfo& info : infos) table.measure(info, at(2.5));
  return text_of([&](Text& out) {
    table.append_heading(out);
    for (const ConnectionInfo& info : infos) table.append_line(out, info, at(2.5));
  });
}

TEST(Table, ColumnsAreAsWideAsWhatStandsInThem) {
  ConnectionInfo ping = echo(Protocol::icmp, "10.0.0.1", "10.0.0.2", 8, 0, 7);
  ping.counters = {{{12'345, 1'000'000}, {1, 84}}};
  EXPECT_EQ(table_of(false, Style(), {closed_tcp(), ping}),
            "PROTO  STATE      ORIGINAL                          REPLY                             "
            "PACKETS       BYTES   AGE   LEFT\n"
            "tcp    TIME_WAIT  10.9.0.1:53636 -> 10.9.0.2:8080   10.9.0.2:8080 -> 10.9.0.1:53636   "
            "    5/5     270/269  2.5s  1m58s\n"
            "icmp   REPLY      10.0.0.1 -> 10.0.0.2 type 8 id 7  10.0.0.2 -> 10.0.0.1 type 0 id 7  "
            "12345/1  1000000/84  2.5s  27.5s\n");
}

TEST(Table, WideShowsWhatElseIsKnown) {
  ConnectionInfo info = closed_tcp();
  info.zone = 5;
  info.id = 99;
  info.mark = 3;
  info.picked_up = true;
  info.tcp[0].window_scale = 7;
  info.tcp[0].window_scale_known = true;
  const std::string text = table_of(true, Style(), {info});
  EXPECT_NE(text.find("IDLE  STATUS             ZONE  MARK  ID  SCALE  START\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("1.5s  assured,picked_up     5     3  99    7/-  2026-11-23T10:00:00.000Z\n"),
            std::string::npos)
      << text;
}

TEST(Table, ColoursChangeNoWidths) {
  const std::string plain = table_of(true, Style(false), {closed_tcp()});
  std::string painted = table_of(true, Style(true), {closed_tcp()});
  EXPECT_NE(painted, plain);
  for (std::size_t start; (start = painted.find('\x1b')) != std::string::npos;) {
    painted.erase(start, painted.find('m', start) - start + 1);
  }
  EXPECT_EQ(painted, plain);
}

TEST(Table, StatesAreColouredByWhereALifeStands) {
  ConnectionInfo info = closed_tcp();
  EXPECT_EQ(state_color(info), Color::dim);
  info.state = static_cast<std::uint8_t>(TcpState::established);
  EXPECT_EQ(state_color(info), Color::green);
  info.state = static_cast<std::uint8_t>(TcpState::syn_sent2);
  EXPECT_EQ(state_color(info), Color::yellow);
}

}  // namespace
}  // namespace uct::cli::testing
