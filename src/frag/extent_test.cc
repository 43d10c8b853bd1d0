#include "frag/extent.h"

#include <gtest/gtest.h>

#include <vector>

namespace uct::core {
namespace {

constexpr bool kMore = true;
constexpr bool kLast = false;

ExtentSet set_of(const std::vector<Extent>& extents) {
  ExtentSet set;
  for (const Extent& extent : extents) {
    EXPECT_EQ(set.fit(extent), Fit::fresh) << extent.offset;
    set.add(extent);
  }
  return set;
}

TEST(ExtentForm, NumbersOfOneDatagramOnly) {
  EXPECT_TRUE(is_wellformed({0, 8, kMore}));
  EXPECT_TRUE(is_wellformed({8, 1, kLast}));
  EXPECT_FALSE(is_wellformed({0, 8, kLast})) << "a whole datagram";
  EXPECT_FALSE(is_wellformed({8, 0, kLast})) << "nothing";
  EXPECT_FALSE(is_wellformed({8, 0, kMore})) << "nothing";
  EXPECT_FALSE(is_wellformed({8, 9, kMore})) << "more, but not in eights";
  EXPECT_FALSE(is_wellformed({4, 8, kMore})) << "offset not in eights";
  EXPECT_TRUE(is_wellformed({65528, 7, kLast}));
  EXPECT_FALSE(is_wellformed({65528, 8, kLast})) << "65,536 bytes";
  EXPECT_FALSE(is_wellformed({8, 0xffffffff, kLast})) << "the sum wraps";
  EXPECT_FALSE(is_wellformed({0xfffffff8, 16, kLast})) << "the sum wraps";
}

TEST(ExtentSet, IsCompleteWhenEveryByteCame) {
  ExtentSet set = set_of({{0, 16, kMore}, {16, 8, kMore}});
  EXPECT_FALSE(set.is_complete());
  set.add({24, 3, kLast});
  EXPECT_TRUE(set.is_complete());
  EXPECT_EQ(set.count(), 3U);
}

TEST(ExtentSet, OrderDoesNotMatter) {
  EXPECT_TRUE(set_of({{24, 3, kLast}, {0, 16, kMore}, {16, 8, kMore}}).is_complete());
  EXPECT_TRUE(set_of({{16, 8, kMore}, {24, 3, kLast}, {0, 16, kMore}}).is_complete());
  EXPECT_FALSE(set_of({{24, 3, kLast}, {0, 16, kMore}}).is_complete());
}

TEST(ExtentSet, TheLargestDatagramIsCounted) {
  EXPECT_TRUE(set_of({{65528, 7, kLast}, {0, 65528, kMore}}).is_complete());
}

TEST(ExtentSet, DuplicatesAreExact) {
  const ExtentSet set = set_of({{0, 16, kMore}, {16, 16, kMore}, {32, 5, kLast}});
  EXPECT_EQ(set.fit({0, 16, kMore}), Fit::duplicate);
  EXPECT_EQ(set.fit({16, 16, kMore}), Fit::duplicate);
  EXPECT_EQ(set.fit({32, 5, kLast}), Fit::duplicate);
  EXPECT_EQ(set.fit({16, 16, kLast}), Fit::overlap) << "the same bytes, but the last ones";
  EXPECT_EQ(set.fit({0, 32, kMore}), Fit::overlap) << "two neighbours as one";
  EXPECT_EQ(set.fit({16, 21, kLast}), Fit::overlap) << "two neighbours as one";
}

TEST(ExtentSet, ALastOneTurnedIntoAMiddleOneIsNoDuplicate) {
  EXPECT_EQ(set_of({{16, 8, kLast}}).fit({16, 8, kMore}), Fit::overlap);
  EXPECT_EQ(set_of({{16, 8, kMore}}).fit({16, 8, kLast}), Fit::overlap);
}

TEST(ExtentSet, EveryFamilyOfOverlapIsSeen) {
  const ExtentSet set = set_of({{16, 16, kMore}, {48, 16, kMore}});
  EXPECT_EQ(set.fit({8, 16, kMore}), Fit::overlap) << "its end in another's begin";
  EXPECT_EQ(set.fit({24, 16, kMore}), Fit::overlap) << "its begin in another's end";
  EXPECT_EQ(set.fit({24, 8, kMore}), Fit::overlap) << "inside, at the end";
  EXPECT_EQ(set.fit({16, 8, kMore}), Fit::overlap) << "inside, at the begin";
  EXPECT_EQ(set.fit({8, 32, kMore}), Fit::overlap) << "covering";
  EXPECT_EQ(set.fit({16, 24, kMore}), Fit::overlap) << "covering, from the same begin";
  EXPECT_EQ(set.fit({8, 24, kMore}), Fit::overlap) << "covering, to the same end";
  EXPECT_EQ(set.fit({0, 80, kMore}), Fit::overlap) << "covering both";
  EXPECT_EQ(set.fit({24, 32, kMore}), Fit::overlap) << "from one into the other";
  EXPECT_EQ(set.fit({32, 17, kLast}), Fit::overlap) << "by one byte";
  EXPECT_EQ(set.fit({0, 16, kMore}), Fit::fresh) << "beside";
  EXPECT_EQ(set.fit({32, 16, kMore}), Fit::fresh) << "between";
  EXPECT_EQ(set.fit({64, 16, kMore}), Fit::fresh) << "behind";
}

TEST(ExtentSet, OverlapByTheLastOnesOddBytes) {
  const ExtentSet set = set_of({{16, 9, kLast}});
  EXPECT_EQ(set.fit({24, 8, kMore}), Fit::overlap) << "its byte 24 is the last one's";
  EXPECT_EQ(set.fit({8, 8, kMore}), Fit::fresh);
}

TEST(ExtentSet, NothingLiesBeyondTheEnd) {
  const ExtentSet set = set_of({{16, 8, kLast}});
  EXPECT_EQ(set.fit({24, 8, kMore}), Fit::two_ends) << "behind the last one";
  EXPECT_EQ(set.fit({24, 8, kLast}), Fit::two_ends) << "another end, behind";
  EXPECT_EQ(set.fit({8, 8, kLast}), Fit::two_ends) << "another end, before";
  EXPECT_EQ(set_of({{24, 8, kMore}}).fit({8, 8, kLast}), Fit::two_ends) << "an end too early";
}

TEST(ExtentSet, BoundIsExact) {
  ExtentSet set;
  for (std::uint32_t i = 0; i < kFragmentsMax; ++i) {
    const Extent extent{(kFragmentsMax - i) * 8, 8, kMore};
    ASSERT_EQ(set.fit(extent), Fit::fresh) << i;
    set.add(extent);
  }
  EXPECT_EQ(set.fit({0, 8, kMore}), Fit::too_many);
  EXPECT_EQ(set.fit({8, 8, kMore}), Fit::duplicate);
  EXPECT_EQ(set.fit({8, 16, kMore}), Fit::overlap);
  set.clear();
  EXPECT_EQ(set.fit({0, 8, kMore}), Fit::fresh);
}

// All pairs of small fragments, compared with their bytes.
TEST(ExtentSet, EveryPairIsJudgedByItsBytes) {
  std::vector<Extent> all;
  for (std::uint32_t offset = 0; offset <= 32; offset += 8) {
    for (std::uint32_t size = 1; size <= 33; ++size) {
      for (const bool more : {kMore, kLast}) {
        if (is_wellformed({offset, size, more})) all.push_back({offset, size, more});
      }
    }
  }
  for (const Extent& a : all) {
    const ExtentSet set = set_of({a});
    for (const Extent& b : all) {
      const bool beyond =
          (!a.more && (b.end() > a.end() || !b.more)) || (!b.more && a.end() > b.end());
      Fit expected = beyond ? Fit::two_ends : Fit::fresh;
      if (a.offset < b.end() && b.offset < a.end()) expected = Fit::overlap;
      if (a == b) expected = Fit::duplicate;
      ASSERT_EQ(set.fit(b), expected) << a.offset << "+" << a.size << (a.more ? "m " : " ")
                                      << b.offset << "+" << b.size << (b.more ? "m" : "");
    }
  }
}

}  // namespace
}  // namespace uct::core
