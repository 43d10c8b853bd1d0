#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "cli/terminal.h"

namespace uct::cli {

namespace {

constexpr std::chrono::milliseconds kPatience{500};
constexpr std::chrono::milliseconds kBetweenDrawings{100};
constexpr unsigned kBarWidth = 30;
constexpr unsigned kNarrow = 40;  // room for the numbers alone

}  // namespace

void append_bar(Text& out, const std::string& file, const ReadingPosition& position,
                std::chrono::duration<double> elapsed, unsigned width) {
  const std::size_t start = out.size();
  const auto to = fmt::appender(out);
  const double packets = static_cast<double>(position.packets);
  if (position.bytes_max && *position.bytes_max != 0) {
    const double part = std::min(
        1.0, static_cast<double>(position.bytes) / static_cast<double>(*position.bytes_max));
    const auto filled = static_cast<unsigned>(part * kBarWidth);
    if (width >= kNarrow + kBarWidth) {
      fmt::format_to(to, "[{:#<{}}{:.<{}}] ", "", filled, "", kBarWidth - filled);
    }
    fmt::format_to(to, "{:3.0f} %  ", part * 100);
  }
  fmt::format_to(to, "{:.1f} M packets  ", packets / 1e6);
  if (elapsed.count() > 0) fmt::format_to(to, "{:.1f} M/s  ", packets / elapsed.count() / 1e6);
  append(out, file);
  out.resize(std::min<std::size_t>(out.size(), start + width));
}

Progress::Progress(std::string file, bool enabled)
    : file_(std::move(file)),
      enabled_(enabled && is_terminal(STDERR_FILENO)),
      start_(Clock::now()),
      next_(start_ + kPatience) {}

void Progress::update(const ReadingPosition& position) {
  if (!enabled_) return;
  const Clock::time_point now = Clock::now();
  if (now < next_) return;
  next_ = now + kBetweenDrawings;
  drawn_ = true;
  Output terminal(STDERR_FILENO);
  append(terminal.text(), "\r");
  // One column stays free: some terminals wrap when the last is written.
  const unsigned width = std::max(terminal_width(STDERR_FILENO).value_or(80), 2U) - 1;
  append_bar(terminal.text(), file_, position, now - start_, width);
  append(terminal.text(), "\x1b[K");
}

void Progress::clear() {
  if (!std::exchange(drawn_, false)) return;
  Output terminal(STDERR_FILENO);
  append(terminal.text(), "\r\x1b[K");
}

}  // namespace uct::cli
