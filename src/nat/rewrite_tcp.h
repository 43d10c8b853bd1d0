/// Translates a TCP packet of the express lane: whole, over plain IPv4 or IPv6, and read already.
///
/// What rewrite() does to it, without looking again for what stands where.
///
/// Relies on base and conn/key.h; used by tracker/finish.cc.
/// Threads   pure functions.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/checksum_update.h"
#include "conn/key.h"

namespace uct::core {

/// What the checksums of packets change by.
struct TupleSteps {
  std::uint16_t addresses = 0;  ///< those that cover addresses
  std::uint16_t tuple = 0;      ///< addresses and ports
};

/// Gives     the steps from one tuple to another; which end sends makes no difference to a sum, as
///           long as the same one does.
template <typename Key>
TupleSteps steps_between(const Key& old, const Key& now) {
  ChecksumUpdate update;
  const auto words = [](const auto& numbers) { return std::as_bytes(std::span(numbers)); };
  for (const unsigned end : {0U, 1U})
    update.replace(words(old.address[end]), words(now.address[end]));
  TupleSteps steps;
  steps.addresses = update.folded();
  update.replace(words(old.port), words(now.port));
  steps.tuple = update.folded();
  return steps;
}

/// Gives the packet the tuple that end `from` of `key` sends. `steps` lead from the tuple that it
/// has to this one, or, `back`, from this one to that.
///
/// Requires  a TCP header right behind an IP header without options or extensions at `ip`
/// Cost      2 ns over IPv4
template <typename Key>
[[gnu::always_inline]] inline void rewrite_tcp(std::byte* ip, const Key& key, unsigned from,
                                               TupleSteps steps, bool back) {
  constexpr bool kV4 = Key::kFamily == Family::ipv4;
  constexpr std::size_t kAddresses = kV4 ? 12 : 8;
  constexpr std::size_t kHeader = kV4 ? 20 : 40;
  constexpr std::size_t kTcpChecksum = kHeader + 16;
  const auto follow = [&](std::size_t at, std::uint16_t step) {
    std::uint16_t checksum;
    std::memcpy(&checksum, ip + at, sizeof(checksum));
    checksum = ChecksumStep(step, back).apply(checksum);
    std::memcpy(ip + at, &checksum, sizeof(checksum));
  };
  if constexpr (kV4) {
    // Both ends change places by a rotation: which end sends is as good as random.
    std::uint64_t addresses;
    std::memcpy(&addresses, key.address, sizeof(addresses));
    addresses = std::rotl(addresses, static_cast<int>(32 * from));
    std::memcpy(ip + kAddresses, &addresses, sizeof(addresses));
    follow(10, steps.addresses);
  } else {
    constexpr std::size_t kSize = sizeof(key.address[0]);
    std::memcpy(ip + kAddresses, &key.address[from], kSize);
    std::memcpy(ip + kAddresses + kSize, &key.address[1 - from], kSize);
  }
  std::uint32_t ports;
  std::memcpy(&ports, key.port, sizeof(ports));
  ports = std::rotl(ports, static_cast<int>(16 * from));
  std::memcpy(ip + kHeader, &ports, sizeof(ports));
  follow(kTcpChecksum, steps.tuple);
}

}  // namespace uct::core
