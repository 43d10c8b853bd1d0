#include "ports/capture/pcapng.h"

#include <gtest/gtest.h>

#include "ports/capture/capture_builder.h"

namespace uct::capture::testing {
namespace {

// Reads one frame with `ticks` from an interface with these options.
Seen frame_with(Order order, const Builder& options, std::uint64_t ticks) {
  PcapngFile file(order);
  file.interface(1, options).enhanced(0, ticks, "x");
  const Story story = read_all(file.content());
  EXPECT_EQ(story.frames.size(), 1U) << message_of(story);
  return story.frames.empty() ? Seen{} : story.frames[0];
}

Builder resolution(unsigned value) {
  return std::move(Builder(Order::big).u16(9).u16(1).number(value, 1).padding());
}

// Gives the message about a file whose section and Ethernet interface are followed by one block.
std::string error_of(std::uint32_t type, const Builder& body) {
  PcapngFile file(Order::little);
  file.interface(1).block(type, body);
  const Story story = read_all(file.content());
  EXPECT_TRUE(story.frames.empty());
  if (story.error) {
    EXPECT_EQ(story.error->offset, 48U);
  }
  return message_of(story);
}

TEST(Pcapng, EnhancedPacketsAreReadInBothByteOrders) {
  for (const Order order : kOrders) {
    PcapngFile file(order);
    file.interface(1).enhanced(0, 1'700'000'000'000'001, "hello", 99).enhanced(0, 5, "");
    const Story story = read_all(file.content());
    ASSERT_EQ(story.frames.size(), 2U) << message_of(story);
    EXPECT_FALSE(story.error);
    EXPECT_EQ(story.frames[0].text, "hello");
    EXPECT_EQ(story.frames[0].frame.wire_size, 99U);
    EXPECT_EQ(story.frames[0].frame.offset, file.starts[2]);
    EXPECT_EQ(ns_of(story.frames[0]), 1'700'000'000'000'001'000);
    EXPECT_EQ(ns_of(story.frames[1]), 5'000);
  }
}

TEST(Pcapng, ObsoletePacketsAreRead) {
  for (const Order order : kOrders) {
    PcapngFile file(order);
    file.interface(101).interface(1).obsolete(1, 0x1'0000'0002, "old");
    const Story story = read_all(file.content());
    ASSERT_EQ(story.frames.size(), 1U) << message_of(story);
    EXPECT_EQ(story.frames[0].text, "old");
    EXPECT_EQ(story.frames[0].frame.link, LinkType::ethernet);
    EXPECT_EQ(ns_of(story.frames[0]), 0x1'0000'0002 * 1000);
  }
}

TEST(Pcapng, SimplePacketsTakeTheSnapshotSizeAndTheTimeBefore) {
  PcapngFile file(Order::little);
  file.interface(1, file.part(), 4).enhanced(0, 77, "timed").simple("abcd", 100).simple("xy", 2);
  const Story story = read_all(file.content());
  ASSERT_EQ(story.frames.size(), 3U) << message_of(story);
  EXPECT_EQ(story.frames[1].text, "abcd");
  EXPECT_EQ(story.frames[1].frame.wire_size, 100U);
  EXPECT_EQ(ns_of(story.frames[1]), 77'000);
  EXPECT_EQ(story.frames[2].text, "xy");
}

TEST(Pcapng, InterfacesHaveTheirOwnLinkTypes) {
  PcapngFile file(Order::little);
  file.interface(1).interface(113).interface(147);
  file.enhanced(1, 0, "a").enhanced(0, 0, "b").enhanced(2, 0, "c");
  const Story story = read_all(file.content());
  ASSERT_EQ(story.frames.size(), 3U) << message_of(story);
  EXPECT_EQ(story.frames[0].frame.link, LinkType::linux_cooked_v1);
  EXPECT_EQ(story.frames[1].frame.link, LinkType::ethernet);
  EXPECT_EQ(story.frames[2].frame.link, LinkType::unsupported);
  EXPECT_EQ(story.frames[2].frame.dlt, 147U);
}

TEST(Pcapng, SectionsHaveTheirOwnInterfacesAndByteOrder) {
  PcapngFile first(Order::little);
  first.interface(1).enhanced(0, 1, "little");
  PcapngFile second(Order::big);
  second.interface(228).enhanced(0, 2, "big").enhanced(1, 3, "none such");
  Content both = first.content();
  both.insert(both.end(), second.content().begin(), second.content().end());
  const Story story = read_all(both);
  ASSERT_EQ(story.frames.size(), 2U) << message_of(story);
  EXPECT_EQ(story.frames[0].frame.link, LinkType::ethernet);
  EXPECT_EQ(story.frames[1].frame.link, LinkType::ipv4);
  EXPECT_EQ(story.frames[1].frame.number, 2U);
  EXPECT_EQ(message_of(story), "memory: byte " + std::to_string(first.size() + second.starts[3]) +
                                   ": the packet is of interface 1, the section has 1");
}

TEST(Pcapng, ResolutionsInPowersOfTen) {
  EXPECT_EQ(ns_of(frame_with(Order::big, resolution(0), 3)), 3'000'000'000);
  EXPECT_EQ(ns_of(frame_with(Order::big, resolution(3), 3)), 3'000'000);
  EXPECT_EQ(ns_of(frame_with(Order::big, resolution(9), 1'700'000'000'123'456'789)),
            1'700'000'000'123'456'789);
  EXPECT_EQ(ns_of(frame_with(Order::big, resolution(12), 5'999)), 5);
  EXPECT_EQ(ns_of(frame_with(Order::big, resolution(28), ~std::uint64_t{0})), 1);
  EXPECT_EQ(ns_of(frame_with(Order::big, resolution(29), ~std::uint64_t{0})), 0);
  EXPECT_EQ(ns_of(frame_with(Order::big, resolution(127), ~std::uint64_t{0})), 0);
}

TEST(Pcapng, ResolutionsInPowersOfTwo) {
  EXPECT_EQ(ns_of(frame_with(Order::big, resolution(0x80), 3)), 3'000'000'000);
  EXPECT_EQ(ns_of(frame_with(Order::big, resolution(0x81), 3)), 1'500'000'000);
  EXPECT_EQ(ns_of(frame_with(Order::big, resolution(0x80 + 32), 0x1'8000'0000)), 1'500'000'000);
  EXPECT_EQ(ns_of(frame_with(Order::big, resolution(0x80 + 127), ~std::uint64_t{0})), 0);
}

TEST(Pcapng, OffsetIsAddedAndOptionsAroundItAreSteppedOver) {
  for (const Order order : kOrders) {
    Builder options(order);
    options.u16(2).u16(5).text("eth17").padding();     // if_name
    options.u16(14).u16(8).u64(1'000'000).padding();   // if_tsoffset
    options.u16(9).u16(1).number(9, 1).padding();      // if_tsresol
    options.u16(0).u16(0).u16(9).u16(1).number(0, 4);  // behind the end: not an option
    EXPECT_EQ(ns_of(frame_with(order, options, 42)), 1'000'000'000'000'042);
  }
}

TEST(Pcapng, TimesAreHeldBetween1970And2200) {
  const std::int64_t latest = TickClock::kLatestSecond * 1'000'000'000;
  EXPECT_EQ(ns_of(frame_with(Order::big, resolution(0), ~std::uint64_t{0})), latest);
  Builder past(Order::big);
  past.u16(14).u16(8).u64(static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::min()));
  EXPECT_EQ(ns_of(frame_with(Order::big, past, 1)), 0);
  Builder future(Order::big);
  future.u16(14).u16(8).u64(static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
  EXPECT_EQ(ns_of(frame_with(Order::big, future, ~std::uint64_t{0})), latest);
}

TEST(Pcapng, UnknownBlocksAreSteppedOverWhateverTheirSize) {
  PcapngFile file(Order::little);
  file.interface(1).enhanced(0, 0, "a").block(0xbad, file.part());
  file.block(0x0000000a, file.part().text(std::string(kMaxRecordSize + 100, 's')));
  file.enhanced(0, 0, "b").block(4, file.part().text("names"));
  for (const std::size_t burst : {1U, 256U}) {
    const Story story = read_all(file.content(), burst);
    ASSERT_EQ(story.frames.size(), 2U) << message_of(story);
    EXPECT_EQ(story.frames[1].text, "b");
    EXPECT_FALSE(story.error);
  }
}

TEST(Pcapng, TruncatedAnywhereGivesTheWholeBlocksBeforeAndTheCutOnesOffset) {
  PcapngFile file(Order::big);
  file.interface(1).enhanced(0, 1, "first").block(0xbad, file.part().text("skipped"));
  file.enhanced(0, 2, "second").simple("third", 5).obsolete(0, 3, "fourth");
  std::vector<std::size_t> ends(file.starts.begin() + 1, file.starts.end());
  ends.push_back(file.size());
  const std::size_t frames_by_block[] = {0, 0, 1, 1, 2, 3, 4};
  for (std::size_t size = 4; size <= file.size(); ++size) {
    Content cut(file.content().begin(), file.content().begin() + static_cast<long>(size));
    const Story story = read_all(cut);
    const auto whole =
        static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), size) - ends.begin());
    const bool at_a_border = whole != 0 && size == ends[whole - 1];
    EXPECT_EQ(story.frames.size(), whole == 0 ? 0 : frames_by_block[whole - 1]) << size;
    ASSERT_EQ(story.error.has_value(), !at_a_border) << size << message_of(story);
    if (story.error) {
      EXPECT_EQ(story.error->offset, file.starts[whole]) << size;
    }
  }
}

TEST(Pcapng, BlockLengthsThatCannotBeAreRefused) {
  for (const std::uint32_t length : {0U, 4U, 11U, 13U, 0xffffffffU}) {
    PcapngFile file(Order::little);
    file.u32(6).u32(length).u32(0).u32(length);
    const Story story = read_all(file.content());
    EXPECT_EQ(story.error.value().offset, 28U) << length;
    EXPECT_NE(message_of(story).find("claims " + std::to_string(length) + " bytes"),
              std::string::npos)
        << message_of(story);
  }
}

TEST(Pcapng, HugeBlockIsRefusedWithoutTakingMemory) {
  PcapngFile file(Order::little);
  file.u32(6).u32(0xfffffff0).u32(0);
  EXPECT_EQ(message_of(read_all(file.content())),
            "memory: byte 28: the packet block claims 4294967280 bytes, more than the limit of "
            "16777216");
}

TEST(Pcapng, TrailingLengthThatDiffersIsRefused) {
  for (const std::uint32_t type : {6U, 0xbadU}) {
    PcapngFile file(Order::little);
    file.interface(1).u32(type).u32(16).u32(0).u32(20);
    const Story story = read_all(file.content());
    EXPECT_EQ(story.error.value().offset, 48U);
    EXPECT_NE(message_of(story).find("ends with another length"), std::string::npos);
  }
}

TEST(Pcapng, PacketsThatDoNotFitTheirBlockAreRefused) {
  const Builder little(Order::little);
  EXPECT_EQ(error_of(6, Builder(little).u32(0).u64(0).u32(5).u32(5).text("four")),
            "memory: byte 48: the packet claims 5 bytes, its block has 4");
  EXPECT_EQ(error_of(6, Builder(little).u32(0).u64(0)),
            "memory: byte 48: the packet block has no room for a packet");
  EXPECT_EQ(error_of(2, Builder(little).u32(0).u64(0)),
            "memory: byte 48: the packet block has no room for a packet");
  EXPECT_EQ(error_of(3, Builder(little)),
            "memory: byte 48: the packet block has no room for a packet");
}

TEST(Pcapng, OptionsThatDoNotFitAreRefused) {
  const Builder fixed = Builder(Order::little).u16(1).u16(0).u32(0);
  EXPECT_EQ(error_of(1, Builder(fixed).u16(2).u16(9).text("short")),
            "memory: byte 48: option 2 of an interface has 9 bytes, its block ends before");
  EXPECT_EQ(error_of(1, Builder(fixed).u16(9).u16(2).u16(0).u16(0)),
            "memory: byte 48: option 9 of an interface has 2 bytes, not 1");
  EXPECT_EQ(error_of(1, Builder(fixed).u16(14).u16(4).u32(0)),
            "memory: byte 48: option 14 of an interface has 4 bytes, not 8");
  EXPECT_EQ(error_of(1, Builder(Order::little).u16(1)),
            "memory: byte 48: an interface has no room for its link type");
}

TEST(Pcapng, SectionsThatCannotBeAreRefused) {
  PcapngFile version(Order::little);
  version.block(0x0a0d0d0a, version.part().u32(0x1a2b3c4d).u16(2).u16(0).u64(0));
  EXPECT_EQ(message_of(read_all(version.content())),
            "memory: byte 28: the section has version 2, only 1 is known");
  PcapngFile magic(Order::little);
  magic.block(0x0a0d0d0a, magic.part().u32(0x11111111).u16(1).u16(0).u64(0));
  EXPECT_EQ(message_of(read_all(magic.content())),
            "memory: byte 28: the section header has no byte-order magic");
}

TEST(Pcapng, SimplePacketWithoutAnInterfaceIsRefused) {
  PcapngFile file(Order::little);
  file.simple("x", 1);
  EXPECT_EQ(message_of(read_all(file.content())),
            "memory: byte 28: the packet is of interface 0, the section has 0");
}

TEST(Pcapng, BurstsAndPiecesOfAnySizeGiveTheSameFrames) {
  PcapngFile file(Order::little);
  file.interface(1);
  for (std::uint32_t i = 0; i < 300; ++i) {
    file.enhanced(0, i, std::string(i % 97, 'x'));
    if (i % 3 == 0) file.block(5, file.part().u32(0).u64(0));
  }
  for (const std::size_t burst : {1U, 7U, 256U}) {
    for (const std::size_t piece : {1U, 13U, 4096U}) {
      const Story story = read_all(file.content(), burst, piece);
      ASSERT_EQ(story.frames.size(), 300U) << message_of(story);
      EXPECT_EQ(ns_of(story.frames[299]), 299'000);
      EXPECT_EQ(story.frames[299].text.size(), 299U % 97);
    }
  }
}

}  // namespace
}  // namespace uct::capture::testing
