// What a translation promises whatever the traffic: no two connections share a reply tuple, nothing
// is refused while a port is free, and all goes when the connections go.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include <uct/tracker.h>

#include "tests/support/udp_frames.h"

namespace uct {
namespace {

using std::chrono_literals::operator""s;
using test::address_of;
using test::End;
using test::UdpFrame;

constexpr std::uint32_t kServer = 0xc6336401;    // 198.51.100.1
constexpr std::uint32_t kExternal = 0xcb007109;  // 203.0.113.9

NatSpec source_nat(std::uint32_t addresses, std::uint16_t first, std::uint16_t last) {
  NatSpec spec;
  spec.source = NatRange{address_of(kExternal), address_of(kExternal + addresses - 1), first, last};
  return spec;
}

class Nat : public testing::Test {
 protected:
  void make(const NatSpec& spec, bool exclusive = false) {
    Config config;
    config.shards = exclusive ? 1 : 4;
    config.exclusive = exclusive;
    tracker_ = std::move(Tracker::create(config).value());
    const auto id = tracker_->add_nat(spec);
    ASSERT_TRUE(id.ok());
    request_.commit = true;
    request_.nat = id.value();
  }

  Verdict send(UdpFrame& frame) { return test::process_one(*tracker_, frame, request_, now_); }

  std::vector<ConnectionInfo> all() const {
    std::vector<ConnectionInfo> found(tracker_->connection_count());
    DumpCursor cursor;
    found.resize(tracker_->dump(cursor, found, now_));
    return found;
  }

