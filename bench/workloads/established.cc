// Question  What does a packet of an established connection cost?
// Setup     `connections` TCP connections over IPv4 are opened by handshakes. Then each thread
//           sends `packets` acknowledgements within the window, in bursts of 32, each of a
//           connection picked at random and from a side picked at random, so that neither the
//           caches nor the branch predictor know what comes. Time goes on by 1 us a burst. Threads
//           send packets of connections of their own, as the target would steer them.
//             ipv6, udp   datagrams, or longer addresses, instead
//             zipf        a few connections have most of the packets (exponent 1), and were not
//                         opened one after the other
//             single      bursts of one packet
//             unsteered   any thread sends packets of any connection
//           ns_per_packet is from picked numbers to checked verdicts; driver_ns_per_packet is the
//           same loop when nobody answers.
// Cheating would be  to parse or key a packet beforehand, to pick few connections or in an order
//           that can be foreseen, to leave time standing still, or not to look at each verdict.
#include <algorithm>
#include <atomic>

#include "bench/workloads/connections.h"
#include "bench/workloads/harness.h"
#include "bench/workloads/timed_bursts.h"
#include "bench/workloads/workload.h"

namespace uct::bench {

namespace {

constexpr std::uint64_t kPackets = 8'000'000;  ///< a thread and run

/// All runs together take at most this of the caller's time: established UDP lives for 30 s.
constexpr std::chrono::nanoseconds kTimeMax = std::chrono::seconds(20);

/// What the threads do, and the time that goes on from run to run.
class Acknowledgements {
 public:
  Acknowledgements(const Target& target, const Options& options)
      : options_(options), burst_size_(options.single ? 1 : kBurst) {
    const std::uint64_t packets = options.packets != 0 ? options.packets : kPackets;
    const std::uint64_t bursts = (packets + kBurst - 1) / kBurst * (kBurst / burst_size_);
    const auto all_bursts = static_cast<std::int64_t>(bursts * options.runs);
    step_ = std::min<std::chrono::nanoseconds>(kBurstTime, kTimeMax / all_bursts);
    run_time_ = step_ * static_cast<std::int64_t>(bursts);
    const Steering steering(target, options);
    for (unsigned thread = 0; thread < options.threads; ++thread) {
      turns_.push_back(steering.turns(thread, bursts * burst_size_, 1));
    }
  }

  /// Gives     how many packets were not answered as they should be.
  std::uint64_t run(Target& target, Timestamp start, Timings& timings) const {
    std::atomic<std::uint64_t> lost{0};
    const auto elapsed = run_threads(options_.threads, [&](unsigned thread) {
      lost += options_.single ? send<1>(target, turns_[thread], start)
                              : send<kBurst>(target, turns_[thread], start);
    });
    std::vector<double> packets;
    for (const auto& turns : turns_) packets.push_back(static_cast<double>(turns.size()));
    timings.add(elapsed, packets);
    return lost;
  }

  std::chrono::nanoseconds run_time() const { return run_time_; }

 private:
  /// Requires  turns.size() is a multiple of kSize.
  template <std::size_t kSize>
  std::uint64_t send(Target& target, std::span<const Turn> turns, Timestamp now) const {
    Burst burst(shape_of(options_));
    std::array<Verdict, kSize> verdicts;
    const Request request;
    std::uint64_t lost = 0;
    for (std::size_t at = 0; at < turns.size(); at += kSize) {
      for (std::size_t i = 0; i < kSize; ++i) {
        burst.put(i, turns[at + i].connection(), {.from = turns[at + i].side()});
      }
      target.process(burst.packets(kSize), request, now, verdicts);
      for (std::size_t i = 0; i < kSize; ++i) {
        lost += verdicts[i].state == established_state(turns[at + i].side()) ? 0 : 1;
      }
      now += step_;
    }
    return lost;
  }

  const Options& options_;
  const std::size_t burst_size_;
  std::chrono::nanoseconds step_{};
  std::chrono::nanoseconds run_time_{};
  std::vector<std::vector<Turn>> turns_;
};

}  // namespace

Result run_established(const Options& options) {
  Result result;
  const auto target = make_target(options, options.connections);
  if (!target) {
    result.wrong = "no memory for the target";
    return result;
  }
  result.wrong = open_connections(*target, options, 0, options.connections, kStart);
  if (!result.wrong.empty()) return result;

  const Acknowledgements packets(*target, options);
  NullTarget nothing;
  Timings timings;
  Timings driver;
  Timestamp now = kStart;
  std::uint64_t lost = 0;
  for (unsigned run = 0; run < options.runs; ++run) {
    packets.run(nothing, now, driver);
    lost += packets.run(*target, now, timings);
    now += packets.run_time();
  }
  result.ns_per_packet = timings.ns_per_unit();
  result.driver_ns_per_packet = driver.ns_per_unit();
  result.mpps_total = timings.per_second() / 1e6;
  if (lost != 0) result.wrong = "packets of established connections were not answered est";
  return result;
}

}  // namespace uct::bench
