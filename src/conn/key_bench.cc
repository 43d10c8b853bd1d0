/// What a key and a counter cost.
///
/// Question   nanoseconds to put a tuple into its canonical key, and to count a packet.
/// Setup      64 random tuples, so that which end is the lower one cannot be foreseen.
/// Cheating   would be tuples of one direction: a branch on the order would then look free.
#include <benchmark/benchmark.h>

#include <array>
#include <random>

#include "conn/key.h"
#include "conn/record.h"

namespace uct::core {
namespace {

std::array<ParsedPacket, 64> random_packets(Family family) {
  std::mt19937 random(1);
  std::array<ParsedPacket, 64> packets;
  for (ParsedPacket& packet : packets) {
    packet.kind = Kind::tcp;
    packet.family = family;
    for (auto& word : packet.source) word = static_cast<std::uint32_t>(random());
    for (auto& word : packet.destination) word = static_cast<std::uint32_t>(random());
    packet.source_port = static_cast<std::uint16_t>(random());
    packet.destination_port = static_cast<std::uint16_t>(random());
  }
  return packets;
}

template <typename Key>
void MakeKey(benchmark::State& state) {
  const auto packets = random_packets(Key::kFamily);
  for (auto _ : state) {
    for (const ParsedPacket& packet : packets) {
      Key key;
      benchmark::DoNotOptimize(make_key(packet, 0, key));
      benchmark::DoNotOptimize(key);
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * packets.size()));
}

void CountPacket(benchmark::State& state) {
  Body body{};
  Cold cold{};
  std::uint32_t bytes = 40;
  for (auto _ : state) {
    bytes = (bytes * 5 + 1) % 1500;
    count_packet(body, cold, static_cast<Direction>(bytes & 1), bytes);
    benchmark::DoNotOptimize(body);
  }
}

BENCHMARK(MakeKey<KeyV4>);
BENCHMARK(MakeKey<KeyV6>);
BENCHMARK(CountPacket);

}  // namespace
}  // namespace uct::core
