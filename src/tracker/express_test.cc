// The express lane, held against the long way: packet by packet, and tracker by tracker.
#include "tracker/express.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <vector>

#include <uct/tracker.h>

#include "packet/parse.h"
#include "tests/support/packet_maker.h"
#include "tests/support/random.h"

namespace uct::core::test {
namespace {

using namespace std::chrono_literals;
using uct::test::Random;

Packet trusted(const Bytes& frame) {
  Packet packet = packet_of(frame, LinkType::ethernet);
  packet.ip_checksum = packet.transport_checksum = ChecksumStatus::good;
  return packet;
}

Bytes frame_of(Family family, const Bytes& packet) {
  return Bytes().zeros(12).u16(family == Family::ipv4 ? 0x0800 : 0x86dd).append(packet);
}

/// Both ways must know the same of a packet that the lane takes.
template <typename Key>
void expect_same(const Packet& packet, const ExpressItem& item,
                 const std::uint64_t (&words)[Key::kWords]) {
  ParsedPacket parsed;
  parse(packet, {}, parsed);
  if (parsed.reason == Reason::port_zero) {
    ParsedPacket left;
    ASSERT_EQ(leave_express(packet, Key::kFamily, item, left), Reason::port_zero);
    return;
  }
  ASSERT_EQ(parsed.fate, Fate::track) << name(parsed.reason);
  ASSERT_EQ(parsed.kind, Kind::tcp);
  ASSERT_EQ(parsed.part, FragmentPart::whole);
  ASSERT_EQ(parsed.seq + parsed.payload_size, item.segment.end);
  ASSERT_EQ(parsed.ack, item.segment.ack);
  ASSERT_EQ(parsed.window, item.segment.window);
  ASSERT_EQ(parsed.ip_size, item.ip_size);
  ASSERT_EQ(parsed.tcp_flags, item.flags);
  ParsedPacket left;
  ASSERT_EQ(leave_express(packet, Key::kFamily, item, left), Reason::none);
  ASSERT_EQ(left.window_scale, parsed.window_scale);
  ASSERT_EQ(left.seq, parsed.seq);
  ASSERT_EQ(left.payload_size, parsed.payload_size);
  ASSERT_EQ(left.source_port, parsed.source_port);
  ASSERT_EQ(left.destination_port, parsed.destination_port);
  ASSERT_EQ(left.transport_offset, parsed.transport_offset);
  ASSERT_EQ(left.transport_size, parsed.transport_size);
  Key key;
  ASSERT_EQ(make_key(parsed, 9, key), item.from);
  ASSERT_TRUE(has_words(key, words));
}

std::unique_ptr<Tracker> make_tracker() {
  auto made = Tracker::create(Config{});
  return std::move(made.value());
}

/// A host's segments of one of a few connections, right more often than wrong.
class Traffic {
 public:
  explicit Traffic(unsigned seed) : random_(seed) {}

  /// Gives     the next frame: Ethernet, checksums left 0.
  std::vector<std::byte> next() {
    Connection& connection = connections_[random_() % connections_.size()];
    const unsigned side = random_() % 2;
    const unsigned kind = random_() % 16;
    std::uint8_t flags = tcp_flag::kAck;
    std::uint32_t payload = random_() % 4 == 0 ? random_() % 90 : 0;
    if (kind == 0) flags = side == 0 ? tcp_flag::kSyn : tcp_flag::kSyn | tcp_flag::kAck;
    if (kind == 1 && random_() % 8 == 0) flags |= tcp_flag::kFin;
    if (kind == 2 && random_() % 8 == 0) flags = tcp_flag::kRst | tcp_flag::kAck;
    std::uint32_t seq = connection.next[side];
    std::uint32_t ack = connection.next[1 - side];
    if (random_() % 10 == 0) seq += random_() % 200'000 - 100'000;
    if (random_() % 10 == 0) ack += random_() % 200'000 - 100'000;
    if (seq == connection.next[side]) {
      const bool counts = (flags & (tcp_flag::kSyn | tcp_flag::kFin)) != 0;
      connection.next[side] += payload + (counts ? 1 : 0);
    }
    return frame(connection, side, flags, seq, ack, payload);
  }

