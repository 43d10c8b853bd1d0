/// What the TCP state machine costs.
///
/// Question   nanoseconds for an acknowledgement inside its window: by the straight line for
///            established connections, and by the state machine.
/// Setup      one connection, packets from random sides.
/// Cheating   would be packets of one side: branches on the direction would look free.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "proto/tcp.h"
#include "proto/tcp_established.h"

namespace uct::core::tcp {
namespace {

Body established_body() {
  Body body{};
  body.state = static_cast<std::uint8_t>(TcpState::established);
  body.status = status::kSeenReply | status::kAssured;
  body.scales = 0x77;
  for (const unsigned side : {0U, 1U}) {
    body.tcp.end[side] = 1000;
    body.tcp.max_end[side] = 9000;
    body.tcp.max_ack[side] = 1000;
    body.tcp.max_window[side] = 64;
  }
  return body;
}

std::vector<Direction> random_directions() {
  std::mt19937 random(1);
  std::vector<Direction> directions(4096);
  for (Direction& direction : directions) direction = static_cast<Direction>(random() & 1);
  return directions;
}

void AckByStraightLine(benchmark::State& state) {
  Body body = established_body();
  const std::vector<Direction> directions = random_directions();
  std::size_t at = 0;
  for (auto _ : state) {
    const Direction direction = directions[at++ % directions.size()];
    benchmark::DoNotOptimize(update_established(body, direction, {1000, 1000, 64}));
    benchmark::DoNotOptimize(body);
  }
}

void AckByStateMachine(benchmark::State& state) {
  Body body = established_body();
  const std::vector<Direction> directions = random_directions();
  ParsedPacket packet;
  packet.kind = Kind::tcp;
  packet.tcp_flags = tcp_flag::kAck;
  packet.seq = packet.ack = 1000;
  packet.window = 64;
  std::size_t at = 0;
  for (auto _ : state) {
    const Direction direction = directions[at++ % directions.size()];
    benchmark::DoNotOptimize(tcp::update(body, direction, packet, ProtocolContext{}));
    benchmark::DoNotOptimize(body);
  }
}

BENCHMARK(AckByStraightLine);
BENCHMARK(AckByStateMachine);

}  // namespace
}  // namespace uct::core::tcp
