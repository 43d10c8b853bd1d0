#include "cli/nearest.h"

#include <gtest/gtest.h>

#include <array>

namespace uct::cli {
namespace {

constexpr std::array<std::string_view, 4> kWords = {"track", "help", "version", "established"};

TEST(Nearest, FindsWhatWasMeant) {
  EXPECT_EQ(nearest("trakc", kWords), "track");
  EXPECT_EQ(nearest("hlep", kWords), "help");
  EXPECT_EQ(nearest("versoin", kWords), "version");
  EXPECT_EQ(nearest("estab", kWords), "established");
}

TEST(Nearest, SuggestsNothingFarAway) {
  EXPECT_EQ(nearest("zebra", kWords), "");
  EXPECT_EQ(nearest("", kWords), "");
  EXPECT_EQ(did_you_mean("zebra", kWords), "");
}

}  // namespace
}  // namespace uct::cli
