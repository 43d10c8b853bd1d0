#include "bench/workloads/connections.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace uct::bench {

namespace {

constexpr Segment kHandshake[] = {{Side::client, kSyn, 0, 0, 0},
                                  {Side::server, kSyn | kAck, 0, 1, 0},
                                  {Side::client, kAck, 1, 1, 0}};

/// Connections split at a time while they are opened: bounds the lists' memory.
constexpr std::uint64_t kOpenedTogether = 1 << 16;

/// Opens at most kBurst connections.
std::string shake_hands(Target& target, Burst& burst, std::span<const std::uint32_t> connections,
                        bool udp, Timestamp now) {
  std::array<Verdict, kBurst> verdicts;
  const Request request{.commit = true};
  for (const Segment& segment : std::span(kHandshake).first(udp ? 2 : 3)) {
    for (std::size_t i = 0; i < connections.size(); ++i) burst.put(i, connections[i], segment);
    target.process(burst.packets(connections.size()), request, now, verdicts);
    const StateFlags wanted = segment.flags == kSyn ? kNewState : established_state(segment.from);
    const auto answers = std::span(verdicts).first(connections.size());
    const auto odd = std::find_if(answers.begin(), answers.end(),
                                  [&](const Verdict& verdict) { return verdict.state != wanted; });
    if (odd != answers.end()) {
      return "a handshake was answered by " + to_string(odd->state) + ", not " + to_string(wanted);
    }
  }
  return {};
}

std::vector<std::uint32_t> numbers(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint32_t> list(last - first);
  std::iota(list.begin(), list.end(), static_cast<std::uint32_t>(first));
  return list;
}

}  // namespace

bool all_have(std::span<const Verdict> verdicts, StateFlags wanted) {
  return std::all_of(verdicts.begin(), verdicts.end(),
                     [&](const Verdict& verdict) { return verdict.state == wanted; });
}

std::string open_connections(Target& target, const Options& options, std::uint64_t first,
                             std::uint64_t last, Timestamp now) {
  Burst burst(shape_of(options));
  for (std::uint64_t base = first; base < last; base += kOpenedTogether) {
    const std::uint64_t end = std::min(last, base + kOpenedTogether);
    for (const auto& list : split_connections(target, options, base, end)) {
      for (std::size_t at = 0; at < list.size(); at += kBurst) {
        const auto some = std::span(list).subspan(at, std::min(kBurst, list.size() - at));
        std::string wrong = shake_hands(target, burst, some, options.udp, now);
        if (!wrong.empty()) return wrong;
      }
    }
  }
  return {};
}

std::vector<std::vector<std::uint32_t>> split_connections(const Target& target,
                                                          const Options& options,
                                                          std::uint64_t first, std::uint64_t last) {
  std::vector<std::vector<std::uint32_t>> lists(options.threads);
  if (options.threads == 1 || options.unsteered) {
    for (std::uint64_t thread = 0; thread < options.threads; ++thread) {
      lists[thread] = numbers(first + (last - first) * thread / options.threads,
                              first + (last - first) * (thread + 1) / options.threads);
    }
    return lists;
  }
  Burst burst(shape_of(options));
  for (std::uint64_t connection = first; connection < last; ++connection) {
    burst.put(0, connection, kHandshake[0]);
    const unsigned thread = target.home(burst.packets(1)[0], options.threads);
    lists[thread].push_back(static_cast<std::uint32_t>(connection));
  }
  return lists;
}

Steering::Steering(const Target& target, const Options& options) : zipf_(options.zipf) {
  if (options.unsteered) {
    lists_.assign(options.threads, numbers(0, options.connections));
  } else {
    lists_ = split_connections(target, options, 0, options.connections);
  }
}

std::vector<std::uint32_t> Steering::picks(unsigned thread, std::uint64_t count,
                                           std::uint64_t seed) const {
  const std::vector<std::uint32_t>& mine = lists_[thread];
  if (mine.empty()) return {};
  std::vector<std::uint32_t> picks(count);
  Random random(seed * 1000 + thread);
  const double ranks = std::log(static_cast<double>(mine.size()) + 1);
  for (std::uint32_t& pick : picks) {
    std::uint64_t place = random.below(mine.size());
    if (zipf_) {
      // Rank r has 1/r of the first one's packets: r = exp(u * ln(n + 1)), u uniform.
      const double u = static_cast<double>(random.next() >> 11) * 0x1p-53;
      const auto rank = static_cast<std::uint64_t>(std::exp(u * ranks)) - 1;
      // The busy ones were not opened side by side. A prime is a stranger to any smaller size.
      place = std::min<std::uint64_t>(rank, mine.size() - 1) * 2654435761U % mine.size();
    }
    pick = mine[place];
  }
  return picks;
}

std::vector<Turn> Steering::turns(unsigned thread, std::uint64_t count, std::uint64_t seed) const {
  const std::vector<std::uint32_t> connections = picks(thread, count, seed);
  std::vector<Turn> turns(connections.size());
  Random random(seed * 1000 + thread + 500);
  for (std::size_t i = 0; i < turns.size(); ++i) {
    turns[i] = {connections[i], static_cast<Side>(random.next() >> 63)};
  }
  return turns;
}

}  // namespace uct::bench
