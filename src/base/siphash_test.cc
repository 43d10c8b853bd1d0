#include "base/siphash.h"

#include <random>
#include <set>

#include <gtest/gtest.h>

namespace uct::core {
namespace {

std::uint64_t rotate(std::uint64_t x, unsigned bits) { return x << bits | x >> (64 - bits); }

/// SipHash with any number of rounds, written after section 2 of the paper, over bytes.
class NaiveSipHash {
 public:
  NaiveSipHash(int in_rounds, int end_rounds, const HashKey& key)
      : in_rounds_(in_rounds), end_rounds_(end_rounds) {
    v_[0] = key[0] ^ 0x736f6d6570736575;
    v_[1] = key[1] ^ 0x646f72616e646f6d;
    v_[2] = key[0] ^ 0x6c7967656e657261;
    v_[3] = key[1] ^ 0x7465646279746573;
  }

  std::uint64_t hash(const std::uint8_t* bytes, std::size_t size) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < size; ++i) {
      word |= std::uint64_t{bytes[i]} << (i % 8 * 8);
      if (i % 8 != 7) continue;
      take(word);
      word = 0;
    }
    take(word | std::uint64_t{size & 0xff} << 56);
    v_[2] ^= 0xff;
    for (int i = 0; i < end_rounds_; ++i) round();
    return v_[0] ^ v_[1] ^ v_[2] ^ v_[3];
  }

 private:
  void take(std::uint64_t word) {
    v_[3] ^= word;
    for (int i = 0; i < in_rounds_; ++i) round();
    v_[0] ^= word;
  }

  void round() {
    v_[0] += v_[1];
    v_[2] += v_[3];
    v_[1] = rotate(v_[1], 13) ^ v_[0];
    v_[3] = rotate(v_[3], 16) ^ v_[2];
    v_[0] = rotate(v_[0], 32);
    v_[2] += v_[1];
    v_[0] += v_[3];
    v_[1] = rotate(v_[1], 17) ^ v_[2];
    v_[3] = rotate(v_[3], 21) ^ v_[0];
    v_[2] = rotate(v_[2], 32);
  }

  int in_rounds_;
  int end_rounds_;
  std::uint64_t v_[4];
};

constexpr HashKey kPaperKey = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

template <std::size_t kWords>
void expect_lanes_equal_scalar(void (*lanes)(const HashKeys<kWords>&, const HashKey&,
                                             std::uint64_t (&)[kHashLanes])) {
  std::mt19937_64 random(kWords);
  for (int round = 0; round < 200; ++round) {
    const HashKey key = {random(), random()};
    HashKeys<kWords> keys;
    for (auto& words : keys) {
      for (std::uint64_t& word : words) word = random();
    }
    std::uint64_t hashes[kHashLanes];
    lanes(keys, key, hashes);
    for (std::size_t lane = 0; lane < kHashLanes; ++lane) {
      ASSERT_EQ(hashes[lane], siphash13(keys[lane], key)) << "lane " << lane << ", round " << round;
    }
  }
}

}  // namespace

/// The one vector of the paper (appendix A: 2 and 4 rounds, bytes 0 to 14) vouches for the naive
/// form; with one and three rounds it vouches for ours.
TEST(SipHash, NaiveFormGivesThePapersVector) {
  std::uint8_t bytes[15];
  for (std::uint8_t i = 0; i < 15; ++i) bytes[i] = i;
  EXPECT_EQ(NaiveSipHash(2, 4, kPaperKey).hash(bytes, sizeof(bytes)), 0xa129ca6149be45e5U);
}

TEST(SipHash, EqualsTheNaiveFormForBothSizesOfKeys) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 1000; ++i) {
    const HashKey key = {random(), random()};
    std::uint64_t two[2] = {random(), random()};
    std::uint64_t five[5] = {random(), random(), random(), random(), random()};
    const auto* two_bytes = reinterpret_cast<const std::uint8_t*>(two);
    const auto* five_bytes = reinterpret_cast<const std::uint8_t*>(five);
    ASSERT_EQ(siphash13(two, key), NaiveSipHash(1, 3, key).hash(two_bytes, 16));
    ASSERT_EQ(siphash13(five, key), NaiveSipHash(1, 3, key).hash(five_bytes, 40));
  }
}

TEST(SipHash, LanesEqualScalarForIpv4Keys) { expect_lanes_equal_scalar<2>(siphash13_lanes_2); }

TEST(SipHash, LanesEqualScalarForIpv6Keys) { expect_lanes_equal_scalar<5>(siphash13_lanes_5); }

TEST(SipHash, EveryBitOfInputAndKeyMatters) {
  const std::uint64_t words[2] = {1, 2};
  std::set<std::uint64_t> seen = {siphash13(words, kPaperKey)};
  for (unsigned bit = 0; bit < 128; ++bit) {
    std::uint64_t other[2] = {1, 2};
    other[bit / 64] ^= std::uint64_t{1} << bit % 64;
    EXPECT_TRUE(seen.insert(siphash13(other, kPaperKey)).second) << bit;
    HashKey key = kPaperKey;
    key[bit / 64] ^= std::uint64_t{1} << bit % 64;
    EXPECT_TRUE(seen.insert(siphash13(words, key)).second) << bit;
  }
}

}  // namespace uct::core
