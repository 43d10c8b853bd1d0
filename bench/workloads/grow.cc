// Question  Does the table pause packets while it grows?
// Setup     A table with room for `connections` holds the first 1,000, established. Every burst of
//           32 then mixes 16 acknowledgements of those and 16 first packets of new connections,
//           until all are open; each call of process() is timed. With several threads each opens
//           the connections that the target would steer to it. A thread beside sweeps all the time,
//           as a gateway's does (exclusive trackers have none): nothing expires, but it makes the
//           memory that will be needed next. Repeated with a fresh table `runs`
//           times, all calls in one histogram; least_max_ns is the longest call of the run where
//           that was shortest: a pause that the table itself makes is in every run, one that the
//           system makes is not. `quiet_*` are bursts of 32 acknowledgements before the growing.
// Cheating would be  to make the table large beforehand, touch its memory, or leave a table half
//           moved to be finished after the last timed call.
#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>

#include "bench/workloads/first_packets.h"
#include "bench/workloads/timed_bursts.h"
#include "bench/workloads/workload.h"

namespace uct::bench {

namespace {

constexpr std::uint64_t kLasting = 1000;
constexpr std::size_t kNewInBurst = kBurst / 2;

struct Outcome {
  LatencyHistogram quiet;
  LatencyHistogram growing;
  std::vector<Elapsed> elapsed;  ///< a thread, while growing
  std::string wrong;
};

/// One thread's part of a growth.
class Grower {
 public:
  /// Requires  `opening` outlives this.
  Grower(Target& target, const Options& options, const Steering& lasting, unsigned thread,
         std::span<const std::uint32_t> opening)
      : bursts_(target, shape_of(options)), picks_(lasting, thread), opening_(opening) {}

  void run_quiet(SharedClock& clock, bool moves_clock) {
    if (picks_.is_empty()) return;
    for (std::size_t at = 0; at < opening_.size(); at += kNewInBurst) {
      if (moves_clock) clock.advance(kBurstTime);
      bursts_.send_established(picks_, kBurst, clock.now());
    }
  }

  void grow(SharedClock& clock, bool moves_clock) {
    if (picks_.is_empty()) return;
    for (std::size_t at = 0; at < opening_.size(); at += kNewInBurst) {
      if (moves_clock) clock.advance(kBurstTime);
      send_mixed(opening_.subspan(at, std::min(kNewInBurst, opening_.size() - at)), clock.now());
    }
  }

  LatencyHistogram take_latencies() { return bursts_.take_latencies(); }
  bool is_wrong() const { return refused_ != 0 || bursts_.lost() != 0; }

 private:
  /// Old and new take turns in the burst.
  void send_mixed(std::span<const std::uint32_t> opening, Timestamp now) {
    for (std::size_t i = 0; i < opening.size(); ++i) {
      picks_.put_next(bursts_.burst(), 2 * i);
      bursts_.burst().put(2 * i + 1, opening[i], kFirstSegment);
    }
    const auto verdicts = bursts_.process(2 * opening.size(), {.commit = true}, now);
    for (std::size_t i = 0; i < opening.size(); ++i) {
      bursts_.check_established(verdicts.subspan(2 * i, 1));
      refused_ += is_admitted(verdicts[2 * i + 1]) ? 0 : 1;
    }
  }

  TimedBursts bursts_;
  Picks picks_;
  const std::span<const std::uint32_t> opening_;
  std::uint64_t refused_ = 0;
};

/// Gives     what a thread opens. Its list is in ascending order, so that the lasting connections
///           stand in front; unsteered, every thread has all in its list and takes a share.
std::span<const std::uint32_t> opening_of(const Steering& all, const Options& options,
                                          std::size_t lasting, unsigned thread) {
  const auto opening = all.connections(thread).subspan(lasting);
  if (!options.unsteered) return opening;
  const std::size_t share = opening.size() / options.threads;
  const bool is_last = thread + 1 == options.threads;
  return opening.subspan(thread * share, is_last ? std::dynamic_extent : share);
}

Outcome grow_once(const Options& options, std::uint64_t lasting_count) {
  Outcome outcome;
  Options lasting_options = options;
  lasting_options.connections = lasting_count;
  const auto target = make_target(options, options.connections);
  if (!target) {
    outcome.wrong = "no memory for the target";
    return outcome;
  }
  outcome.wrong = open_connections(*target, lasting_options, 0, lasting_count, kStart);
  if (!outcome.wrong.empty()) return outcome;

  const Steering lasting(*target, lasting_options);
  const Steering all(*target, options);
  std::vector<std::unique_ptr<Grower>> growers;
  for (unsigned thread = 0; thread < options.threads; ++thread) {
    const auto opening = opening_of(all, options, lasting.connections(thread).size(), thread);
    growers.push_back(std::make_unique<Grower>(*target, options, lasting, thread, opening));
  }
  SharedClock clock;
  run_threads(options.threads,
              [&](unsigned thread) { growers[thread]->run_quiet(clock, thread == 0); });
  for (auto& grower : growers) outcome.quiet.merge(grower->take_latencies());
  const unsigned sweepers = options.exclusive ? 0 : 1;
  std::atomic<unsigned> growing{options.threads};
  outcome.elapsed = run_threads(options.threads + sweepers, [&](unsigned thread) {
    if (thread == options.threads) {
      while (growing.load(std::memory_order_relaxed) != 0) target->sweep(clock.now());
      return;
    }
    growers[thread]->grow(clock, thread == 0);
    growing.fetch_sub(1, std::memory_order_relaxed);
  });
  outcome.elapsed.resize(options.threads);  // the sweeper's does not count
  for (auto& grower : growers) {
    outcome.growing.merge(grower->take_latencies());
    if (grower->is_wrong()) outcome.wrong = "a packet was refused or its connection lost";
  }
  if (outcome.wrong.empty() && target->connection_count() != options.connections) {
    outcome.wrong = "not all were opened";
  }
  return outcome;
}

}  // namespace

Result run_grow(const Options& options) {
  Result result;
  const std::uint64_t lasting = std::min(kLasting, options.connections / 2);
  LatencyHistogram quiet;
  LatencyHistogram growing;
  Timings timings;
  double least_max_ns = std::numeric_limits<double>::max();
  for (unsigned run = 0; run < options.runs && result.wrong.empty(); ++run) {
    const Outcome outcome = grow_once(options, lasting);
    quiet.merge(outcome.quiet);
    growing.merge(outcome.growing);
    least_max_ns = std::min(least_max_ns, static_cast<double>(outcome.growing.max()));
    const double opened = static_cast<double>(options.connections - lasting);
    timings.add(outcome.elapsed, 2 * opened / options.threads);
    result.wrong = outcome.wrong;
  }
  result.ns_per_packet = timings.ns_per_unit();
  result.mpps_total = timings.per_second() / 1e6;
  report_latencies(growing, result);
  report_latencies(quiet, "quiet_", result);
  result.extra.push_back({"least_max_ns", least_max_ns});
  return result;
}

}  // namespace uct::bench
