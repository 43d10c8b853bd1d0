// The tracker as a target: one for all threads, or one a thread without locks.
#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "bench/workloads/target.h"

namespace uct::bench {

namespace {

/// The tracker's secret; fixed, so that runs repeat.
constexpr std::array<std::uint64_t, 2> kHashKey = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

/// As docs/tuning.md says: one a thread where each thread has its own, four where any thread may
/// come to any.
unsigned shards_of(const Options& options) {
  if (options.shards != 0) return std::bit_ceil(options.shards);
  if (options.exclusive || options.threads == 1) return 1;
  return std::bit_ceil(options.unsteered ? 4 * options.threads : options.threads);
}

std::unique_ptr<Tracker> make_tracker(const Options& options, std::uint64_t connections) {
  Config config;
  config.max_connections = static_cast<std::uint32_t>(connections);
  config.capacity = config.max_connections;
  config.hash_key = kHashKey;
  config.exclusive = options.exclusive;
  config.shards = shards_of(options);
  auto made = Tracker::create(config);
  return made.ok() ? std::move(made.value()) : nullptr;
}

NatId add_to(Tracker& tracker, const NatSpec& spec) {
  const auto added = tracker.add_nat(spec);
  return added.ok() ? added.value() : NatId::none;
}

class SharedTarget final : public Target {
 public:
  SharedTarget(std::unique_ptr<Tracker> tracker, unsigned shards)
      : tracker_(std::move(tracker)), shards_(shards) {}

  void process(std::span<Packet> burst, const Request& request, Timestamp now,
               std::span<Verdict> verdicts) override {
    tracker_->process(burst, request, now, verdicts);
  }
  std::uint64_t sweep(Timestamp now) override { return tracker_->sweep(now).removed; }
  std::uint64_t connection_count() const override { return tracker_->connection_count(); }
  NatId add_nat(const NatSpec& spec) override { return add_to(*tracker_, spec); }
  unsigned home(const Packet& packet, unsigned threads) const override {
    return tracker_->shard_of(packet, 0) * threads / shards_;
  }

 private:
  std::unique_ptr<Tracker> tracker_;
  unsigned shards_;
};

/// Gives     a number that is the same for both directions, as symmetric RSS would give.
std::uint32_t symmetric_hash(const Packet& packet) {
  constexpr std::size_t kAddresses4 = 26;
  constexpr std::size_t kAddresses6 = 22;
  const bool v6 = packet.data[12] == std::byte{0x86};
  const std::byte* addresses = packet.data + (v6 ? kAddresses6 : kAddresses4);
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at < (v6 ? 32U : 8U); at += 4) {
    std::uint32_t word;
    std::memcpy(&word, addresses + at, sizeof(word));
    sum += word;
  }
  return static_cast<std::uint32_t>(sum * 0x9e3779b1U) >> 16;
}

/// A tracker a thread. A burst belongs to the thread that its first packet's connection belongs to.
class ExclusiveTarget final : public Target {
 public:
  explicit ExclusiveTarget(std::vector<std::unique_ptr<Tracker>> trackers)
      : trackers_(std::move(trackers)) {}

  void process(std::span<Packet> burst, const Request& request, Timestamp now,
               std::span<Verdict> verdicts) override {
    mine_ = home(burst[0], static_cast<unsigned>(trackers_.size()));
    trackers_[mine_]->process(burst, request, now, verdicts);
  }
  std::uint64_t sweep(Timestamp now) override { return trackers_[mine_]->sweep(now).removed; }
  std::uint64_t connection_count() const override {
    std::uint64_t count = 0;
    for (const auto& tracker : trackers_) count += tracker->connection_count();
    return count;
  }
  NatId add_nat(const NatSpec& spec) override {
    NatId id = NatId::none;
    for (const auto& tracker : trackers_) id = add_to(*tracker, spec);  // the same in each
    return id;
  }
  unsigned home(const Packet& packet, unsigned threads) const override {
    return symmetric_hash(packet) % threads;
  }

 private:
  static thread_local unsigned mine_;  ///< the tracker that this thread used last
  std::vector<std::unique_ptr<Tracker>> trackers_;
};

thread_local unsigned ExclusiveTarget::mine_ = 0;

}  // namespace

std::unique_ptr<Target> make_target(const Options& options, std::uint64_t connections) {
  if (options.target == TargetKind::design_2016) return make_design_2016(connections);
  std::vector<std::unique_ptr<Tracker>> trackers(options.exclusive ? options.threads : 1);
  for (auto& tracker : trackers) {
    tracker = make_tracker(options, connections);
    if (!tracker) return nullptr;
  }
  if (options.exclusive) return std::make_unique<ExclusiveTarget>(std::move(trackers));
  return std::make_unique<SharedTarget>(std::move(trackers[0]), shards_of(options));
}

}  // namespace uct::bench
