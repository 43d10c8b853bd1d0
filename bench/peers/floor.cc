// Question  What would a packet of an established connection cost if nothing but the memory had to
//           be waited for?
// Setup     Two arrays in huge pages, as large as a tracker's: an index of 10.3 bytes a connection
//           and records of 64 bytes (IPv6: 128, two lines side by side). A packet picks a random
//           connection, reads a word of its index line, which names the record, and counts in the
//           record. Bursts of 32, each answered before the next: all index lines are prefetched,
//           then all records, then the records are written. A thread has connections of its own.
//           ns_per_packet has the driver in it: picks, and where lines are. The others are what is
//           added to it, less than the lines would take by themselves where caches hold them:
//             two_lines_ns    what the look-up and the update wait for
//             index_line_ns   the index lines alone
//             record_line_ns  the records alone, at places that are known beforehand
//           Everything is measured with prefetches into the first-level cache and into the second;
//           the faster ones count (two_lines_prefetch says which: 1 or 2), as a floor must be.
// Cheating would be  places that follow from the pick alone, since a look-up cannot know them;
//           neighbours picked together; arrays smaller than a tracker's; or writes that the
//           compiler drops. The records' counts are added up in the end.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "bench/peers/huge_pages.h"
#include "bench/workloads/harness.h"
#include "bench/workloads/traffic.h"
#include "bench/workloads/workload.h"

namespace uct::bench {

namespace {

constexpr std::uint64_t kPackets = 8'000'000;

/// What an index takes that has buckets of 64 bytes with ten places, five eighths of them in use.
constexpr double kIndexBytes = 10.3;

struct alignas(64) IndexLine {
  std::array<std::uint32_t, 16> records;
};

struct alignas(64) RecordLine {
  std::uint64_t count;
};

/// The two arrays. Connection numbers are spread over the index in order, six or seven a line, and
/// over the records at random: picks are random, so nothing else needs to be.
class Arrays {
 public:
  Arrays(std::uint64_t connections, bool two_lines)
      : connections_(connections),
        lines_a_record_(two_lines ? 2 : 1),
        index_lines_(static_cast<std::uint64_t>(
            std::ceil(static_cast<double>(connections) * kIndexBytes / sizeof(IndexLine)))),
        lines_a_connection_((index_lines_ << 32) / connections),
        index_(index_lines_ * sizeof(IndexLine)),
        records_(connections * lines_a_record_ * sizeof(RecordLine)) {
    std::vector<std::uint32_t> numbers(connections);
    std::iota(numbers.begin(), numbers.end(), 0U);
    Random random(2);
    for (std::uint64_t i = connections; i > 1; --i) {
      std::swap(numbers[i - 1], numbers[random.below(i)]);
    }
    for (std::uint64_t i = 0; i < connections; ++i) {
      *index_word(static_cast<std::uint32_t>(i)) = numbers[i];
    }
  }

  std::uint32_t* index_word(std::uint32_t connection) const {
    const std::uint64_t line = connection * lines_a_connection_ >> 32;
    // At most seven successive numbers share a line, so that each has a word of its own.
    return &index_.as<IndexLine>()[line].records[connection % 16];
  }

  RecordLine* record(std::uint32_t number) const {
    return records_.as<RecordLine>() + std::uint64_t{number} * lines_a_record_;
  }

  bool two_lines() const { return lines_a_record_ == 2; }

  std::uint64_t total_count() const {
    std::uint64_t total = 0;
    for (std::uint64_t i = 0; i < connections_; ++i) {
      total += record(static_cast<std::uint32_t>(i))->count;
    }
    return total;
  }

