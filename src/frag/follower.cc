#include "frag/follower.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace uct::core {

FragmentFollower::FragmentFollower(std::uint32_t max_datagrams, Duration timeout,
                                   const HashKey& hash_key)
    : hash_key_(hash_key),
      timeout_ms_(static_cast<std::uint64_t>(timeout.count())),
      entries_(std::max<std::uint32_t>(max_datagrams, 1)),
      chains_(std::bit_ceil(entries_.size()), kNone),
      chain_mask_(static_cast<std::uint32_t>(chains_.size() - 1)) {}

FragmentFollower::DatagramKey FragmentFollower::make_key(const ParsedPacket& packet, Zone zone) {
  DatagramKey key{};
  std::memcpy(&key[0], packet.source, 16);
  std::memcpy(&key[2], packet.destination, 16);
  key[4] = packet.fragment_id | std::uint64_t{packet.protocol} << 32 | std::uint64_t{zone} << 40 |
           static_cast<std::uint64_t>(packet.family) << 56;
  return key;
}

std::uint32_t FragmentFollower::chain_of(const DatagramKey& key) const {
  std::uint64_t words[5];
  std::copy(key.begin(), key.end(), words);
  return static_cast<std::uint32_t>(siphash13<5>(words, hash_key_)) & chain_mask_;
}

std::uint32_t FragmentFollower::find(const DatagramKey& key, std::uint32_t chain) const {
  std::uint32_t place = chains_[chain];
  while (place != kNone && entries_[place].key != key) place = entries_[place].next;
  return place;
}

void FragmentFollower::unlink(std::uint32_t place) {
  std::uint32_t* link = &chains_[chain_of(entries_[place].key)];
  while (*link != place) link = &entries_[*link].next;
  *link = entries_[place].next;
  entries_[place].used = false;
  --used_;
}

void FragmentFollower::remember(const ParsedPacket& first, Zone zone, std::uint64_t now_ms,
                                const DatagramVerdict& verdict) {
  const DatagramKey key = make_key(first, zone);
  const std::uint32_t chain = chain_of(key);
  const SpinlockGuard guard(lock_);
  if (const std::uint32_t old = find(key, chain); old != kNone) unlink(old);
  Entry& entry = entries_[next_place_];
  if (entry.used) unlink(next_place_);
  entry = {key, verdict, now_ms + timeout_ms_, chains_[chain], true};
  chains_[chain] = next_place_;
  next_place_ = (next_place_ + 1) % static_cast<std::uint32_t>(entries_.size());
  ++used_;
}

std::optional<DatagramVerdict> FragmentFollower::follow(const ParsedPacket& later, Zone zone,
                                                        std::uint64_t now_ms) {
  const DatagramKey key = make_key(later, zone);
  const std::uint32_t chain = chain_of(key);
  const SpinlockGuard guard(lock_);
  const std::uint32_t place = find(key, chain);
  if (place == kNone || entries_[place].expires_ms <= now_ms) return std::nullopt;
  return entries_[place].verdict;
}

std::uint32_t FragmentFollower::size() const {
  const SpinlockGuard guard(lock_);
  return used_;
}

}  // namespace uct::core