  std::unique_ptr<Tracker> tracker_;
  Request request_;
  Timestamp now_{std::chrono::seconds(1000)};
};

TEST_F(Nat, FailsOnlyWhenNoPortIsFree) {
  make(source_nat(1, 1024, 9999));
  constexpr std::uint32_t kPorts = 9999 - 1024 + 1;
  std::mt19937 random(1);
  std::set<End> used;
  for (std::uint32_t i = 0; i < kPorts; ++i) {
    // Every other client uses a port that is free or taken already, as it happens.
    UdpFrame frame({0x0a000000 + i, static_cast<std::uint16_t>(1024 + random() % 8000)},
                   {kServer, 53});
    const Verdict verdict = send(frame);
    ASSERT_EQ(verdict.reason, Reason::none) << i << " of " << kPorts;
    ASSERT_EQ(frame.source().address, kExternal);
    ASSERT_TRUE(used.insert(frame.source()).second) << "port " << frame.source().port << " twice";
  }
  const End late{0x0b000000, 5000};
  UdpFrame frame(late, {kServer, 53});
  const Verdict verdict = send(frame);
  EXPECT_EQ(verdict.reason, Reason::nat_exhausted);
  EXPECT_EQ(verdict.connection, ConnectionHandle::none);
  EXPECT_EQ(frame.source(), late) << "a refused packet is as it was";
  UdpFrame elsewhere(late, {kServer + 1, 53});
  EXPECT_EQ(send(elsewhere).reason, Reason::none) << "another destination has ports of its own";
}

/// A full range in which connections end in every way that there is: what ended can be had again at
/// once, and nothing else.
TEST_F(Nat, WhatIsFreeInACrowdIsFound) {
  constexpr std::uint32_t kPorts = 600;
  make(source_nat(1, 3000, 3000 + kPorts - 1));
  std::mt19937 random(2);
  std::uint32_t next = 0;
  std::set<std::uint32_t> clients;
  const auto open = [&](bool ours = true) {
    const std::uint32_t client = 0x0a000000 + next++;
    UdpFrame frame(
        ours ? End{client, 5000} : End{kExternal, static_cast<std::uint16_t>(3000 + next % kPorts)},
        {kServer, 53});
    Request request = request_;
    if (!ours) request.nat = NatId::none;
    Packet packet = frame.packet();
    Verdict verdict;
    tracker_->process({&packet, 1}, request, now_, {&verdict, 1});
    if (verdict.reason == Reason::none && ours) clients.insert(client);
    return verdict.reason;
  };
  const auto fill = [&](std::uint32_t free) {
    for (std::uint32_t i = 0; i < free; ++i) ASSERT_EQ(open(), Reason::none) << i << " of " << free;
    ASSERT_EQ(open(), Reason::nat_exhausted);
  };
  const auto end_some = [&](std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto client = std::next(clients.begin(), static_cast<int>(random() % clients.size()));
      Filter filter;
      filter.original.source = address_of(*client);
      ASSERT_EQ(tracker_->flush(now_, filter), 1U);
      clients.erase(client);
    }
  };
  fill(kPorts);
  for (std::uint32_t round = 0; round < 50; ++round) {
    const auto count = static_cast<std::uint32_t>(1 + random() % 20);
    end_some(count);
    fill(count);
  }
  // The gateway's own connections take ports of the range, and give them back.
  end_some(kPorts / 2);
  std::uint32_t own = 0;
  for (int i = 0; i < 200; ++i) {
    const std::uint32_t before = tracker_->connection_count();
    const Reason reason = open(false);
    ASSERT_TRUE(reason == Reason::none || reason == Reason::nat_tuple_side) << name(reason);
    own += tracker_->connection_count() - before;
  }
  fill(kPorts / 2 - own);
  Filter filter;
  filter.original.source = address_of(kExternal);
  ASSERT_EQ(tracker_->flush(now_, filter), own);
  fill(own);
  // All expire, and no sweep comes.
  now_ += 100s;
  clients.clear();
  fill(kPorts);
}

TEST_F(Nat, TheNextAddressServesWhenOneIsFull) {
  make(source_nat(3, 7, 8));
  std::set<End> used;
  for (std::uint32_t i = 0; i < 6; ++i) {
    UdpFrame frame({0x0a000001, static_cast<std::uint16_t>(1000 + i)}, {kServer, 53});
    ASSERT_EQ(send(frame).reason, Reason::none) << i;
    used.insert(frame.source());
  }
  EXPECT_EQ(used.size(), 6U);
  UdpFrame frame({0x0a000001, 2000}, {kServer, 53});
  EXPECT_EQ(send(frame).reason, Reason::nat_exhausted);
}

TEST_F(Nat, AnAddressIsKeptForAHostWhenPersistent) {
  NatSpec spec = source_nat(64, 1024, 65535);
  spec.selection = NatSelection::persistent;
  make(spec);
  std::set<std::uint32_t> of_all;
  for (std::uint32_t host = 0; host < 50; ++host) {
    std::set<std::uint32_t> of_host;
    for (std::uint32_t i = 0; i < 20; ++i) {
      UdpFrame frame({0x0a000000 + host, static_cast<std::uint16_t>(2000 + i)}, {kServer + i, 53});
      ASSERT_EQ(send(frame).reason, Reason::none);
      of_host.insert(frame.source().address);
    }
    EXPECT_EQ(of_host.size(), 1U);
    of_all.insert(*of_host.begin());
  }
  EXPECT_GT(of_all.size(), 20U) << "hosts are spread over the addresses";
}

TEST_F(Nat, ReplyTuplesGoWithTheirConnections) {
  for (const bool exclusive : {false, true}) {
    make(source_nat(2, 1024, 65535), exclusive);
    for (std::uint32_t i = 0; i < 5000; ++i) {
      UdpFrame frame({0x0a000000 + i, 4000}, {kServer + i % 7, 53});
      ASSERT_EQ(send(frame).reason, Reason::none);
    }
    EXPECT_EQ(tracker_->connection_count(), 5000U);
    EXPECT_EQ(tracker_->stats().connections, 5000U);
    EXPECT_EQ(tracker_->stats().reply_tuples, 5000U);
    EXPECT_EQ(all().size(), 5000U) << "a reply tuple is no connection";
    Filter filter;
    filter.original.destination = address_of(kServer);
    const std::size_t flushed = tracker_->flush(now_, filter);
    EXPECT_EQ(tracker_->stats().reply_tuples, 5000U - flushed);
    now_ += 100s;
    while (!tracker_->sweep(now_).finished) {
    }
    EXPECT_EQ(tracker_->stats().connections, 0U);
    EXPECT_EQ(tracker_->stats().reply_tuples, 0U);
  }
}

// Connections leave by more ways than sweeps: their reply tuples leave with them all the same.
TEST_F(Nat, ReplyTuplesGoWithConnectionsThatPacketsRemove) {
  for (const bool exclusive : {false, true}) {
    make(source_nat(1, 1024, 65535), exclusive);
    for (std::uint32_t i = 0; i < 100; ++i) {
      UdpFrame frame({0x0a000000 + i, 4000}, {kServer, 53});
      ASSERT_EQ(send(frame).reason, Reason::none);
    }
    // A month without sweeps, as no deadline of 32 bits can tell: the next packet catches up.
    now_ += std::chrono::hours(24 * 30);
    request_.nat = NatId::none;
    for (std::uint32_t i = 0; i < 50; ++i) {
      UdpFrame frame({0x0b000000 + i, 4000}, {kServer, 53});
      ASSERT_EQ(send(frame).reason, Reason::none);
    }
    EXPECT_EQ(tracker_->stats().connections, 50U);
    EXPECT_EQ(tracker_->stats().reply_tuples, 0U);
  }
}

TEST_F(Nat, ReplyTuplesGoWithConnectionsOfASweepThatStopsEarly) {
  make(source_nat(1, 1024, 65535));
  for (std::uint32_t i = 0; i < 100; ++i) {
    UdpFrame frame({0x0a000000 + i, 4000}, {kServer, 53});
    ASSERT_EQ(send(frame).reason, Reason::none);
  }
  now_ += 100s;
  SweepBudget budget;
  budget.timers = 10;
  while (!tracker_->sweep(now_, budget).finished) {
    EXPECT_EQ(tracker_->stats().reply_tuples, tracker_->stats().connections);
  }
  EXPECT_EQ(tracker_->stats().connections, 0U);
}

TEST_F(Nat, ReplyTuplesGoWithConnectionsThatMakeRoom) {
  make(source_nat(1, 1024, 65535), true);
  ASSERT_EQ(tracker_->set_max_connections(20), Error::none);
  for (std::uint32_t round = 0; round < 3; ++round) {
    for (std::uint32_t i = 0; i < 20; ++i) {
      UdpFrame frame({0x0a000000 + 100 * round + i, 4000}, {kServer, 53});
      ASSERT_EQ(send(frame).reason, Reason::none);
      EXPECT_LE(tracker_->stats().reply_tuples, tracker_->stats().connections);
    }
    now_ += 100s;
  }
}

// A reply is sent on to an expired connection, whose tuple, and whose place, a new one takes before
// it is there: what it does then, it does to the new one.
TEST_F(Nat, AReplyThatFindsANewConnectionInTheOldOnesPlaceIsTheNewOnes) {
  for (const bool exclusive : {false, true}) {
    make(source_nat(1, 7000, 7000), exclusive);
    UdpFrame first({0x0a000001, 1}, {kServer, 53});
    ASSERT_EQ(send(first).reason, Reason::none);
    for (int round = 0; round < 20; ++round) {
      now_ += 100s;
      UdpFrame question({0x0a000002 + static_cast<std::uint32_t>(round), 2}, {kServer, 53});
      UdpFrame answer({kServer, 53}, {kExternal, 7000});
      std::array<Packet, 2> burst = {question.packet(), answer.packet()};
      std::array<Verdict, 2> verdicts;
      request_.force = true;  // the answer removes the connection and opens one of its own
      tracker_->process(burst, request_, now_, verdicts);
      EXPECT_EQ(tracker_->stats().connections, tracker_->connection_count());
      tracker_->flush(now_);
      EXPECT_EQ(tracker_->stats().connections, 0U);
      UdpFrame next({0x0b000000, 1}, {kServer, 53});
      ASSERT_EQ(send(next).reason, Reason::none);
    }
  }
}

// A reply and its originator's packet in one burst, when their connection has expired: the reply is
// sent on, finds nothing and comes back, and meanwhile the tuple may belong to a new connection.
TEST_F(Nat, AReplyThatComesBackFindsTheTuplesNewConnection) {
  for (const bool exclusive : {false, true}) {
    make(source_nat(1, 0, 0), exclusive);
    const End client{0x0a000001, 4000}, server{kServer, 53}, external{kExternal, 4000};
    for (int round = 0; round < 3; ++round) {
      UdpFrame answer(server, external);
      UdpFrame question(client, server);
      std::array<Packet, 2> burst = {answer.packet(), question.packet()};
      std::array<Verdict, 2> verdicts;
      if (round == 0) std::swap(burst[0], burst[1]);
      tracker_->process(burst, request_, now_, verdicts);
      std::set<std::pair<End, End>> tuples;
      const auto end = [](const Address& address, std::uint16_t port) {
        std::uint32_t value = 0;
        for (unsigned i = 0; i < 4; ++i) value = value << 8 | address.bytes[i];
        return End{value, port};
      };
      for (const ConnectionInfo& info : all()) {
        for (const Tuple& tuple : {info.original, info.reply}) {
          const End from = end(tuple.source, tuple.source_port);
          const End to = end(tuple.destination, tuple.destination_port);
          EXPECT_TRUE(tuples.insert(std::minmax(from, to)).second) << "round " << round;
          const auto found = tracker_->find(0, tuple, now_);
          EXPECT_TRUE(found.has_value() && found->handle == info.handle) << "round " << round;
        }
      }
      now_ += 100s;
    }
  }
}

/// Random traffic in bursts, both ways, through connections that come and go.
void play(Tracker& tracker, const Request& request, Timestamp now, unsigned seed) {
  constexpr std::size_t kBurst = 32;
  std::mt19937 random(seed);
  std::map<std::pair<End, End>, End> outside;  // client and server -> external end
  std::map<std::pair<End, End>, End> inside;   // external and server -> client
  std::array<UdpFrame, kBurst> frames;
  std::array<Packet, kBurst> burst;
  std::array<Verdict, kBurst> verdicts;
  for (int round = 0; round < 3000; ++round) {
    std::vector<UdpFrame> sent;
    for (std::size_t i = 0; i < kBurst; ++i) {
      const End client{0x0a000000 + static_cast<std::uint32_t>(random() % 40),
                       static_cast<std::uint16_t>(1000 + random() % 5)};
      const End server{kServer + static_cast<std::uint32_t>(random() % 3), 53};
      const auto known = outside.find({client, server});
      if (known != outside.end() && random() % 2 == 0) {
        frames[i] = UdpFrame(server, known->second);
      } else {
        frames[i] = UdpFrame(client, server);
      }
      sent.push_back(frames[i]);
      burst[i] = frames[i].packet();
    }
    tracker.process(burst, request, now, verdicts);
    for (std::size_t i = 0; i < kBurst; ++i) {
      ASSERT_EQ(verdicts[i].reason, Reason::none) << "seed " << seed;
      const End from = sent[i].source();
      const End to = sent[i].destination();
      if (from.address >> 24 == 10) {
        const auto place = outside.try_emplace({from, to}, frames[i].source()).first;
        ASSERT_EQ(frames[i].source(), place->second) << "seed " << seed;
        ASSERT_EQ(frames[i].destination(), to);
        const auto other = inside.try_emplace({place->second, to}, from);
        ASSERT_EQ(other.first->second, from) << "two connections with one reply tuple";
      } else {
        ASSERT_TRUE(has(verdicts[i].state, StateFlags::reply | StateFlags::snat));
        ASSERT_EQ(frames[i].source(), from);
        ASSERT_EQ(frames[i].destination(), (inside.at({to, from}))) << "seed " << seed;
      }
    }
  }
}

TEST_F(Nat, RandomTrafficGoesThereAndBack) {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    make(source_nat(2, 2000, 2099), seed % 2 == 0);
    play(*tracker_, request_, now_, seed);
    std::set<std::pair<Address, std::pair<Address, std::uint16_t>>> replies;
    for (const ConnectionInfo& info : all()) {
      EXPECT_TRUE(info.source_translated);
      EXPECT_FALSE(info.destination_translated);
      EXPECT_TRUE(
          replies.insert({info.reply.source, {info.reply.destination, info.reply.destination_port}})
              .second);
      for (const Tuple& tuple : {info.original, info.reply}) {
        const auto found = tracker_->find(0, tuple, now_);
        ASSERT_TRUE(found.has_value());
        EXPECT_EQ(found->handle, info.handle);
      }
    }
  }
}

