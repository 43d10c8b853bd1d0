#include "tracker/few_hashes.h"

#include <gtest/gtest.h>

namespace uct::core {
namespace {

TEST(FewHashes, HasWhatWasAddedAndNothingElse) {
  FewHashes<32> hashes;
  EXPECT_TRUE(hashes.empty());
  for (std::uint64_t i = 0; i < 32; ++i) {
    const std::uint64_t hash = i << 38 | i;  // four share a bit of the filter
    EXPECT_FALSE(hashes.has(hash)) << i;
    hashes.add(hash);
    EXPECT_TRUE(hashes.has(hash)) << i;
    EXPECT_FALSE(hashes.has(hash ^ 1U << 20)) << i;
  }
  hashes.clear();
  EXPECT_TRUE(hashes.empty());
  EXPECT_FALSE(hashes.has(0));
}

TEST(FewHashes, ForgetsAllThatWasBeforeItWasCleared) {
  const auto hash = [](std::uint64_t i) { return i << 44 | i; };  // all over the filter
  FewHashes<32> hashes;
  for (std::uint64_t round = 0; round < 3; ++round) {
    for (std::uint64_t i = 0; i < 32; ++i) hashes.add(hash(32 * round + i));
    for (std::uint64_t i = 0; i < 96; ++i) {
      EXPECT_EQ(hashes.has(hash(i)), i / 32 == round) << round << ' ' << i;
    }
    hashes.clear();
  }
}

}  // namespace
}  // namespace uct::core
