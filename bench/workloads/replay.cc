// Question  What does a packet of real traffic cost?
// Setup     The Ethernet capture `file` lies in memory and its packets are handed in as they stand
//           there, 32 at a time and in order, with commit, again and again until `packets` are
//           through. Before each further round all addresses move (ports/capture/readdress.h), so
//           that it is new traffic; after each, what expired is swept. Both happen outside the
//           timed sections; the sweeps are reported as sweep_ns_per_packet. Time goes on as in the
//           capture; when half of `connections` are in the table, a day passes at once and takes
//           them all. Checksums are marked good, as a NIC would have verified them: what is wrong
//           with one goes unnoticed. One thread, whatever `threads` says: order is part of the
//           capture.
// Cheating would be  to hand in packets parsed or sorted beforehand, to repeat addresses so that
//           later rounds open nothing, or to refuse connections in a table too small.
#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "bench/workloads/connections.h"
#include "bench/workloads/harness.h"
#include "bench/workloads/workload.h"
#include "ports/capture/readdress.h"
#include "ports/capture/reader.h"

namespace uct::bench {

namespace {

constexpr std::uint64_t kPackets = 8'000'000;

/// Between the last packet of a round and the first of the next.
constexpr std::chrono::milliseconds kPause{1};

/// Longer than any timeout of the default policy.
constexpr std::chrono::hours kEverythingGone{25};

/// A capture's frames, one behind the other in one piece of memory.
class Traffic {
 public:
  /// Gives     what is wrong with the file, or nothing.
  std::string load(const std::string& path) {
    auto opened = capture::Reader::open(path);
    if (!opened) return opened.error().message;
    capture::Reader reader = std::move(opened).value();
    std::array<capture::Frame, 256> frames;
    while (const std::size_t count = reader.next_burst(frames)) {
      for (const capture::Frame& frame : std::span(frames).first(count)) {
        if (frame.link != LinkType::ethernet) return "only Ethernet frames can be readdressed";
        add(frame);
      }
    }
    if (reader.error()) return reader.error()->message;
    if (packets_.empty()) return "the capture holds no packets";
    std::size_t at = 0;
    for (Packet& packet : packets_) {
      packet.data = bytes_.data() + at;
      at += packet.size;
    }
    return {};
  }

  /// Moves every address on.
  void readdress() {
    std::size_t at = 0;
    for (const Packet& packet : packets_) {
      capture::readdress(std::span(bytes_).subspan(at, packet.size), 1);
      at += packet.size;
    }
  }

  std::span<Packet> packets() { return packets_; }

  /// Gives     when each packet came, counted from the first; never less than the one before.
  std::span<const std::chrono::nanoseconds> times() const { return times_; }

 private:
  void add(const capture::Frame& frame) {
    if (packets_.empty()) first_ = frame.time;
    bytes_.insert(bytes_.end(), frame.bytes.begin(), frame.bytes.end());
    Packet packet;
    packet.size = static_cast<std::uint32_t>(frame.bytes.size());
    packet.wire_size = frame.wire_size;
    packet.link = frame.link;
    packet.ip_checksum = ChecksumStatus::good;
    packet.transport_checksum = ChecksumStatus::good;
    packets_.push_back(packet);
    const std::chrono::nanoseconds time = frame.time - first_;
    times_.push_back(times_.empty() ? time : std::max(times_.back(), time));
  }

  std::vector<std::byte> bytes_;
  std::vector<Packet> packets_;
  std::vector<std::chrono::nanoseconds> times_;
  Timestamp first_{};
};

/// How many packets were answered with what.
class Mix {
 public:
  void add(const Verdict& verdict) {
    ++states_[static_cast<std::size_t>(verdict.state)];
    refused_ += is_refusal(verdict.reason) ? 1 : 0;
  }

