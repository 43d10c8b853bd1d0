#include "base/checksum_update.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/random.h"

namespace uct::core {
namespace {

using Buffer = std::vector<std::byte>;

Buffer random_bytes(std::size_t size, test::Random& random) {
  Buffer bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

std::uint16_t checksum_of(const Buffer& bytes) {
  return static_cast<std::uint16_t>(~ones_sum(bytes));
}

/// Gives     `bytes` with the range from `at` on replaced, which `update` is told of.
Buffer changed(const Buffer& bytes, std::size_t at, const Buffer& now, ChecksumUpdate& update) {
  Buffer result = bytes;
  std::copy(now.begin(), now.end(), result.begin() + static_cast<std::ptrdiff_t>(at));
  update.replace(Bytes(bytes).subspan(at, now.size()), now);
  return result;
}

TEST(ChecksumUpdate, EqualsTheChecksumMadeAnewForEveryRange) {
  test::Random random(1);
  const Buffer old = random_bytes(44, random);
  for (std::size_t at = 0; at < old.size(); at += 2) {
    for (std::size_t size = 0; at + size <= old.size(); ++size) {
      ChecksumUpdate update;
      const Buffer now = changed(old, at, random_bytes(size, random), update);
      ASSERT_EQ(update.apply(checksum_of(old)), checksum_of(now)) << at << " " << size;
    }
  }
}

TEST(ChecksumStep, DoesWhatItWasFoldedFromAndTheWayBack) {
  test::Random random(3);
  for (int run = 0; run < 100'000; ++run) {
    // Few different words, so that sums meet their borders.
    const auto word = [&] { return run % 2 == 0 ? random() : 0 - (random() % 2); };
    const std::uint32_t old = word();
    const std::uint32_t now = run % 8 == 0 ? old : word();
    if (old + now == 0xffffffff && (old == 0 || now == 0)) continue;  // see ChecksumStep
    ChecksumUpdate there;
    ChecksumUpdate back;
    there.replace32(old, now);
    back.replace32(now, old);
    const std::uint16_t step = there.folded();
    for (const std::uint32_t checksum : {0U, 0xffffU, random() & 0xffff}) {
      const auto sum = static_cast<std::uint16_t>(checksum);
      ASSERT_EQ(ChecksumStep(step, false).apply(sum), there.apply(sum)) << old << " " << now;
      ASSERT_EQ(ChecksumStep(step, true).apply(sum), back.apply(sum)) << old << " " << now;
    }
  }
}

TEST(ChecksumUpdate, WordsAndRangesAreTheSame) {
  test::Random random(2);
  for (int run = 0; run < 1000; ++run) {
    const std::uint32_t old = random();
    const std::uint32_t now = random();
    ChecksumUpdate ranges;
    ChecksumUpdate words;
    ChecksumUpdate halves;
    ranges.replace(std::as_bytes(std::span(&old, 1)), std::as_bytes(std::span(&now, 1)));
    words.replace32(old, now);
    halves.replace16(static_cast<std::uint16_t>(old), static_cast<std::uint16_t>(now));
    halves.replace16(static_cast<std::uint16_t>(old >> 16), static_cast<std::uint16_t>(now >> 16));
    const auto checksum = static_cast<std::uint16_t>(random());
    ASSERT_EQ(words.apply(checksum), ranges.apply(checksum));
    ASSERT_EQ(words.apply(checksum), halves.apply(checksum));
  }
}

/// The example of RFC 1624 section 4, which the equation before it (RFC 1141) got wrong.
TEST(ChecksumUpdate, FindsZeroWhereAllOnesWouldBeWrong) {
  ChecksumUpdate update;
  update.replace16(0x5555, 0x3285);
  EXPECT_EQ(update.apply(0xdd2f), 0x0000);
}

TEST(ChecksumUpdate, AWrongChecksumStaysWrongByAsMuch) {
  test::Random random(3);
  for (int run = 0; run < 1000; ++run) {
    const Buffer old = random_bytes(20, random);
    ChecksumUpdate update;
    const Buffer now = changed(old, 4, random_bytes(8, random), update);
    const auto error = static_cast<std::uint16_t>(1 + random() % 0xfffe);
    ChecksumUpdate by_error;
    by_error.replace16(0, error);
    const std::uint16_t wrong = by_error.apply(checksum_of(old));
    ASSERT_EQ(update.apply(wrong), by_error.apply(checksum_of(now)));
    ASSERT_NE(update.apply(wrong), checksum_of(now));
  }
}

TEST(ChecksumUpdate, SumsOfUpdatesAreUpdates) {
  ChecksumUpdate one;
  one.replace32(0xffffffff, 0x00010002);
  ChecksumUpdate two;
  two.replace16(0x1234, 0xffff);
  ChecksumUpdate both = one;
  both.add(two);
  EXPECT_EQ(both.apply(0x4321), two.apply(one.apply(0x4321)));
}

TEST(Crc32cChange, EqualsTheCrcMadeAnewForEverySize) {
  test::Random random(4);
  Buffer bytes = random_bytes(65'535, random);
  const auto crc_of = [&](std::size_t size) {
    return ~crc32c(0xffffffff, Bytes(bytes).first(size));
  };
  for (std::uint32_t size = 4; size <= bytes.size(); size += size < 700 ? 1 : 997) {
    const std::uint32_t before = crc_of(size);
    const std::uint32_t changed = random();
    for (std::size_t i = 0; i < 4; ++i) bytes[i] ^= static_cast<std::byte>(changed >> 8 * i);
    ASSERT_EQ(before ^ crc32c_change(changed, size), crc_of(size)) << size;
  }
}

TEST(Crc32cChange, OfNothingIsNothing) {
  EXPECT_EQ(crc32c_change(0, 4), 0U);
  EXPECT_EQ(crc32c_change(0, 65'535), 0U);
  static_assert(crc32c_change(1, 65'535) != 0, "a CRC sees every single bit");
}

}  // namespace
}  // namespace uct::core
