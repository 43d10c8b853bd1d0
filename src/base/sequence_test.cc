#include "base/sequence.h"

#include <gtest/gtest.h>

namespace uct::core {

TEST(Sequence, ComparesAcrossTheWrap) {
  EXPECT_TRUE(sequence_before(0xffff'ffff, 0));
  EXPECT_TRUE(sequence_after(0, 0xffff'ffff));
  EXPECT_FALSE(sequence_before(0, 0xffff'ffff));
  EXPECT_EQ(sequence_distance(2, 0xffff'fffe), 4);
  EXPECT_EQ(sequence_distance(0xffff'fffe, 2), -4);
}

TEST(Sequence, EqualNumbersAreNeitherBeforeNorAfter) {
  for (const Sequence s : {Sequence{0}, Sequence{0x8000'0000}, Sequence{0xffff'ffff}}) {
    EXPECT_FALSE(sequence_before(s, s));
    EXPECT_FALSE(sequence_after(s, s));
    EXPECT_EQ(sequence_max(s, s), s);
  }
}

TEST(Sequence, OrderHoldsUpToHalfTheCircle) {
  for (const Sequence s : {Sequence{0}, Sequence{1000}, Sequence{0xffff'0000}}) {
    EXPECT_TRUE(sequence_after(s + 0x7fff'ffff, s));
    EXPECT_TRUE(sequence_before(s, s + 0x7fff'ffff));
    EXPECT_FALSE(sequence_after(s + 0x8000'0001, s));
    EXPECT_EQ(sequence_max(s, s + 0x7fff'ffff), s + 0x7fff'ffff);
    EXPECT_EQ(sequence_max(s + 1, s), s + 1);
  }
}

}  // namespace uct::core