/// What the express lane takes: TCP in Ethernet whose checksums hardware verified. The IPv4
/// addresses are at byte 26, the ports at 34.
class TcpFrame {
 public:
  TcpFrame(const End& from, const End& to, std::uint8_t flags, std::uint32_t seq,
           std::uint32_t ack) {
    put(12, 0x08004500);
    put(16, 40 << 16);
    put(22, 0x40060000);
    put(26, from.address);
    put(30, to.address);
    put(34, std::uint32_t{from.port} << 16 | to.port);
    put(38, seq);
    put(42, ack);
    put(46, 0x50000000 | std::uint32_t{flags} << 16 | 0xffff);
  }
  End source() const { return {get(26), static_cast<std::uint16_t>(get(34) >> 16)}; }
  End destination() const { return {get(30), static_cast<std::uint16_t>(get(34))}; }
  Packet packet() {
    Packet packet;
    packet.data = bytes_.data();
    packet.size = static_cast<std::uint32_t>(bytes_.size());
    packet.ip_checksum = packet.transport_checksum = ChecksumStatus::good;
    return packet;
  }

 private:
  void put(std::size_t at, std::uint32_t value) {
    for (unsigned i = 0; i < 4; ++i) {
      bytes_[at + i] = static_cast<std::byte>(value >> (24 - 8 * i) & 0xff);
    }
  }
  std::uint32_t get(std::size_t at) const {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < 4; ++i)
      value = value << 8 | static_cast<std::uint32_t>(bytes_[at + i]);
    return value;
  }

  std::array<std::byte, 54> bytes_{};
};

