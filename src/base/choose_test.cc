#include "base/choose.h"

#include <gtest/gtest.h>

namespace uct::core {
namespace {

TEST(Choose, GivesAllBitsOfTheOneThatWasAskedFor) {
  constexpr std::uint64_t kYes = 0xfedc'ba98'7654'3210;
  constexpr std::uint64_t kNo = 0x0123'4567'89ab'cdff;
  EXPECT_EQ(choose(true, kYes, kNo), kYes);
  EXPECT_EQ(choose(false, kYes, kNo), kNo);
}

}  // namespace
}  // namespace uct::core