 private:
  struct Connection {
    bool v6 = false;
    std::uint16_t port = 0;
    std::uint32_t next[2] = {0xfffffff0, 7};
  };

  std::vector<std::byte> frame(const Connection& connection, unsigned side, std::uint8_t flags,
                               std::uint32_t seq, std::uint32_t ack, std::uint32_t payload) {
    const Family family = connection.v6 ? Family::ipv6 : Family::ipv4;
    Bytes transport = tcp(family, flags, {}, payload);
    const auto set = [&](std::size_t at, std::uint32_t value, unsigned size) {
      for (unsigned i = 0; i < size; ++i) transport.set_u8(at + i, value >> 8 * (size - 1 - i));
    };
    set(side == 0 ? 0 : 2, connection.port, 2);
    set(side == 0 ? 2 : 0, 80, 2);
    set(4, seq, 4);
    set(8, ack, 4);
    set(14, random_() % 0x10000, 2);
    Bytes packet = ip(family, 6, transport);
    if (side == 1) {  // the answer: addresses change places
      const std::size_t at = connection.v6 ? 8 : 12;
      const std::size_t size = connection.v6 ? 16 : 4;
      const Bytes source = packet.slice(at, at + size);
      const Bytes destination = packet.slice(at + size, at + 2 * size);
      for (std::size_t i = 0; i < size; ++i) {
        packet.set_u8(at + i, destination.data()[i]);
        packet.set_u8(at + size + i, source.data()[i]);
      }
    }
    const Bytes all = frame_of(family, packet);
    const auto* first = reinterpret_cast<const std::byte*>(all.data());
    return {first, first + all.size()};
  }

  static std::array<Connection, 48> make_connections() {
    std::array<Connection, 48> connections;
    for (std::size_t i = 0; i < connections.size(); ++i) {
      connections[i].v6 = i % 3 == 0;
      connections[i].port = static_cast<std::uint16_t>(1024 + i);
    }
    return connections;
  }

