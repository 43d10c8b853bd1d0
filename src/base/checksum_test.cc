#include "base/checksum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "base/bytes.h"

namespace uct::core {
namespace {

using Buffer = std::vector<std::byte>;

Buffer random_bytes(std::size_t size, std::uint32_t seed) {
  std::mt19937 random(seed);
  Buffer bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

Buffer text(std::string_view characters) {
  Buffer bytes;
  for (const char c : characters) bytes.push_back(static_cast<std::byte>(c));
  return bytes;
}

/// RFC 1071 as it reads: 16-bit big-endian words, the carry added at the end.
std::uint16_t naive_sum(Bytes bytes, std::uint64_t sum = 0) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += std::uint64_t{load_u8(&bytes[i])} << (i % 2 == 0 ? 8 : 0);
  }
  while (sum > 0xffff) sum = (sum >> 16) + (sum & 0xffff);
  return static_cast<std::uint16_t>(sum);
}

std::uint16_t swap(std::uint16_t value) { return __builtin_bswap16(value); }

/// One bit at a time.
std::uint32_t naive_crc(std::uint32_t crc, Bytes bytes) {
  for (const std::byte byte : bytes) {
    crc ^= static_cast<std::uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78U : 0);
  }
  return crc;
}

}  // namespace

TEST(OnesSum, EqualsTheNaiveSumForEverySizeAndAlignment) {
  const Buffer bytes = random_bytes(400, 1);
  for (std::size_t from = 0; from < 16; ++from) {
    for (std::size_t size = 0; size + from <= 300; ++size) {
      const Bytes piece = Bytes(bytes).subspan(from, size);
      ASSERT_EQ(swap(ones_sum(piece)), naive_sum(piece)) << from << " " << size;
    }
  }
}

TEST(OnesSum, EveryVectorWidthGivesTheNaiveSumForEverySizeAndAlignment) {
  const Buffer bytes = random_bytes(800, 7);
  for (const OnesSumVectors sum : ones_sum_vectors()) {
    for (std::size_t from = 0; from <= kOnesSumVector; ++from) {
      for (std::size_t size = kOnesSumVector; size + from <= 450; ++size) {
        const Bytes piece = Bytes(bytes).subspan(from, size);
        ASSERT_EQ(swap(ones_sum({}, sum(piece))), naive_sum(piece)) << from << " " << size;
      }
    }
  }
}

// A range of its own size on the heap: the address sanitizer sees a load that leaves it.
TEST(OnesSum, ReadsNothingOutsideOfTheRange) {
  for (std::size_t size = 0; size <= 200; ++size) {
    const Buffer bytes = random_bytes(size, 8);
    ASSERT_EQ(swap(ones_sum(bytes)), naive_sum(bytes)) << size;
    if (size < kOnesSumVector) continue;
    for (const OnesSumVectors sum : ones_sum_vectors()) {
      ASSERT_EQ(swap(ones_sum({}, sum(bytes))), naive_sum(bytes)) << size;
    }
  }
}

TEST(OnesSum, ZerosAndOnesStayApartAtEveryVectorWidth) {
  for (const OnesSumVectors sum : ones_sum_vectors()) {
    for (std::size_t size = kOnesSumVector; size < 70'000; size = size * 3 + 1) {
      EXPECT_EQ(sum(Buffer(size)), 0) << size;
      const Buffer ones(size, std::byte{0xff});
      EXPECT_EQ(swap(ones_sum({}, sum(ones))), naive_sum(ones)) << size;
    }
  }
}

TEST(OnesSum, CarriesAroundWhenAllBitsAreSet) {
  for (std::size_t size = 1; size < 70'000; size = size * 3 + 1) {
    const Buffer bytes(size, std::byte{0xff});
    EXPECT_EQ(swap(ones_sum(bytes)), naive_sum(bytes)) << size;
  }
}

TEST(OnesSum, OfZerosIsZeroAndNothingElseIs) {
  EXPECT_EQ(ones_sum(Buffer(64)), 0);
  Buffer bytes(64, std::byte{0xff});
  EXPECT_EQ(ones_sum(bytes), 0xffff);
}

