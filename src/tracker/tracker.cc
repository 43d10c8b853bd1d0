// The facade: making a tracker, its settings, its counters.
#include <algorithm>
#include <bit>
#include <limits>

#include <uct/tracker.h>

#include "tracker/pipeline.h"
#include "tracker/tracker_core.h"

namespace uct {

namespace {

constexpr std::int64_t kNoEpoch = std::numeric_limits<std::int64_t>::min();

std::uint32_t capacity_of(const Config& config) {
  if (config.capacity != 0) return std::max(config.capacity, config.max_connections);
  return std::max(config.max_connections, kDefaultMaxConnections);
}

Error check(const Config& config) {
  if (config.max_connections == 0) return Error::capacity_zero;
  if (capacity_of(config) > kMaxConnectionsLimit) return Error::capacity_too_large;
  if (!std::has_single_bit(config.shards) || config.shards > kMaxShards) {
    return Error::shard_count_invalid;
  }
  return core::check_policy(config.timeouts);
}

core::DatagramLimits limits_of(const Config& config) {
  const std::uint32_t share = std::max<std::uint32_t>(config.fragment_source_share, 1);
  core::DatagramLimits limits;
  limits.datagrams = config.max_fragmented_datagrams;
  limits.datagrams_per_source = limits.datagrams / share;
  limits.held_bytes = config.fragments == nullptr ? 0 : config.max_held_fragment_bytes;
  limits.held_bytes_per_source = limits.held_bytes / share;
  limits.timeout_ms = static_cast<std::uint64_t>(config.fragment_timeout.count());
  return limits;
}

}  // namespace

core::TrackerCore::TrackerCore(const Config& settings)
    : config(settings),
      capacity(capacity_of(settings)),
      shard_bits(static_cast<std::uint32_t>(std::countr_zero(settings.shards))),
      shards(new core::Shard[settings.shards]),
      policies(settings.timeouts),
      crowds(settings.hash_key),
      fragments(limits_of(settings), settings.hash_key),
      max_connections(settings.max_connections),
      epoch_ms(kNoEpoch) {}

bool core::TrackerCore::reserve() {
  // Hashing spreads connections unevenly: twice the mean, and some for small tables, is beyond any
  // deviation that a keyed hash shows.
  const std::uint64_t share = capacity / config.shards * std::uint64_t{2} + 8192;
  // In whole chunks, as pools take them.
  constexpr std::uint64_t kChunk = core::NumberPool::kChunk;
  const std::uint64_t wanted = std::min<std::uint64_t>(share, std::uint64_t{capacity} + kChunk);
  const auto most = static_cast<std::uint32_t>((wanted + kChunk - 1) / kChunk * kChunk);
  // Each connection may have a reply tuple, here or in another shard.
  const auto entries = static_cast<std::uint32_t>(std::max<std::uint64_t>(
      most, std::min<std::uint64_t>(std::uint64_t{most} * 2, kMaxConnectionsLimit - kChunk)));
  for (std::uint32_t i = 0; i < config.shards; ++i) {
    core::Shard& shard = shards[i];
    const core::SpinlockGuard guard(shard.lock);
    shard.number = static_cast<std::uint8_t>(i);
    if (!shard.index.reserve(entries) || !shard.v4.reserve(most) || !shard.v6.reserve(most)) {
      return false;
    }
    // Each number may have a label, and each pair become an orphan.
    const std::uint32_t numbers = shard.v4.records.capacity() + shard.v6.records.capacity();
    if (!shard.labels.reserve(numbers) || !shard.orphans.reserve(numbers / 2)) return false;
  }
  return true;
}

std::uint64_t core::TrackerCore::ms_of(Timestamp time) {
  const std::int64_t ms =
      std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
  std::int64_t epoch = epoch_ms.load(std::memory_order_relaxed);
  if (epoch == kNoEpoch) [[unlikely]] {
    // The first time is millisecond 1, so that an earlier one, which is 0, counts as regressed.
    epoch_ms.compare_exchange_strong(epoch, ms - 1, std::memory_order_relaxed);
    epoch = epoch_ms.load(std::memory_order_relaxed);
  }
  return ms <= epoch ? 0 : static_cast<std::uint64_t>(ms - epoch);
}

Timestamp core::TrackerCore::timestamp_of_ms(std::uint64_t ms) const {
  return Timestamp(std::chrono::milliseconds(epoch_ms.load(std::memory_order_relaxed) +
                                             static_cast<std::int64_t>(ms)));
}

Tracker::Tracker(std::unique_ptr<core::TrackerCore> core) : core_(std::move(core)) {}

Tracker::~Tracker() = default;

Result<std::unique_ptr<Tracker>> Tracker::create(const Config& config) {
  if (const Error error = check(config); error != Error::none) return error;
  auto made = std::make_unique<core::TrackerCore>(config);
  if (!made->reserve()) return Error::memory_unavailable;
  return std::unique_ptr<Tracker>(new Tracker(std::move(made)));
}

void Tracker::process(std::span<Packet> burst, const Request& request, Timestamp now,
                      std::span<Verdict> verdicts, std::span<Explanation> explanations) noexcept {
  core::Pipeline(*core_, request, now, burst, verdicts, explanations).run();
}

std::uint32_t Tracker::shard_of(const Packet& packet, Zone zone) const noexcept {
  return core::shard_of(*core_, packet, zone);
}

Error Tracker::set_max_connections(std::uint32_t maximum) {
  if (maximum == 0) return Error::capacity_zero;
  if (maximum > core_->capacity) return Error::capacity_too_large;
  core_->set_max_connections(maximum);
  return Error::none;
}

std::uint32_t Tracker::max_connections() const { return core_->max_connections; }
std::uint32_t Tracker::connection_count() const { return core_->connection_count(); }

void Tracker::set_zone_limit(Zone zone, std::optional<std::uint32_t> limit) {
  core_->zones.set_limit(zone, limit);
  core_->collect_zone_credit(core_->zones.entry(zone));  // from here on they are counted one by one
}
void Tracker::set_default_zone_limit(std::optional<std::uint32_t> limit) {
  core_->zones.set_default_limit(limit);
  core_->collect_zone_credit(nullptr);
}
Tracker::ZoneLimit Tracker::zone_limit(Zone zone) const {
  core_->collect_zone_credit(core_->zones.entry(zone));
  return {core_->zones.limit(zone), core_->zones.count(zone)};
}
std::optional<std::uint32_t> Tracker::default_zone_limit() const {
  return core_->zones.default_limit();
}

Result<TimeoutPolicyId> Tracker::set_timeout_policy(std::string_view name,
                                                    const TimeoutPolicy& policy) {
  return core_->policies.set(name, policy);
}
Error Tracker::set_timeout_policy(TimeoutPolicyId id, const TimeoutPolicy& policy) {
  return core_->policies.set(id, policy);
}
std::optional<TimeoutPolicyId> Tracker::find_timeout_policy(std::string_view name) const {
  return core_->policies.find(name);
}
std::optional<TimeoutPolicy> Tracker::timeout_policy(TimeoutPolicyId id) const {
  return core_->policies.get(id);
}

Duration Tracker::shortest_timeout() const { return core_->policies.shortest(); }

Result<NatId> Tracker::add_nat(const NatSpec& spec) {
  return core_->nats.add(spec, core_->config.hash_key, core_->capacity);
}

Result<NatEndpoint> Tracker::add_mapping(NatId id, const NatRequestedMapping& wanted,
                                         Timestamp now) {
  const core::NatEntry* entry = core_->nats.find(id);
  if (entry == nullptr) return Error::nat_unknown;
  if (entry->mappings == nullptr || !has_ports(wanted.protocol)) return Error::nat_no_mapping;
  const std::uint64_t now_ms = core_->ms_of(now);
  core::NatRandom random(core_->config.hash_key, core_->take_nonces(1));
  NatEndpoint external;
  Reason reason = entry->mappings->add(wanted, now_ms, random, external);
  if (core_->may_try_again(reason, now_ms)) {
    reason = entry->mappings->add(wanted, now_ms, random, external);
  }
  switch (reason) {
    case Reason::none:
      return external;
    case Reason::nat_quota:
      return Error::nat_quota;
    case Reason::nat_not_inside:
      return Error::nat_not_inside;
    case Reason::memory_full:
      return Error::memory_unavailable;
    default:
      return Error::nat_exhausted;
  }
}

bool Tracker::remove_mapping(NatId id, const NatRequestedMapping& wanted, Timestamp now) {
  const core::NatEntry* entry = core_->nats.find(id);
  if (entry == nullptr || entry->mappings == nullptr) return false;
  return entry->mappings->remove(wanted, core_->ms_of(now));
}

Result<NatStats> Tracker::nat_stats(NatId id) const {
  const core::NatEntry* entry = core_->nats.find(id);
  if (entry == nullptr) return Error::nat_unknown;
  NatStats stats;
  if (entry->mappings != nullptr) stats = entry->mappings->stats();
  const core::NatRefusals& refusals = entry->refusals;
  stats.exhausted = refusals.exhausted.load(std::memory_order_relaxed);
  stats.quota = refusals.quota.load(std::memory_order_relaxed);
  stats.unmapped = refusals.unmapped.load(std::memory_order_relaxed);
  stats.filtered = refusals.filtered.load(std::memory_order_relaxed);
  stats.not_inside = refusals.not_inside.load(std::memory_order_relaxed);
  return stats;
}

void Tracker::set_sequence_check(Zone zone, SequenceCheck check) {
  core_->zones.set_check(zone, check);
}
void Tracker::set_default_sequence_check(SequenceCheck check) {
  core_->zones.set_default_check(check);
}
SequenceCheck Tracker::sequence_check(Zone zone) const { return core_->zones.check(zone); }

namespace {

void add_strays(const core::StrayCounters& from, Stats& to) {
  to.packets += from.packets;
  to.bytes += from.bytes;
  to.untracked += from.untracked;
  to.invalid += from.invalid;
  for (std::size_t i = 0; i < kReasonCount; ++i) to.reasons[i] += from.reasons[i];
}

void add_tally(const core::PacketTally& from, Stats& to) {
  to.packets += from.packets;
  to.bytes += from.bytes;
  to.new_ += from.new_;
  to.established += from.established;
  to.related += from.related;
  to.reply += from.reply;
  to.invalid += from.invalid;
}

void add_shard(core::Shard& shard, Stats& to) {
  const core::SpinlockGuard guard(shard.lock);
  add_tally(shard.tally, to);
  const core::ShardCounters from = shard.counters;
  for (std::size_t i = 0; i < kProtocolGroupCount; ++i) {
    to.protocols[i].opened += from.protocols[i].opened;
    to.protocols[i].expired += from.protocols[i].expired;
    to.protocols[i].removed += from.protocols[i].removed;
  }
  to.clock_regressed += from.clock_regressed;
  to.sweeps += from.sweeps;
  to.sweep_removed += from.sweep_removed;
  to.sweep_rearmed += from.sweep_rearmed;
  to.sweep_bound_hits += from.sweep_bound_hits;
  to.timer_moves += from.timer_moves;
  to.connections += shard.index.entries() - shard.aliases;
  to.reply_tuples += shard.aliases;
  to.buckets += shard.index.buckets();
  to.overflow_buckets += shard.index.overflow_buckets();
  to.longest_chain = std::max<std::uint64_t>(to.longest_chain, shard.index.longest_chain());
  to.memory_bytes += shard.index.memory_bytes() + shard.v4.memory_bytes() + shard.v6.memory_bytes();
}

}  // namespace

Stats Tracker::stats() const {
  Stats stats;
  for (const core::StrayCounters& counters : core_->stray_counters) add_strays(counters, stats);
  for (std::uint32_t i = 0; i < 1U << core_->shard_bits; ++i) {
    add_shard(core_->shards[i], stats);
  }
  for (ProtocolStats& protocol : stats.protocols) {
    protocol.live = protocol.opened - protocol.expired - protocol.removed;
  }
  const core::DatagramStats fragments = core_->fragments.stats();
  stats.fragmented_datagrams = fragments.datagrams;
  stats.held_fragments = fragments.held_frames;
  stats.held_fragment_bytes = fragments.held_bytes;
  return stats;
}

}  // namespace uct
