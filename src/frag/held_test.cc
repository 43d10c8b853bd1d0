#include "frag/held.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace uct::core {
namespace {

HeldFramePtr frame(std::uint64_t context, std::uint32_t size = 1) {
  std::vector<std::byte> bytes(size, static_cast<std::byte>(context));
  Packet packet;
  packet.data = bytes.data();
  packet.size = size;
  packet.user = context;
  return HeldFrame::copy(packet, 0);
}

HeldFrames frames(std::uint64_t first, std::uint64_t last) {
  HeldFrames list;
  for (std::uint64_t context = first; context <= last; ++context) list.push(frame(context));
  return list;
}

std::vector<std::uint64_t> contexts(HeldFrames list) {
  std::vector<std::uint64_t> found;
  while (const HeldFramePtr next = list.pop()) found.push_back(next->packet().user);
  return found;
}

using Contexts = std::vector<std::uint64_t>;

TEST(HeldFrame, CopiesBytesAndWhatIsKnownOfThem) {
  std::array<std::byte, 3> bytes = {std::byte{1}, std::byte{2}, std::byte{3}};
  Packet packet;
  packet.data = bytes.data();
  packet.size = 3;
  packet.wire_size = 60;
  packet.link = LinkType::ipv6;
  packet.ip_checksum = ChecksumStatus::good;
  packet.transport_checksum = ChecksumStatus::bad;
  packet.user = 7;
  const HeldFramePtr copy = HeldFrame::copy(packet, 65535);
  ASSERT_NE(copy, nullptr);
  bytes[1] = std::byte{9};
  const Packet held = copy->packet();
  ASSERT_EQ(held.size, 3U);
  EXPECT_NE(held.data, packet.data);
  EXPECT_EQ(held.data[1], std::byte{2});
  EXPECT_EQ(held.wire_size, 60U);
  EXPECT_EQ(held.link, LinkType::ipv6);
  EXPECT_EQ(held.ip_checksum, ChecksumStatus::good);
  EXPECT_EQ(held.transport_checksum, ChecksumStatus::bad);
  EXPECT_EQ(held.user, 7U);
  EXPECT_EQ(copy->zone(), 65535);
}

TEST(HeldFrame, BytesMayBeWritten) {
  const HeldFramePtr copy = frame(5, 1500);
  copy->packet().data[1499] = std::byte{6};
  EXPECT_EQ(copy->packet().data[1499], std::byte{6});
}

TEST(HeldFrame, NoBytesAreCopiedToo) {
  const HeldFramePtr copy = HeldFrame::copy(Packet{}, 0);
  ASSERT_NE(copy, nullptr);
  EXPECT_EQ(copy->packet().size, 0U);
}

TEST(HeldFrame, ChargeCountsTheHead) {
  EXPECT_EQ(frame(1, 100)->charge(), sizeof(HeldFrame) + 100);
  EXPECT_EQ(frame(1, 0)->charge(), sizeof(HeldFrame));
}

TEST(HeldFrames, LeaveInOrderOfArrival) {
  EXPECT_EQ(contexts(frames(1, 3)), (Contexts{1, 2, 3}));
  EXPECT_EQ(contexts({}), Contexts{});
}

TEST(HeldFrames, CountWhatTheyHold) {
  HeldFrames list = frames(1, 3);
  EXPECT_EQ(list.count(), 3U);
  EXPECT_EQ(list.charge(), 3 * (sizeof(HeldFrame) + 1));
  list.pop();
  EXPECT_EQ(list.count(), 2U);
  EXPECT_EQ(list.charge(), 2 * (sizeof(HeldFrame) + 1));
  list.clear();
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.charge(), 0U);
  EXPECT_EQ(list.pop(), nullptr);
}

TEST(HeldFrames, AppendKeepsBothOrders) {
  HeldFrames list = frames(1, 2);
  HeldFrames others = frames(3, 4);
  list.append(std::move(others));
  list.push(frame(5));
  EXPECT_EQ(list.count(), 5U);
  EXPECT_EQ(contexts(std::move(list)), (Contexts{1, 2, 3, 4, 5}));
}

TEST(HeldFrames, WhatWasMovedFromIsEmptyAndUsable) {
  HeldFrames list = frames(1, 2);
  HeldFrames other = frames(8, 9);
  other = std::move(list);
  list.push(frame(3));  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(contexts(std::move(other)), (Contexts{1, 2}));
  EXPECT_EQ(contexts(std::move(list)), Contexts{3});
}

TEST(HeldFrames, AppendingToAndOfNothing) {
  HeldFrames list;
  list.append({});
  EXPECT_TRUE(list.empty());
  list.append(frames(1, 1));
  list.append({});
  EXPECT_EQ(contexts(std::move(list)), Contexts{1});
}

}  // namespace
}  // namespace uct::core
