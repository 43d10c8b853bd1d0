#include "tracker/same_byte.h"

#include <gtest/gtest.h>

#include <random>

namespace uct::core {

TEST(SameByte, VectorEqualsScalar) {
  std::mt19937 random(1);
  for (int run = 0; run < 1000; ++run) {
    Bytes32 bytes;
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random() % 4 * 85);
    for (const unsigned wanted : {0U, 85U, 170U, 255U, 7U}) {
      const auto byte = static_cast<std::uint8_t>(wanted);
      ASSERT_EQ(same_byte(bytes, byte), same_byte_scalar(bytes, byte));
    }
  }
}

}  // namespace uct::core
