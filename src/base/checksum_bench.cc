/// What checksums cost, for packets of the sizes that networks have.
///
/// Question   nanoseconds a packet: the Internet checksum as the library takes it, by each vector
///            width and by the loop for short ones; SCTP's CRC32c by instruction and by table.
/// Setup      64 packets of random bytes, 1500 bytes apart, in the first- and second-level caches.
/// Cheating   would be one packet again and again, or sizes that are powers of two only.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <vector>

#include "base/checksum.h"

namespace uct::core {
namespace {

constexpr std::size_t kPackets = 64;
constexpr std::size_t kApart = 1500;

std::vector<std::byte> random_bytes() {
  std::mt19937 random(1);
  std::vector<std::byte> bytes(kPackets * kApart);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

template <typename Sum>
void sum_packets(benchmark::State& state, Sum&& sum) {
  const std::vector<std::byte> bytes = random_bytes();
  const auto size = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    for (std::size_t packet = 0; packet < kPackets; ++packet) {
      benchmark::DoNotOptimize(sum(Bytes(bytes.data() + packet * kApart, size)));
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kPackets));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kPackets * size));
}

void OnesSum(benchmark::State& state) {
  sum_packets(state, [](Bytes bytes) { return ones_sum(bytes); });
}

/// The widths of this processor, the widest first; one that it lacks is measured as the narrowest.
void OnesSumVector(benchmark::State& state) {
  const auto vectors = ones_sum_vectors();
  const auto place = std::min(static_cast<std::size_t>(state.range(1)), vectors.size() - 1);
  sum_packets(state, vectors[place]);
}

void Crc32c(benchmark::State& state) {
  sum_packets(state, [](Bytes bytes) { return crc32c(0, bytes); });
}

void Crc32cTable(benchmark::State& state) {
  sum_packets(state, [](Bytes bytes) { return crc32c_table(0, bytes); });
}

BENCHMARK(OnesSum)->Arg(20)->Arg(52)->Arg(466)->Arg(1460);
BENCHMARK(OnesSumVector)->ArgsProduct({{466, 1460}, {0, 1}});
BENCHMARK(Crc32c)->Arg(52)->Arg(466)->Arg(1460);
BENCHMARK(Crc32cTable)->Arg(466);

}  // namespace
}  // namespace uct::core
