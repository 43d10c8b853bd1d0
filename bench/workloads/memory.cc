// Question  How much memory does a connection take, and is it given back?
// Setup     A target with room for `connections`. The process's resident memory is read from the
//           kernel before the target is made, when it is empty, and at 1 k, 100 k, 1 M and 4 M
//           connections as far as `connections` goes, each opened by one packet (TCP and IPv4
//           unless told otherwise), and when it is full. Then all come due and are swept; some
//           sweeps later what is still resident is read again. bytes_per_connection is when full,
//           the empty target's share included.
// Cheating would be  to count what the target says of itself, to leave out what it takes when empty
//           or reserves in pages that are touched, or to take memory in the driver, which keeps
//           nothing a connection. A first target, made, filled a little and dropped, has brought
//           the code's own pages in before.
#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include "bench/workloads/connections.h"
#include "bench/workloads/first_packets.h"
#include "bench/workloads/harness.h"
#include "bench/workloads/workload.h"

namespace uct::bench {

namespace {

struct Size {
  std::uint64_t connections;
  const char* name;
};

constexpr Size kSizes[] = {{1000, "resident_1k_bytes"},
                           {100'000, "resident_100k_bytes"},
                           {1'000'000, "resident_1m_bytes"},
                           {4'000'000, "resident_4m_bytes"}};

constexpr std::uint64_t kWarmUp = 256;

/// Time in which a table is filled: less than the life of an unanswered connection.
constexpr std::chrono::seconds kFilling{10};

/// Sweeps after the last connection is gone, a second apart, for memory to be given back.
constexpr unsigned kIdleSweeps = 64;

/// Sweeps before a table that does not drain is given up.
constexpr unsigned kSweepsMax = 1'000'000;

/// The kernel's exact count; /proc/self/statm lags behind by what each thread has not yet added.
double resident_bytes() {
  std::ifstream rollup("/proc/self/smaps_rollup");
  std::string line;
  while (std::getline(rollup, line)) {
    unsigned long long kib = 0;
    if (std::sscanf(line.c_str(), "Rss: %llu kB", &kib) == 1) {
      return static_cast<double>(kib) * 1024;
    }
  }
  return 0;
}

void drain(Target& target, Timestamp now) {
  for (unsigned sweep = 0; target.connection_count() != 0 && sweep < kSweepsMax; ++sweep) {
    target.sweep(now);
  }
  for (unsigned sweep = 0; sweep < kIdleSweeps; ++sweep) {
    now += std::chrono::seconds(1);
    target.sweep(now);
  }
}

void warm_up(const Options& options) {
  const auto target = make_target(options, kWarmUp);
  if (!target) return;
  send_first_packets(*target, shape_of(options), 0, kWarmUp, kStart);
  drain(*target, kStart + kUnansweredGone);
}

/// Fills one target step by step, reading the kernel's count between.
class Filling {
 public:
  Filling(const Options& options, Result& result)
      : options_(options), result_(result), before_(resident_bytes()) {}

  bool make() {
    target_ = make_target(options_, options_.connections);
    return target_ != nullptr;
  }

  double note(const char* name) {
    const double bytes = resident_bytes() - before_;
    result_.extra.push_back({name, bytes});
    return bytes;
  }

  /// Opens connections up to `count`, evenly over the time that filling all takes.
  void fill_to(std::uint64_t count) {
    const Timestamp from = when(opened_);
    refused_ +=
        send_first_packets(*target_, shape_of(options_), opened_, count, from, when(count) - from);
    opened_ = count;
  }

  void drain() { bench::drain(*target_, kStart + kFilling + kUnansweredGone); }

  std::string wrong() const {
    if (refused_ != 0) return "connections were refused";
    if (target_->connection_count() != 0) return "the table did not drain";
    return before_ == 0 ? "the kernel does not tell what is resident" : "";
  }

 private:
  Timestamp when(std::uint64_t opened) const {
    const double part = static_cast<double>(opened) / static_cast<double>(options_.connections);
    return kStart + std::chrono::nanoseconds(static_cast<std::int64_t>(
                        part * static_cast<double>(std::chrono::nanoseconds(kFilling).count())));
  }

  const Options& options_;
  Result& result_;
  const double before_;
  std::unique_ptr<Target> target_;
  std::uint64_t opened_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace

Result run_memory(const Options& given) {
  Options options = given;
  options.threads = 1;
  Result result;
  warm_up(options);
  Filling filling(options, result);
  if (!filling.make()) {
    result.wrong = "no memory for the target";
    return result;
  }
  filling.note("resident_empty_bytes");
  for (const Size& size : kSizes) {
    if (size.connections > options.connections) break;
    filling.fill_to(size.connections);
    filling.note(size.name);
  }
  filling.fill_to(options.connections);
  const double full = filling.note("resident_full_bytes");
  result.bytes_per_connection = full / static_cast<double>(options.connections);
  filling.drain();
  filling.note("resident_drained_bytes");
  result.wrong = filling.wrong();
  return result;
}

}  // namespace uct::bench
