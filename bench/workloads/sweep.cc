// Question  How long does a packet wait when a million connections expire at once?
// Setup     100,000 TCP connections stay established; `connections` others are opened by one packet
//           each and all come due together. A thread of its own sweeps, one default budget after
//           the other, while `threads` threads send bursts of 32 acknowledgements of the lasting
//           connections and time each call of process(). Only calls begun while the sweeper was at
//           work count; when a backlog is gone the next one is made, until the calls of all rounds
//           are as many as the quiet ones or 10 million connections have expired (`timed_calls`,
//           `backlogs`). `quiet_*` are the same calls with nothing to sweep. ns_per_expired is the
//           sweeper's time by the wall clock, packets in its way included.
//           With more threads (the sweeper is one) than processors, the longest calls are those in
//           which the system ran another thread: max_ns and p9999_ns then tell of the scheduler.
// Cheating would be  to let calls count that ran before the sweeper began or after it was done; to
//           sweep less than all; to lose established connections.
#include <algorithm>
#include <atomic>
#include <memory>

#include "bench/workloads/first_packets.h"
#include "bench/workloads/timed_bursts.h"
#include "bench/workloads/workload.h"

namespace uct::bench {

namespace {

constexpr std::uint64_t kLasting = 100'000;
constexpr std::uint64_t kPackets = 6'400'000;  ///< a thread and phase: 200,000 bursts of 32

/// Expired connections in all after which it is enough, however few calls came through meanwhile.
constexpr std::uint64_t kExpiredMax = 10'000'000;

/// So many backlogs at most; lasting connections that are never picked live longer than that.
constexpr std::uint64_t kRoundsMax = 1000;
static_assert(kRoundsMax * kUnansweredGone < std::chrono::hours(24));

/// Sweeps in a row that remove nothing before the workload gives up.
constexpr unsigned kIdleSweepsMax = 1000;

class SweepRun {
 public:
  SweepRun(Target& target, const Options& options, const Options& lasting)
      : target_(target), options_(options), size_(options.single ? 1 : kBurst) {
    const Steering steering(target, lasting);
    for (unsigned thread = 0; thread < options.threads; ++thread) {
      picks_.emplace_back(steering, thread);
      senders_.push_back(std::make_unique<TimedBursts>(target, shape_of(lasting)));
    }
  }

  LatencyHistogram run_quiet(std::uint64_t calls) {
    run_threads(options_.threads, [&](unsigned thread) {
      for (std::uint64_t call = 0; call < calls; ++call) send(thread);
    });
    return take_latencies();
  }

  /// Makes one backlog and sweeps it while packets flow.
  LatencyHistogram run_swept() {
    const std::uint64_t backlog = options_.connections;
    refused_ +=
        send_first_packets(target_, shape_of(options_), kLasting, kLasting + backlog, clock_.now());
    clock_.advance(kUnansweredGone);
    done_.store(false);
    run_threads(options_.threads + 1, [&](unsigned thread) {
      if (thread == options_.threads) return sweep_all();
      do {
        send(thread);
      } while (!done_.load(std::memory_order_relaxed));
    });
    return take_latencies();
  }

  double ns_per_expired() const { return sweep_ns_ / static_cast<double>(removed_); }

  std::string wrong() const {
    std::uint64_t lost = 0;
    for (const auto& sender : senders_) lost += sender->lost();
    if (lost != 0) return "packets of established connections were not answered est";
    if (refused_ != 0) return "short-lived connections were refused";
    if (target_.connection_count() != kLasting) return "expired connections were not swept";
    return {};
  }

 private:
  void send(unsigned thread) {
    if (picks_[thread].is_empty()) return;
    if (thread == 0) clock_.advance(kBurstTime);
    senders_[thread]->send_established(picks_[thread], size_, clock_.now());
  }

  void sweep_all() {
    unsigned idle = 0;
    while (target_.connection_count() > kLasting && idle < kIdleSweepsMax) {
      const double start = thread_ns();
      const std::uint64_t removed = target_.sweep(clock_.now());
      sweep_ns_ += thread_ns() - start;
      removed_ += removed;
      idle = removed == 0 ? idle + 1 : 0;
    }
    done_.store(true);
  }

  LatencyHistogram take_latencies() {
    LatencyHistogram all;
    for (const auto& sender : senders_) all.merge(sender->take_latencies());
    return all;
  }

  Target& target_;
  const Options& options_;
  const std::size_t size_;
  std::vector<Picks> picks_;
  std::vector<std::unique_ptr<TimedBursts>> senders_;
  SharedClock clock_;
  std::atomic<bool> done_{false};
  std::uint64_t refused_ = 0;
  std::uint64_t removed_ = 0;
  double sweep_ns_ = 0;
};

}  // namespace

Result run_sweep(const Options& options) {
  Result result;
  if (options.exclusive) {
    result.wrong = "the sweeper is a thread of its own, so that the tracker needs its locks";
    return result;
  }
  // Established UDP does not outlive a backlog's timeout; the lasting connections are always TCP.
  Options lasting = options;
  lasting.udp = false;
  lasting.connections = kLasting;
  const auto target = make_target(options, options.connections + kLasting);
  if (!target) {
    result.wrong = "no memory for the target";
    return result;
  }
  result.wrong = open_connections(*target, lasting, 0, kLasting, kStart);
  if (!result.wrong.empty()) return result;

  SweepRun run(*target, options, lasting);
  const std::uint64_t packets = options.packets != 0 ? options.packets : kPackets;
  const std::uint64_t calls = std::max<std::uint64_t>(packets / kBurst, 1);
  const LatencyHistogram quiet = run.run_quiet(calls);
  LatencyHistogram swept;
  std::uint64_t rounds = 0;
  const std::uint64_t rounds_max =
      std::clamp<std::uint64_t>(kExpiredMax / options.connections, 1, kRoundsMax);
  while (swept.count() < calls * options.threads && rounds < rounds_max) {
    swept.merge(run.run_swept());
    ++rounds;
  }
  report_latencies(swept, result);
  report_latencies(quiet, "quiet_", result);
  result.extra.push_back({"ns_per_expired", run.ns_per_expired()});
  result.extra.push_back({"timed_calls", static_cast<double>(swept.count())});
  result.extra.push_back({"backlogs", static_cast<double>(rounds)});
  result.wrong = run.wrong();
  return result;
}

}  // namespace uct::bench