TEST(OnesSum, OfNothingIsTheFoldedStart) {
  EXPECT_EQ(ones_sum({}, 0), 0);
  EXPECT_EQ(ones_sum({}, 0x1234), 0x1234);
  EXPECT_EQ(ones_sum({}, 0xffff'ffff'ffff'ffff), 0xffff);
}

TEST(OnesSum, StartWrapsAroundWithoutLoss) {
  const Buffer bytes = random_bytes(61, 2);
  const std::uint64_t start = 0xffff'ffff'ffff'ff00;
  // 2^16 is 1 modulo 2^16 - 1, so that the start counts as the sum of its words.
  std::uint64_t words = 0;
  for (int i = 0; i < 4; ++i) words += start >> (16 * i) & 0xffff;
  std::uint64_t expected = swap(naive_sum(bytes)) + words;
  while (expected > 0xffff) expected = (expected >> 16) + (expected & 0xffff);
  EXPECT_EQ(ones_sum(bytes, start), expected);
}

TEST(OnesSum, AgreesWithTheExampleOfRfc1071) {
  const std::uint8_t example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  EXPECT_EQ(swap(ones_sum(std::as_bytes(std::span(example)))), 0xddf2);
}

TEST(PseudoHeaderSum, EqualsTheSumOfTheHeaderOfBothFamilies) {
  for (const std::size_t addresses : {std::size_t{8}, std::size_t{32}}) {
    for (const std::uint32_t length : {0U, 1U, 20U, 0xffffU, 0x1'0027U}) {
      const Buffer both = random_bytes(addresses, length + 3);
      Buffer header = both;
      for (int shift = 24; shift >= 0; shift -= 8) {
        header.push_back(static_cast<std::byte>(length >> shift));
      }
      for (const int byte : {0, 0, 0, 132}) header.push_back(static_cast<std::byte>(byte));
      EXPECT_EQ(swap(ones_sum({}, pseudo_header_sum(both, 132, length))), naive_sum(header));
    }
  }
}

TEST(Crc32c, KnownVectorsOfRfc3720) {
  // RFC 3720 appendix B.4: the value as a number is the four bytes read little-endian.
  const auto crc = [](const Buffer& bytes) { return ~crc32c(0xffffffff, bytes); };
  EXPECT_EQ(crc(Buffer(32)), 0x8a9136aaU);
  EXPECT_EQ(crc(Buffer(32, std::byte{0xff})), 0x62a8ab43U);
  Buffer rising(32);
  for (std::size_t i = 0; i < 32; ++i) rising[i] = static_cast<std::byte>(i);
  EXPECT_EQ(crc(rising), 0x46dd794eU);
  std::reverse(rising.begin(), rising.end());
  EXPECT_EQ(crc(rising), 0x113fdb5cU);
  EXPECT_EQ(crc(text("123456789")), 0xe3069283U);
}

TEST(Crc32c, InstructionTableAndBitsAgreeForEverySizeAndAlignment) {
  const Buffer bytes = random_bytes(200, 4);
  for (std::size_t from = 0; from < 9; ++from) {
    for (std::size_t size = 0; size + from <= 120; ++size) {
      const Bytes piece = Bytes(bytes).subspan(from, size);
      const auto seed = static_cast<std::uint32_t>(size * 77'777);
      ASSERT_EQ(crc32c_table(seed, piece), naive_crc(seed, piece)) << from << " " << size;
      ASSERT_EQ(crc32c(seed, piece), naive_crc(seed, piece)) << from << " " << size;
    }
  }
}

TEST(Crc32c, GoesOnWhereAnotherCallEnded) {
  const Buffer bytes = random_bytes(100, 5);
  for (std::size_t split = 0; split <= bytes.size(); ++split) {
    const std::uint32_t first = crc32c(0xffffffff, Bytes(bytes).first(split));
    ASSERT_EQ(crc32c(first, Bytes(bytes).subspan(split)), crc32c(0xffffffff, bytes)) << split;
  }
}

TEST(SctpCrc32c, TakesTheChecksumFieldAsZero) {
  Buffer packet = random_bytes(53, 6);
  const std::uint32_t crc = sctp_crc32c(packet, 8);
  for (std::size_t i = 8; i < 12; ++i) packet[i] = std::byte{0xa5};
  EXPECT_EQ(sctp_crc32c(packet, 8), crc);
  for (std::size_t i = 8; i < 12; ++i) packet[i] = std::byte{0};
  EXPECT_EQ(~naive_crc(0xffffffff, packet), crc);
  packet[12] ^= std::byte{1};
  EXPECT_NE(sctp_crc32c(packet, 8), crc);
}

TEST(LoadBigEndian, WorksAtEveryAlignment) {
  const std::uint8_t raw[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07};
  const auto bytes = std::as_bytes(std::span(raw));
  EXPECT_EQ(load_u8(&bytes[1]), 0x02);
  EXPECT_EQ(load_be16(&bytes[0]), 0x0102);
  EXPECT_EQ(load_be16(&bytes[1]), 0x0203);
  EXPECT_EQ(load_be32(&bytes[0]), 0x01020304U);
  EXPECT_EQ(load_be32(&bytes[3]), 0x04050607U);
}

}  // namespace uct::core