 private:
  const std::uint64_t connections_;
  const std::uint64_t lines_a_record_;
  const std::uint64_t index_lines_;
  const std::uint64_t lines_a_connection_;  ///< of the index, times 2^32
  HugePages index_;
  HugePages records_;
};

/// Which lines a packet touches.
enum class Touch : std::uint8_t { none, index, record, both };

/// Locality 3 prefetches into the first-level cache, 2 into the second. No intent to write is told:
/// where a machine has an instruction for that, it knows one level only.
template <int kLocality, bool kTwoLines>
void prefetch_record(const RecordLine* record) {
  __builtin_prefetch(record, 0, kLocality);
  if constexpr (kTwoLines) __builtin_prefetch(record + 1, 0, kLocality);
}

/// The second line's count is always zero, but the compiler and the processor cannot know.
template <bool kTwoLines>
void count_in(RecordLine* record) {
  std::uint64_t one = 1;
  if constexpr (kTwoLines) one += record[1].count;
  record->count += one;
}

/// Sends the picked packets and touches what `kTouch` says.
template <Touch kTouch, int kLocality, bool kTwoLines>
void walk(const Arrays& arrays, std::span<const std::uint32_t> picks) {
  constexpr bool touches_index = kTouch == Touch::index || kTouch == Touch::both;
  constexpr bool touches_record = kTouch == Touch::record || kTouch == Touch::both;
  std::array<const std::uint32_t*, kBurst> words;
  std::array<RecordLine*, kBurst> records;
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at + kBurst <= picks.size(); at += kBurst) {
    for (std::size_t i = 0; i < kBurst; ++i) {
      words[i] = arrays.index_word(picks[at + i]);
      if constexpr (touches_index) __builtin_prefetch(words[i], 0, kLocality);
    }
    for (std::size_t i = 0; i < kBurst; ++i) {
      std::uint32_t number = picks[at + i];
      if constexpr (kTouch == Touch::index) sum += *words[i];
      if constexpr (kTouch == Touch::both) number = *words[i];
      records[i] = arrays.record(number);
      if constexpr (touches_record) prefetch_record<kLocality, kTwoLines>(records[i]);
    }
    if constexpr (touches_record) {
      for (RecordLine* record : records) count_in<kTwoLines>(record);
    }
    // The places count as used, so that the driver alone finds them too.
    asm volatile("" : : "g"(words.data()), "g"(records.data()), "g"(sum) : "memory");
  }
}

template <Touch kTouch, int kLocality>
void walk(const Arrays& arrays, std::span<const std::uint32_t> picks) {
  if (arrays.two_lines()) {
    walk<kTouch, kLocality, true>(arrays, picks);
  } else {
    walk<kTouch, kLocality, false>(arrays, picks);
  }
}

/// Threads with connections of their own, as if a network card had spread them.
class Driver {
 public:
  explicit Driver(const Options& options)
      : arrays_(options.connections, options.ipv6),
        packets_((options.packets != 0 ? options.packets : kPackets) / kBurst * kBurst) {
    const std::uint64_t share = options.connections / options.threads;
    for (unsigned thread = 0; thread < options.threads; ++thread) {
      Random random(1000 + thread + 1);
      std::vector<std::uint32_t>& picks = picks_.emplace_back(packets_);
      for (std::uint32_t& pick : picks) {
        pick = static_cast<std::uint32_t>(thread * share + random.below(share));
      }
    }
  }

  template <Touch kTouch, int kLocality>
  void run(Timings& timings) {
    timings.add(
        run_threads(static_cast<unsigned>(picks_.size()),
                    [&](unsigned thread) { walk<kTouch, kLocality>(arrays_, picks_[thread]); }),
        static_cast<double>(packets_));
    if constexpr (kTouch == Touch::record || kTouch == Touch::both) {
      expected_count_ += packets_ * picks_.size();
    }
  }

  bool counts_are_right() const { return arrays_.total_count() == expected_count_; }

 private:
  const Arrays arrays_;
  const std::uint64_t packets_;  ///< a thread
  std::vector<std::vector<std::uint32_t>> picks_;
  std::uint64_t expected_count_ = 0;
};

/// One touch, prefetched in both ways.
struct Pair {
  Timings first_level, second_level;

  bool second_is_faster() const { return second_level.ns_per_unit() < first_level.ns_per_unit(); }
  const Timings& faster() const { return second_is_faster() ? second_level : first_level; }

  template <Touch kTouch>
  void run(Driver& driver) {
    driver.run<kTouch, 3>(first_level);
    driver.run<kTouch, 2>(second_level);
  }
};

}  // namespace

Result run_floor(const Options& options) {
  Driver driver(options);
  Timings nothing;
  Pair index, record, both;
  for (unsigned run = 0; run < options.runs; ++run) {
    driver.run<Touch::none, 3>(nothing);
    index.run<Touch::index>(driver);
    record.run<Touch::record>(driver);
    both.run<Touch::both>(driver);
  }
  Result result;
  const double driver_ns = nothing.ns_per_unit();
  result.ns_per_packet = both.faster().ns_per_unit();
  result.driver_ns_per_packet = driver_ns;
  result.mpps_total = both.faster().per_second() / 1e6;
  const auto net = [&](const Pair& pair) { return pair.faster().ns_per_unit() - driver_ns; };
  result.extra = {{"index_line_ns", net(index)},
                  {"record_line_ns", net(record)},
                  {"two_lines_ns", net(both)},
                  {"two_lines_prefetch", both.second_is_faster() ? 2.0 : 1.0}};
  if (!driver.counts_are_right()) result.wrong = "records do not hold what was counted in them";
  return result;
}

}  // namespace uct::bench
