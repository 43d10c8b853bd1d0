// The lanes are written once, in the compiler's vector types, and compiled for AVX-512, AVX2 and
// the baseline; the processor is asked once, at the first call.
#include "base/siphash.h"

#include <cstring>

namespace uct::core {

namespace {

using Lanes = std::uint64_t __attribute__((vector_size(kHashLanes * 8)));

using Hashes = std::uint64_t (&)[kHashLanes];

/// Word w of all keys side by side. Two words, the keys of IPv4, are parted by shuffles.
[[gnu::always_inline]] inline void part_words(const HashKeys<2>& keys, Lanes (&columns)[2]) {
  Lanes low;
  Lanes high;
  std::memcpy(&low, keys, sizeof(low));
  std::memcpy(&high, keys[kHashLanes / 2], sizeof(high));
  columns[0] = __builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14);
  columns[1] = __builtin_shufflevector(low, high, 1, 3, 5, 7, 9, 11, 13, 15);
}

template <std::size_t kWords>
[[gnu::always_inline]] inline void part_words(const HashKeys<kWords>& keys,
                                              Lanes (&columns)[kWords]) {
  for (std::size_t w = 0; w < kWords; ++w) {
    columns[w] = Lanes{keys[0][w], keys[1][w], keys[2][w], keys[3][w],
                       keys[4][w], keys[5][w], keys[6][w], keys[7][w]};
  }
}

template <std::size_t kWords>
[[gnu::always_inline]] inline void hash_vectors(const HashKeys<kWords>& keys, const HashKey& secret,
                                              Hashes hashes) {
  Lanes columns[kWords];
  part_words(keys, columns);
  Lanes result;
  siphash_detail::hash<Lanes, kWords>(columns, secret, result);
  std::memcpy(hashes, &result, sizeof(result));
}

template <std::size_t kWords>
void hash_baseline(const HashKeys<kWords>& keys, const HashKey& secret, Hashes hashes) {
  hash_vectors<kWords>(keys, secret, hashes);
}

#if defined(__x86_64__)
template <std::size_t kWords>
[[gnu::target("avx2")]] void hash_avx2(const HashKeys<kWords>& keys, const HashKey& secret,
                                       Hashes hashes) {
  hash_vectors<kWords>(keys, secret, hashes);
}

template <std::size_t kWords>
[[gnu::target("avx512f,avx512dq,avx512vl")]] void hash_avx512(const HashKeys<kWords>& keys,
                                                              const HashKey& secret,
                                                              Hashes hashes) {
  hash_vectors<kWords>(keys, secret, hashes);
}
#endif

template <std::size_t kWords>
using HashFunction = void (*)(const HashKeys<kWords>&, const HashKey&, Hashes);

template <std::size_t kWords>
HashFunction<kWords> choose() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    return hash_avx512<kWords>;
  }
  if (__builtin_cpu_supports("avx2")) return hash_avx2<kWords>;
#endif
  return hash_baseline<kWords>;
}

}  // namespace

void siphash13_lanes_2(const HashKeys<2>& keys, const HashKey& secret,
                       std::uint64_t (&hashes)[kHashLanes]) {
  static const HashFunction<2> function = choose<2>();
  function(keys, secret, hashes);
}

void siphash13_lanes_5(const HashKeys<5>& keys, const HashKey& secret,
                       std::uint64_t (&hashes)[kHashLanes]) {
  static const HashFunction<5> function = choose<5>();
  function(keys, secret, hashes);
}

}  // namespace uct::core
