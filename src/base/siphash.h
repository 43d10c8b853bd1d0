/// SipHash-1-3: the keyed hash of the table.
///
/// Keyed and not linear, so that nobody who lacks the key can choose tuples that collide (J.-P.
/// Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", 2012; one and three rounds as Rust
/// and Linux use them for tables). Inputs are whole 64-bit words, as keys are. A CRC would be
/// faster and is no option: it is linear, its seed cancels out of the difference of two keys.
/// Threads   pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace uct::core {

using HashKey = std::array<std::uint64_t, 2>;

namespace siphash_detail {

// Macros and results by reference, because vectors wider than the baseline must not cross a call.
#define UCT_ROTATE(x, bits) (((x) << (bits)) | ((x) >> (64 - (bits))))

template <typename Word>
[[gnu::always_inline]] inline void round(Word& v0, Word& v1, Word& v2, Word& v3) {
  v0 += v1;
  v1 = UCT_ROTATE(v1, 13) ^ v0;
  v0 = UCT_ROTATE(v0, 32);
  v2 += v3;
  v3 = UCT_ROTATE(v3, 16) ^ v2;
  v0 += v3;
  v3 = UCT_ROTATE(v3, 21) ^ v0;
  v2 += v1;
  v1 = UCT_ROTATE(v1, 17) ^ v2;
  v2 = UCT_ROTATE(v2, 32);
}
#undef UCT_ROTATE

/// One key, or several side by side: Word is uint64_t or a vector of them.
template <typename Word, std::size_t kWords>
[[gnu::always_inline]] inline void hash(const Word (&words)[kWords], const HashKey& key,
                                        Word& result) {
  const Word zero{};
  Word v0 = zero + (key[0] ^ std::uint64_t{0x736f6d6570736575});
  Word v1 = zero + (key[1] ^ std::uint64_t{0x646f72616e646f6d});
  Word v2 = zero + (key[0] ^ std::uint64_t{0x6c7967656e657261});
  Word v3 = zero + (key[1] ^ std::uint64_t{0x7465646279746573});
  for (const Word& word : words) {
    v3 ^= word;
    round(v0, v1, v2, v3);
    v0 ^= word;
  }
  const Word length = zero + (std::uint64_t{kWords * 8} << 56);
  v3 ^= length;
  round(v0, v1, v2, v3);
  v0 ^= length;
  v2 ^= zero + std::uint64_t{0xff};
  round(v0, v1, v2, v3);
  round(v0, v1, v2, v3);
  round(v0, v1, v2, v3);
  result = v0 ^ v1 ^ v2 ^ v3;
}

}  // namespace siphash_detail

/// Gives     the hash of `words`.
template <std::size_t kWords>
inline std::uint64_t siphash13(const std::uint64_t (&words)[kWords], const HashKey& key) {
  std::uint64_t result;
  siphash_detail::hash<std::uint64_t, kWords>(words, key, result);
  return result;
}

/// Keys hashed side by side by siphash13_lanes.
inline constexpr std::size_t kHashLanes = 8;

/// Keys of kWords words one behind another.
template <std::size_t kWords>
using HashKeys = std::uint64_t[kHashLanes][kWords];

/// Hashes kHashLanes keys at once. Bit-identical to siphash13.
///
/// Cost      2 ns a key with AVX-512, 3 with AVX2, 8 without (docs/performance.md).
void siphash13_lanes_2(const HashKeys<2>& keys, const HashKey& secret,
                       std::uint64_t (&hashes)[kHashLanes]);
void siphash13_lanes_5(const HashKeys<5>& keys, const HashKey& secret,
                       std::uint64_t (&hashes)[kHashLanes]);

/// The two by one name.
inline void hash_lanes(const HashKeys<2>& keys, const HashKey& secret,
                       std::uint64_t (&hashes)[kHashLanes]) {
  siphash13_lanes_2(keys, secret, hashes);
}
inline void hash_lanes(const HashKeys<5>& keys, const HashKey& secret,
                       std::uint64_t (&hashes)[kHashLanes]) {
  siphash13_lanes_5(keys, secret, hashes);
}

}  // namespace uct::core