TEST_F(Nat, TcpOfTheExpressLaneGoesThereAndBack) {
  constexpr std::uint8_t kSyn = 0x02, kAck = 0x10;
  make(source_nat(1, 7000, 7000));
  const End client{0x0a000001, 40000};
  const End server{kServer, 80};
  const End external{kExternal, 7000};
  const auto goes = [&](TcpFrame frame, const End& from, const End& to) {
    Packet packet = frame.packet();
    Verdict verdict;
    tracker_->process({&packet, 1}, request_, now_, {&verdict, 1});
    EXPECT_EQ(verdict.reason, Reason::none) << describe(verdict.reason);
    EXPECT_TRUE(has(verdict.state, StateFlags::snat));
    EXPECT_EQ(frame.source(), from);
    EXPECT_EQ(frame.destination(), to);
  };
  goes({client, server, kSyn, 100, 0}, external, server);
  goes({server, external, kSyn | kAck, 500, 101}, server, client);
  for (std::uint32_t i = 0; i < 3; ++i) {
    goes({client, server, kAck, 101, 501}, external, server);
    goes({server, external, kAck, 501, 101}, server, client);
  }
}

/// 0 and 0xffff mean the same in a checksum: translating there and back does not tell which it was.
TEST_F(Nat, RefusedPacketIsAsItWasWhateverItsChecksums) {
  make(source_nat(1, 0, 0));
  UdpFrame first({0x0a000001, 1000}, {kServer, 53});
  ASSERT_EQ(send(first).reason, Reason::none);
  ASSERT_EQ(tracker_->set_max_connections(1), Error::none);
  for (const std::uint8_t sum : std::array<std::uint8_t, 3>{0x00, 0xff, 0x5a}) {
    // A SYN from 10.0.0.9 port 1106 to 198.51.100.1 port 80.
    std::array<std::uint8_t, 40> bytes = {0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, sum, sum};
    const std::array<std::uint8_t, 12> tuple = {10, 0, 0, 9, 198, 51, 100, 1, 4, 0x52, 0, 80};
    std::copy(tuple.begin(), tuple.end(), &bytes[12]);
    bytes[32] = 0x50;
    bytes[33] = 0x02;
    bytes[36] = bytes[37] = sum;
    const auto before = bytes;
    Packet packet;
    packet.data = reinterpret_cast<std::byte*>(bytes.data());
    packet.size = bytes.size();
    packet.link = LinkType::raw_ip;
    packet.ip_checksum = packet.transport_checksum = ChecksumStatus::good;
    Verdict verdict;
    tracker_->process({&packet, 1}, request_, now_, {&verdict, 1});
    EXPECT_EQ(verdict.reason, Reason::table_full);
    EXPECT_EQ(bytes, before);
  }
}

TEST(NatSpecs, AreRefusedByName) {
  const auto tracker = std::move(Tracker::create({}).value());
  EXPECT_EQ(tracker->add_nat({}).error(), Error::nat_empty);
  EXPECT_EQ(tracker->add_nat(source_nat(0, 0, 0)).error(), Error::nat_address_range);
  EXPECT_EQ(tracker->add_nat(source_nat(1, 9, 8)).error(), Error::nat_port_range);
  EXPECT_EQ(tracker->add_nat(source_nat(1, 0, 8)).error(), Error::nat_port_range);
  NatSpec spec = source_nat(1, 0, 0);
  spec.destination = NatRange{};
  spec.destination->first.family = spec.destination->last.family = Family::ipv6;
  spec.destination->first.bytes[15] = spec.destination->last.bytes[15] = 1;
  EXPECT_EQ(tracker->add_nat(spec).error(), Error::nat_family);
  for (std::size_t i = 0; i < kMaxNatSpecs; ++i) {
    ASSERT_TRUE(tracker->add_nat(source_nat(1, 0, 0)).ok());
  }
  EXPECT_EQ(tracker->add_nat(source_nat(1, 0, 0)).error(), Error::nat_full);
}

}  // namespace
}  // namespace uct
