/// A path through Datagrams for tests: fragments in, and what leaves is collected by datagram.
///
/// Included by datagrams_test.cc and datagrams_room_test.cc.
/// Threads   one owner.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "frag/datagrams.h"

namespace uct::core::test {

inline constexpr bool kMore = true;
inline constexpr bool kLast = false;

inline FragmentVerdict verdict_of(std::uint16_t port) {
  FragmentVerdict verdict;
  verdict.state = StateFlags::new_ | StateFlags::tracked;
  verdict.source_port = port;
  verdict.destination_port = 7;
  return verdict;
}

/// One datagram's name in words.
struct Name {
  std::uint32_t id = 1;
  std::uint32_t source = 1;
  Family family = Family::ipv4;
  Zone zone = 0;
  std::uint8_t protocol = 17;

  FragmentKey key() const {
    ParsedPacket packet;
    packet.family = family;
    packet.protocol = protocol;
    packet.source[0] = source;
    packet.destination[0] = 99;
    packet.fragment_id = id;
    return make_fragment_key(packet, zone);
  }
};

/// What has left, in the words of the receiver.
struct Out {
  Extent extent;
  FragmentVerdict verdict;
};

/// Sends fragments, decides first ones by the port `id`, and collects what leaves by datagram id.
class Path {
 public:
  explicit Path(const DatagramLimits& limits) : datagrams(limits, HashKey{1, 2}) {}

  FragmentStep send(const Name& name, Extent extent, std::uint64_t now_ms = 0) {
    last = offer(name, extent, now_ms);
    if (last.step == FragmentStep::track) {
      const FragmentVerdict verdict = verdict_of(static_cast<std::uint16_t>(name.id));
      out[name.id].push_back({extent, verdict});
      emit(datagrams.decided(name.key(), verdict, now_ms, lost), name.id, verdict);
    }
    return last.step;
  }

  /// Only arrives: a first fragment is not decided.
  FragmentDecision offer(const Name& name, Extent extent, std::uint64_t now_ms = 0) {
    std::vector<std::byte> frame(frame_size != 0 ? frame_size : extent.size,
                                 static_cast<std::byte>(extent.offset / 8));
    Packet packet;
    packet.data = frame.data();
    packet.size = static_cast<std::uint32_t>(frame.size());
    packet.user = sent.size();
    sent.push_back(extent);
    const Fragment fragment{name.key(), extent};
    const FragmentDecision decision = datagrams.arrive(fragment, packet, now_ms, lost);
    if (decision.step == FragmentStep::follow) {
      out[name.id].push_back({extent, decision.verdict});
    }
    return decision;
  }

  void emit(HeldFrames frames, std::uint32_t id, const FragmentVerdict& verdict) {
    while (const HeldFramePtr frame = frames.pop()) {
      const Packet packet = frame->packet();
      const Extent extent = sent[packet.user];
      ASSERT_EQ(packet.size, frame_size != 0 ? frame_size : extent.size);
      ASSERT_EQ(packet.data[packet.size - 1], static_cast<std::byte>(extent.offset / 8));
      out[id].push_back({extent, verdict});
    }
  }

  FragmentRefusal refusal() const { return last.refusal; }

  Datagrams datagrams;
  std::uint32_t frame_size = 0;  ///< 0: as many bytes as the fragment has payload
  FragmentDecision last;
  LostFrames lost;
  std::vector<Extent> sent;
  std::map<std::uint32_t, std::vector<Out>> out;
};

/// Fragments of one datagram, in order.
inline std::vector<Extent> fragments_of(std::uint32_t count, std::uint32_t size = 16,
                                        std::uint32_t last_size = 5) {
  std::vector<Extent> extents;
  for (std::uint32_t i = 0; i + 1 < count; ++i) extents.push_back({i * size, size, kMore});
  extents.push_back({(count - 1) * size, last_size, kLast});
  return extents;
}

/// Every byte of the datagram left once, with its verdict.
inline void expect_whole(const Path& path, std::uint32_t id, std::uint32_t total) {
  const auto found = path.out.find(id);
  ASSERT_NE(found, path.out.end()) << id;
  std::vector<int> bytes(total);
  for (const Out& out : found->second) {
    EXPECT_EQ(out.verdict, verdict_of(static_cast<std::uint16_t>(id)));
    ASSERT_LE(out.extent.end(), total);
    for (std::uint32_t at = out.extent.offset; at < out.extent.end(); ++at) ++bytes[at];
  }
  EXPECT_TRUE(std::all_of(bytes.begin(), bytes.end(), [](int n) { return n == 1; })) << id;
}

}  // namespace uct::core::test
