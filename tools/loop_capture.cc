// Makes a large capture out of small ones: repeats them, each round with other addresses, until the
// file has a given size.
//
//   loop_capture --size 90M OUT.pcap IN.pcap...
//
// A round is every input once, in order; from the second on, addresses are shifted (readdress.h),
// so that every round's connections are new ones. Times go on: within an input gaps are kept, the
// next one starts a microsecond after the last. Frames that are not Ethernet are left out. Exit 0
// done, 2 usage, 5 an input that cannot be read, 6 an output that cannot be written.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ports/capture/readdress.h"
#include "ports/capture/reader.h"
#include "ports/capture/writer.h"

namespace {

using uct::Timestamp;
using uct::capture::Frame;
using uct::capture::Reader;
using uct::capture::Writer;

constexpr int kUsage = 2;
constexpr int kUnreadable = 5;
constexpr int kUnwritable = 6;

struct Job {
  std::uint64_t size = 0;  ///< bytes the output has at least
  std::string output;
  std::vector<std::string> inputs;
};

// Reads "90M": K, M and G are powers of 1000, as file sizes are told.
std::optional<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t size = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), size);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (code != std::errc{} || size == 0 || size > 1'000'000'000) return std::nullopt;
  if (unit.empty()) return size;
  if (unit == "K") return size * 1'000;
  if (unit == "M") return size * 1'000'000;
  if (unit == "G") return size * 1'000'000'000;
  return std::nullopt;
}

std::optional<Job> parse_arguments(const std::vector<std::string>& arguments) {
  if (arguments.size() < 4 || arguments[0] != "--size") return std::nullopt;
  const auto size = parse_size(arguments[1]);
  if (!size) return std::nullopt;
  return Job{*size, arguments[2], {arguments.begin() + 3, arguments.end()}};
}

class Loop {
 public:
  Loop(const Job& job, Writer& writer) : job_(job), writer_(writer) {}

  // Gives an exit code.
  int run() {
    while (!full()) {
      const std::uint64_t before = written_;
      for (const std::string& input : job_.inputs) {
        const int code = add(input);
        if (code != 0 || full()) return code;
      }
      if (written_ == before) {
        std::fputs("loop_capture: no input has an Ethernet frame\n", stderr);
        return kUnreadable;
      }
      ++round_;
    }
    return 0;
  }

  std::uint64_t written() const { return written_; }
  std::uint32_t rounds() const { return round_ + 1; }

 private:
  bool full() const { return writer_.size() >= job_.size; }

  int add(const std::string& path) {
    auto opened = Reader::open(path);
    if (!opened) {
      std::fprintf(stderr, "loop_capture: %s\n", opened.error().message.c_str());
      return kUnreadable;
    }
    Reader reader = std::move(opened).value();
    first_.reset();
    std::array<Frame, 256> frames;
    while (const std::size_t count = reader.next_burst(frames)) {
      for (std::size_t i = 0; i < count && !full(); ++i) {
        if (!put(path, frames[i])) return kUnwritable;
      }
      if (full()) return 0;
    }
    // A cut input gives what it has; saying so once is enough.
    if (reader.error() && round_ == 0) {
      std::fprintf(stderr, "loop_capture: %s\n", reader.error()->message.c_str());
    }
    return 0;
  }

  bool put(const std::string& path, const Frame& frame) {
    if (frame.link != uct::LinkType::ethernet) {
      if (left_out_.insert(path).second) {
        std::fprintf(stderr, "loop_capture: %s: frames of link type %u are left out\n",
                     path.c_str(), frame.dlt);
      }
      return true;
    }
    bytes_.assign(frame.bytes.begin(), frame.bytes.end());
    if (round_ != 0) uct::capture::readdress(bytes_, round_);
    ++written_;
    return writer_.write(bytes_, moved(frame.time), frame.wire_size);
  }

  // Gives when a frame happens in the output: never before the one written last.
  Timestamp moved(Timestamp time) {
    if (!first_) {
      first_ = time;
      start_ = written_ == 1 ? time : latest_ + std::chrono::microseconds(1);
      latest_ = start_;
    }
    latest_ = std::max(latest_, start_ + (time - *first_));
    return latest_;
  }

  const Job& job_;
  Writer& writer_;
  std::uint32_t round_ = 0;
  std::uint64_t written_ = 0;
  std::set<std::string> left_out_;  ///< inputs that a message was given about
  std::vector<std::byte> bytes_;    ///< of the frame being moved
  std::optional<Timestamp> first_;  ///< time of the present input's first frame
  Timestamp start_{};               ///< where that frame is in the output
  Timestamp latest_{};              ///< of the output's last frame
};

}  // namespace

int main(int argc, char** argv) {
  const auto job = parse_arguments({argv + 1, argv + argc});
  if (!job) {
    std::fputs("usage: loop_capture --size SIZE[K|M|G] OUT.pcap IN.pcap...\n", stderr);
    return kUsage;
  }
  auto created = Writer::create(job->output);
  if (!created) {
    std::fprintf(stderr, "loop_capture: %s\n", created.error().c_str());
    return kUnwritable;
  }
  Writer writer = std::move(created).value();
  Loop loop(*job, writer);
  const int code = loop.run();
  if (!writer.close()) {
    std::fprintf(stderr, "loop_capture: %s\n", writer.error()->c_str());
    return kUnwritable;
  }
  if (code == 0) {
    std::printf("%s: %llu bytes, %llu frames, %u rounds\n", job->output.c_str(),
                static_cast<unsigned long long>(writer.size()),
                static_cast<unsigned long long>(loop.written()), loop.rounds());
  }
  return code;
}
