#include "nat/rewrite_tcp.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <random>

#include "base/bytes.h"
#include "nat/rewrite.h"

namespace uct::core {
namespace {

constexpr std::size_t kTcpSize = 20;

template <typename Key>
Key random_key(std::mt19937& random) {
  Key key{};
  for (auto& address : key.address) {
    for (std::uint32_t& word : address) word = static_cast<std::uint32_t>(random());
  }
  for (std::uint16_t& port : key.port) port = static_cast<std::uint16_t>(random());
  return key;
}

/// The tuple that end `from` of `key` sends.
template <typename Key>
Translation tuple_of(const Key& key, unsigned from) {
  Translation to;
  std::memcpy(to.source, key.address[from].data(), sizeof(key.address[0]));
  std::memcpy(to.destination, key.address[1 - from].data(), sizeof(key.address[0]));
  to.source_port = big_endian(key.port[from]);
  to.destination_port = big_endian(key.port[1 - from]);
  return to;
}

/// Bytes at random, but for what says that it is a TCP packet, and its tuple. Checksums are wrong,
/// and must stay wrong by as much.
template <typename Key>
void agrees_with_rewrite() {
  constexpr bool kV4 = Key::kFamily == Family::ipv4;
  constexpr std::size_t kHeader = kV4 ? 20 : 40;
  using Frame = std::array<std::byte, kHeader + kTcpSize>;
  std::mt19937 random(7);
  for (int round = 0; round < 40'000; ++round) {
    Frame frame;
    // Few different bytes, so that sums meet their borders.
    for (std::byte& byte : frame) byte = static_cast<std::byte>(0 - (random() % 4));
    if (round % 2 == 0) {
      for (std::byte& byte : frame) byte = static_cast<std::byte>(random());
    }
    frame[0] = static_cast<std::byte>(kV4 ? 0x45 : 0x60);
    frame[kV4 ? 9 : 6] = static_cast<std::byte>(6);
    ParsedPacket packet;
    packet.fate = Fate::track;
    packet.family = Key::kFamily;
    packet.kind = Kind::tcp;
    packet.protocol = 6;
    packet.transport_offset = kHeader;
    packet.transport_size = kTcpSize;
    packet.ip_size = kHeader + kTcpSize;

    const auto old = random_key<Key>(random);
    const Key now = round % 8 == 0 ? old : random_key<Key>(random);
    const unsigned ends[2] = {static_cast<unsigned>(random() % 2),
                              static_cast<unsigned>(random() % 2)};
    const bool back = random() % 2 != 0;
    const Translation tuples[2] = {tuple_of(old, ends[0]), tuple_of(now, ends[1])};
    const auto put = [&](std::size_t at, const auto& bytes, std::size_t size) {
      std::memcpy(frame.data() + at, &bytes, size);
    };
    const Translation& carried = tuples[back ? 1 : 0];
    put(kV4 ? 12 : 8, carried.source, sizeof(old.address[0]));
    put((kV4 ? 12 : 8) + sizeof(old.address[0]), carried.destination, sizeof(old.address[0]));
    put(kHeader, big_endian(carried.source_port), 2);
    put(kHeader + 2, big_endian(carried.destination_port), 2);

    Frame other = frame;
    ASSERT_EQ(rewrite(other, packet, tuples[back ? 0 : 1]), RewriteRefusal::none);
    rewrite_tcp(frame.data(), back ? old : now, ends[back ? 0 : 1], steps_between(old, now), back);
    ASSERT_EQ(std::memcmp(frame.data(), other.data(), frame.size()), 0) << round;
  }
}

TEST(RewriteTcp, DoesWhatTheLongWayDoes) {
  agrees_with_rewrite<KeyV4>();
  agrees_with_rewrite<KeyV6>();
}

}  // namespace
}  // namespace uct::core
