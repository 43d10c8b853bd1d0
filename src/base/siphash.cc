// The lanes are written once, in the compiler's vector types, and compiled for AVX-512, AVX2 and
// the baseline; the processor is asked once, at the first call.
#include "base/siphash.h"

#include <cstring>

namespace uct::core {

namespace {

using Lanes = std::uint64_t __attribute__((vector_size(kHashLanes * 8)));

template <std::size_t kWords>
using Columns = const std::uint64_t (&)[kWords][kHashLanes];
using Hashes = std::uint64_t (&)[kHashLanes];

template <std::size_t kWords>
[[gnu::always_inline]] inline void hash_lanes(Columns<kWords> words, const HashKey& key,
                                              Hashes hashes) {
  Lanes columns[kWords];
  std::memcpy(columns, words, sizeof(columns));
  Lanes result;
  siphash_detail::hash<Lanes, kWords>(columns, key, result);
  std::memcpy(hashes, &result, sizeof(result));
}

template <std::size_t kWords>
void hash_baseline(Columns<kWords> words, const HashKey& key, Hashes hashes) {
  hash_lanes<kWords>(words, key, hashes);
}

#if defined(__x86_64__)
template <std::size_t kWords>
[[gnu::target("avx2")]] void hash_avx2(Columns<kWords> words, const HashKey& key, Hashes hashes) {
  hash_lanes<kWords>(words, key, hashes);
}

template <std::size_t kWords>
[[gnu::target("avx512f,avx512dq,avx512vl")]] void hash_avx512(Columns<kWords> words,
                                                              const HashKey& key, Hashes hashes) {
  hash_lanes<kWords>(words, key, hashes);
}
#endif

template <std::size_t kWords>
using HashFunction = void (*)(Columns<kWords>, const HashKey&, Hashes);

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

void siphash13_lanes_2(const std::uint64_t (&words)[2][kHashLanes], const HashKey& key,
                       std::uint64_t (&hashes)[kHashLanes]) {
  static const HashFunction<2> function = choose<2>();
  function(words, key, hashes);
}

void siphash13_lanes_5(const std::uint64_t (&words)[5][kHashLanes], const HashKey& key,
                       std::uint64_t (&hashes)[kHashLanes]) {
  static const HashFunction<5> function = choose<5>();
  function(words, key, hashes);
}

}  // namespace uct::core
