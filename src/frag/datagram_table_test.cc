#include "frag/datagram_table.h"

#include <gtest/gtest.h>

#include <vector>

namespace uct::core {
namespace {

FragmentKey key_of(std::uint32_t id, std::uint32_t source = 1, Zone zone = 0) {
  ParsedPacket packet;
  packet.source[0] = source;
  packet.fragment_id = id;
  return make_fragment_key(packet, zone);
}

HeldFramePtr frame(std::uint32_t size) {
  std::vector<std::byte> bytes(size);
  Packet packet;
  packet.data = bytes.data();
  packet.size = size;
  return HeldFrame::copy(packet, 0);
}

class Table : public testing::Test {
 protected:
  Datagram& add(std::uint32_t id, std::uint32_t source = 1) {
    return *table.add(key_of(id, source), id);
  }
  const Datagram* first(Stage stage) const {
    return table.stages()[static_cast<std::size_t>(stage)].first();
  }
  const Datagram* first_of_source(Stage stage, std::uint32_t source = 1) const {
    const FragmentSource* const found = table.find_source(key_of(0, source));
    return found == nullptr ? nullptr : found->stages[static_cast<std::size_t>(stage)].first();
  }

  HeldFrames frames;
  DatagramTable::Garbage garbage;
  DatagramTable table{4, HashKey{1, 2}};
};

TEST_F(Table, FindsWhatWasAddedUntilItIsRemoved) {
  for (std::uint32_t id = 0; id < 100; ++id) add(id);
  for (std::uint32_t id = 0; id < 100; id += 2) table.remove(*table.find(key_of(id)), frames);
  for (std::uint32_t id = 0; id < 100; ++id) {
    ASSERT_EQ(table.find(key_of(id)) != nullptr, id % 2 == 1) << id;
  }
  EXPECT_EQ(table.size(), 50U);
  EXPECT_EQ(table.oldest()->key, key_of(1));
}

TEST_F(Table, ASourceIsThereAsLongAsItsDatagrams) {
  Datagram& one = add(1);
  Datagram& two = add(2);
  add(3, 7);
  ASSERT_NE(table.find_source(key_of(9)), nullptr);
  EXPECT_EQ(table.find_source(key_of(9))->datagrams, 2U);
  EXPECT_EQ(table.find_source(key_of(9, 1, 5)), nullptr) << "another zone";
  table.remove(one, frames);
  EXPECT_NE(table.find_source(key_of(9)), nullptr);
  table.remove(two, frames);
  EXPECT_EQ(table.find_source(key_of(9)), nullptr);
  EXPECT_NE(table.find_source(key_of(9, 7)), nullptr);
}

TEST_F(Table, StagesAreInOrderOfArrivalAtThem) {
  Datagram& one = add(1);
  Datagram& two = add(2);
  Datagram& three = add(3, 7);
  EXPECT_EQ(first(Stage::settled), &one);
  table.move_to(Stage::complete, two);
  table.move_to(Stage::complete, one);
  table.move_to(Stage::complete, two);  // is there already
  EXPECT_EQ(first(Stage::complete), &two);
  EXPECT_EQ(first(Stage::settled), &three);
  EXPECT_EQ(first_of_source(Stage::settled), nullptr);
  EXPECT_EQ(first_of_source(Stage::complete), &two);
  EXPECT_EQ(first_of_source(Stage::settled, 7), &three);
  EXPECT_EQ(table.oldest(), &one) << "age is another order";
}

TEST_F(Table, HeldBytesAreCountedForAllAndTheSource) {
  Datagram& one = add(1);
  Datagram& other = add(2, 7);
  table.hold(one, frame(10));
  table.hold(other, frame(20));
  table.hold(one, frame(30));
  EXPECT_EQ(one.stage, Stage::holding);
  EXPECT_EQ(table.held_frames(), 3U);
  EXPECT_EQ(table.held_charge(), 3 * sizeof(HeldFrame) + 60);
  EXPECT_EQ(one.source->held_charge, 2 * sizeof(HeldFrame) + 40);
  const HeldFrames taken = table.take_held(one);
  EXPECT_EQ(taken.count(), 2U);
  EXPECT_EQ(one.stage, Stage::settled);
  EXPECT_EQ(one.source->held_charge, 0U);
  EXPECT_EQ(table.held_charge(), sizeof(HeldFrame) + 20);
}

TEST_F(Table, TakingNothingLeavesTheStage) {
  Datagram& one = add(1);
  table.move_to(Stage::complete, one);
  EXPECT_TRUE(table.take_held(one).empty());
  EXPECT_EQ(one.stage, Stage::complete);
}

TEST_F(Table, WhatIsRemovedLeavesItsFramesToTheCaller) {
  Datagram& one = add(1);
  table.hold(one, frame(10));
  table.remove(one, frames);
  EXPECT_EQ(frames.count(), 1U);
  EXPECT_EQ(table.held_frames(), 0U);
  EXPECT_EQ(table.oldest(), nullptr);
}

TEST_F(Table, ARecordUsedAgainIsAsNew) {
  Datagram& old = add(1);
  old.extents.add({0, 8, true});
  old.has_verdict = true;
  old.condemned = FragmentRefusal::overlap;
  table.hold(old, frame(1));
  table.remove(old, frames);
  const Datagram& datagram = add(2);
  EXPECT_EQ(&datagram, &old) << "no allocation";
  EXPECT_EQ(datagram.extents.count(), 0U);
  EXPECT_FALSE(datagram.has_verdict);
  EXPECT_EQ(datagram.condemned, FragmentRefusal::none);
  EXPECT_EQ(datagram.stage, Stage::settled);
  EXPECT_TRUE(datagram.held.empty());
  EXPECT_EQ(datagram.source->datagrams, 1U);
}

TEST_F(Table, SparesAreReleasedOnlyWhenNothingIsThere) {
  Datagram& one = add(1);
  Datagram& two = add(2);
  table.remove(one, frames);
  table.release_spares(garbage);
  EXPECT_EQ(&add(3), &one) << "was kept";
  table.remove(one, frames);
  table.remove(two, frames);
  table.release_spares(garbage);
  Datagram* const spare = garbage.datagrams.take();
  EXPECT_TRUE(spare == &one || spare == &two);
  garbage.datagrams.give(*spare);
}

}  // namespace
}  // namespace uct::core