  /// Gives     the share of packets with this flag.
  double percent(StateFlags flag) const {
    double all = 0;
    double with = 0;
    for (std::size_t state = 0; state < states_.size(); ++state) {
      const auto count = static_cast<double>(states_[state]);
      all += count;
      if (has(static_cast<StateFlags>(state), flag)) with += count;
    }
    return all == 0 ? 0 : with / all * 100;
  }

  std::uint64_t refused() const { return refused_; }

 private:
  std::array<std::uint64_t, 256> states_{};
  std::uint64_t refused_ = 0;
};

/// A target, and its time.
class Replay {
 public:
  Replay(Target& target, Traffic& traffic, std::uint64_t room)
      : target_(target), traffic_(traffic), room_(room) {}

  /// Plays whole rounds until `packets` are through.
  ///
  /// Gives     ns a packet.
  double run(std::uint64_t packets) {
    double elapsed = 0;
    std::uint64_t sent = 0;
    while (sent < packets) {
      const double start = thread_ns();
      play();
      elapsed += thread_ns() - start;
      sent += traffic_.packets().size();
      make_new();
    }
    packets_ += sent;
    return elapsed / static_cast<double>(sent);
  }

  double sweep_ns_per_packet() const { return sweep_ns_ / static_cast<double>(packets_); }
  const Mix& mix() const { return mix_; }

 private:
  void play() {
    const std::span<Packet> packets = traffic_.packets();
    const Request request{.commit = true};
    for (std::size_t at = 0; at < packets.size(); at += kBurst) {
      const std::size_t count = std::min(kBurst, packets.size() - at);
      target_.process(packets.subspan(at, count), request, now_ + traffic_.times()[at], verdicts_);
      for (std::size_t i = 0; i < count; ++i) mix_.add(verdicts_[i]);
    }
  }

  /// Makes new traffic of the capture, and room for it.
  void make_new() {
    traffic_.readdress();
    now_ += traffic_.times().back() + kPause;
    if (target_.connection_count() > room_ / 2) now_ += kEverythingGone;
    const double start = thread_ns();
    while (target_.sweep(now_) != 0) {
    }
    sweep_ns_ += thread_ns() - start;
  }

  Target& target_;
  Traffic& traffic_;
  const std::uint64_t room_;
  Timestamp now_ = kStart;
  std::array<Verdict, kBurst> verdicts_;
  Mix mix_;
  double sweep_ns_ = 0;
  std::uint64_t packets_ = 0;
};

}  // namespace

Result run_replay(const Options& asked) {
  Result result;
  Options options = asked;
  options.threads = 1;
  Traffic traffic;
  result.wrong = options.file.empty() ? "replay needs a file" : traffic.load(options.file);
  if (!result.wrong.empty()) return result;
  const auto target = make_target(options, options.connections);
  if (!target) {
    result.wrong = "no memory for the target";
    return result;
  }
  const std::uint64_t packets = options.packets != 0 ? options.packets : kPackets;
  NullTarget nothing;
  Replay driver(nothing, traffic, options.connections);
  Replay replay(*target, traffic, options.connections);
  std::vector<double> per_packet, driver_per_packet;
  for (unsigned run = 0; run < options.runs; ++run) {
    driver_per_packet.push_back(driver.run(packets));
    per_packet.push_back(replay.run(packets));
  }
  result.ns_per_packet = median(per_packet);
  result.driver_ns_per_packet = median(driver_per_packet);
  result.mpps_total = 1e3 / median(per_packet);
  const Mix& mix = replay.mix();
  result.extra = {{"sweep_ns_per_packet", replay.sweep_ns_per_packet()},
                  {"established_percent", mix.percent(StateFlags::established)},
                  {"new_percent", mix.percent(StateFlags::new_)},
                  {"invalid_percent", mix.percent(StateFlags::invalid)},
                  {"packets_of_a_round", static_cast<double>(traffic.packets().size())}};
  if (mix.refused() != 0) result.wrong = "connections were refused: the table is too small";
  return result;
}

}  // namespace uct::bench
