#include "nat/crowds.h"

#include <new>

#include "base/bytes.h"

namespace uct::core {

CrowdKey Crowds::make_key(const std::uint32_t (&external)[4], const std::uint32_t (&remote)[4],
                          std::uint16_t remote_port, Zone zone, Kind kind, Family family) const {
  CrowdKey key;
  std::memcpy(&key.words[0], external, sizeof(external));
  std::memcpy(&key.words[2], remote, sizeof(remote));
  key.words[4] = remote_port | std::uint64_t{zone} << 16 | static_cast<std::uint64_t>(kind) << 32 |
                 static_cast<std::uint64_t>(family) << 40;
  key.hash = siphash13(key.words, secret_);
  return key;
}

Crowds::Crowds(const HashKey& secret) : secret_(secret) {}

PortSet* Crowds::find(Stripe& stripe, const CrowdKey& key) {
  if (stripe.sets == nullptr) return nullptr;
  const auto found = stripe.sets->find(key);
  return found == stripe.sets->end() ? nullptr : &found->second;
}

bool Crowds::make(const CrowdKey& key) {
  Stripe& stripe = stripe_of(key);
  const SpinlockGuard guard(stripe.lock);
  if (find(stripe, key) != nullptr) return true;
  if (count_.load(std::memory_order_relaxed) >= kCrowdsMax) return false;
  try {
    if (stripe.sets == nullptr) stripe.sets = std::make_unique<Sets>();
    stripe.sets->try_emplace(key, PortRange{0, 65535});
  } catch (const std::bad_alloc&) {
    return false;
  }
  count_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

Crowds::Take Crowds::take_exact(const CrowdKey& key, std::uint16_t port) {
  if (count() == 0) return Take::no_crowd;
  Stripe& stripe = stripe_of(key);
  const SpinlockGuard guard(stripe.lock);
  PortSet* set = find(stripe, key);
  if (set == nullptr) return Take::no_crowd;
  return set->take_exact(port) ? Take::taken : Take::not_free;
}

Crowds::Take Crowds::take(const CrowdKey& key, PortRange range, std::uint64_t random,
                          std::uint16_t& port) {
  Stripe& stripe = stripe_of(key);
  const SpinlockGuard guard(stripe.lock);
  PortSet* set = find(stripe, key);
  if (set == nullptr) return Take::no_crowd;
  const std::optional<std::uint16_t> taken = set->take_in({range, Parity::any}, random);
  if (!taken) return Take::not_free;
  port = *taken;
  return Take::taken;
}

void Crowds::give_back(const CrowdKey& key, std::uint16_t port) {
  Stripe& stripe = stripe_of(key);
  const SpinlockGuard guard(stripe.lock);
  PortSet* set = find(stripe, key);
  if (set == nullptr || !set->free(port) || set->used() != 0) return;
  stripe.sets->erase(key);
  count_.fetch_sub(1, std::memory_order_relaxed);
}

/// Either end may be the external one: untranslated connections stand in a translation's way too.
template <typename Key>
void Crowds::give_back_ends(const Key& key) {
  for (const unsigned end : {0U, 1U}) {
    std::uint32_t external[4] = {};
    std::uint32_t remote[4] = {};
    std::memcpy(external, key.address[end].data(), sizeof(key.address[0]));
    std::memcpy(remote, key.address[1 - end].data(), sizeof(key.address[0]));
    const bool by_id = has_identifier(key.kind);
    const std::uint16_t port = by_id ? key.port[0] : big_endian(key.port[end]);
    const std::uint16_t remote_port = by_id ? std::uint16_t{0} : big_endian(key.port[1 - end]);
    give_back(make_key(external, remote, remote_port, key.zone, key.kind, Key::kFamily), port);
  }
}

template void Crowds::give_back_ends<KeyV4>(const KeyV4&);
template void Crowds::give_back_ends<KeyV6>(const KeyV6&);

}  // namespace uct::core