  Random random_;
  std::array<Connection, 48> connections_ = make_connections();
};

std::vector<ConnectionInfo> all_of(const Tracker& tracker, Timestamp now) {
  std::vector<ConnectionInfo> all(256);
  DumpCursor cursor;
  all.resize(tracker.dump(cursor, all, now));
  return all;
}

void expect_same_contents(const Tracker& a, const Tracker& b, Timestamp now) {
  const std::vector<ConnectionInfo> left = all_of(a, now);
  const std::vector<ConnectionInfo> right = all_of(b, now);
  ASSERT_EQ(left.size(), right.size());
  for (std::size_t i = 0; i < left.size(); ++i) {
    ASSERT_EQ(left[i].handle, right[i].handle);
    ASSERT_EQ(left[i].state, right[i].state);
    ASSERT_EQ(left[i].expires, right[i].expires);
    ASSERT_EQ(left[i].last_seen, right[i].last_seen);
    for (unsigned side = 0; side < 2; ++side) {
      ASSERT_EQ(left[i].counters[side].packets, right[i].counters[side].packets);
      ASSERT_EQ(left[i].counters[side].bytes, right[i].counters[side].bytes);
      ASSERT_EQ(left[i].tcp[side].end, right[i].tcp[side].end);
      ASSERT_EQ(left[i].tcp[side].max_end, right[i].tcp[side].max_end);
      ASSERT_EQ(left[i].tcp[side].max_ack, right[i].tcp[side].max_ack);
      ASSERT_EQ(left[i].tcp[side].max_window, right[i].tcp[side].max_window);
    }
  }
}

}  // namespace

TEST(Express, KnowsWhatTheLongWayKnows) {
  Random random(20);
  int taken = 0;
  for (int run = 0; run < 200'000; ++run) {
    const Family family = run % 2 == 0 ? Family::ipv4 : Family::ipv6;
    const auto flags = static_cast<std::uint8_t>(random() % 2 == 0 ? 0x10 : random());
    const Bytes options = random() % 2 == 0 ? Bytes() : Bytes().u8(1).u8(3).u8(3).u8(random() % 20);
    Bytes frame = frame_of(family, ip(family, 6, tcp(family, flags, options, random() % 20)));
    for (auto edits = random() % 3; edits > 0; --edits) {
      frame.set_u8(12 + random() % (frame.size() - 12), random());
    }
    const Bytes cut = frame.slice(0, random() % 3 == 0 ? random() % frame.size() : frame.size());
    const Packet packet = trusted(cut);
    ExpressItem item;
    std::uint64_t v4[KeyV4::kWords];
    std::uint64_t v6[KeyV6::kWords];
    if (enter_express_v4(packet, last_word(9, Kind::tcp), item, v4)) {
      ++taken;
      ASSERT_NO_FATAL_FAILURE(expect_same<KeyV4>(packet, item, v4)) << run;
    } else if (enter_express_v6(packet, 9, item, v6)) {
      ++taken;
      ASSERT_NO_FATAL_FAILURE(expect_same<KeyV6>(packet, item, v6)) << run;
    }
  }
  EXPECT_GT(taken, 30'000);
}

TEST(Express, TakesOnlyEthernetWithGoodChecksums) {
  const Bytes frame = frame_of(Family::ipv4, ip(Family::ipv4, 6, tcp(Family::ipv4, 0x10)));
  Packet packet = trusted(frame);
  EXPECT_TRUE(express::is_trusted_ethernet(packet));
  packet.ip_checksum = ChecksumStatus::unknown;
  EXPECT_FALSE(express::is_trusted_ethernet(packet));
  packet = trusted(frame);
  packet.transport_checksum = ChecksumStatus::bad;
  EXPECT_FALSE(express::is_trusted_ethernet(packet));
  packet = trusted(frame);
  packet.link = LinkType::raw_ip;
  EXPECT_FALSE(express::is_trusted_ethernet(packet));
}

/// The same packets through two trackers: as Ethernet frames through the lane, and without their
/// Ethernet header, which the lane does not take.
TEST(Express, TrackersAgreeWithAndWithoutIt) {
  const auto lane = make_tracker();
  const auto plain = make_tracker();
  Traffic traffic(5);
  Random random(6);
  Timestamp now{1'000s};
  for (int call = 0; call < 6000; ++call) {
    const std::size_t count = 1 + random() % 70;
    std::vector<std::vector<std::byte>> frames(count);
    std::vector<Packet> with(count);
    std::vector<Packet> without(count);
    for (std::size_t i = 0; i < count; ++i) {
      frames[i] = traffic.next();
      with[i].data = frames[i].data();
      with[i].size = static_cast<std::uint32_t>(frames[i].size());
      with[i].ip_checksum = with[i].transport_checksum = ChecksumStatus::good;
      without[i] = with[i];
      without[i].link = LinkType::raw_ip;
      without[i].data += 14;
      without[i].size -= 14;
      without[i].wire_size = with[i].size;
    }
    std::vector<Verdict> left(count);
    std::vector<Verdict> right(count);
    const Request request{.zone = 3, .commit = true};
    lane->process(with, request, now, left);
    plain->process(without, request, now, right);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(left[i].state, right[i].state) << call << ' ' << i << to_string(right[i].state);
      ASSERT_EQ(left[i].reason, right[i].reason);
      ASSERT_EQ(left[i].zone, right[i].zone);
      ASSERT_EQ(left[i].connection, right[i].connection);
    }
    now += std::chrono::milliseconds(random() % (random() % 100 == 0 ? 400'000 : 200));
    if (call % 50 == 0) {
      lane->sweep(now);
      plain->sweep(now);
    }
    if (call % 500 != 0) continue;
    ASSERT_NO_FATAL_FAILURE(expect_same_contents(*lane, *plain, now));
  }
  const Stats a = lane->stats();
  const Stats b = plain->stats();
  EXPECT_GT(a.established, 60'000U);
  EXPECT_EQ(a.packets, b.packets);
  EXPECT_EQ(a.bytes, b.bytes);
  EXPECT_EQ(a.established, b.established);
  EXPECT_EQ(a.reply, b.reply);
  EXPECT_EQ(a.new_, b.new_);
  EXPECT_EQ(a.invalid, b.invalid);
  EXPECT_EQ(a.reasons, b.reasons);
}

}  // namespace uct::core::test
