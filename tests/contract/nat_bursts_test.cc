// Openings of one burst are made together: what that must not change.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <random>
#include <vector>

#include <uct/tracker.h>

#include "tests/support/udp_frames.h"

namespace uct {
namespace {

using test::address_of;
using test::End;
using test::UdpFrame;

constexpr std::size_t kBurst = 32;
constexpr std::uint32_t kClient = 0x0a000000;    // 10.0.0.0
constexpr std::uint32_t kServer = 0xc6336400;    // 198.51.100.0
constexpr std::uint32_t kExternal = 0xcb007109;  // 203.0.113.9

NatSpec source_nat(std::uint16_t first_port, std::uint16_t last_port) {
  NatSpec spec;
  spec.source = NatRange{address_of(kExternal), address_of(kExternal), first_port, last_port};
  return spec;
}

struct Gateway {
  explicit Gateway(const NatSpec& spec, std::uint32_t shards = 4) {
    Config config;
    config.shards = shards;
    config.exclusive = shards == 1;
    tracker = std::move(Tracker::create(config).value());
    request.commit = true;
    request.nat = tracker->add_nat(spec).value();
  }

  std::vector<Verdict> send(std::vector<UdpFrame>& frames) {
    std::vector<Packet> burst;
    for (UdpFrame& frame : frames) burst.push_back(frame.packet());
    std::vector<Verdict> verdicts(frames.size());
    tracker->process(burst, request, now, verdicts);
    return verdicts;
  }

  std::unique_ptr<Tracker> tracker;
  Request request;
  Timestamp now{std::chrono::seconds(1000)};
};

class NatBursts : public testing::TestWithParam<std::uint32_t> {};  // shards

TEST_P(NatBursts, PacketsOfOneFlowOpenOneConnection) {
  Gateway gateway(source_nat(3000, 3999), GetParam());
  std::vector<UdpFrame> frames;
  for (std::uint16_t i = 0; i < kBurst; ++i) {
    frames.emplace_back(End{kClient + i % 3U, 5000}, End{kServer, 53});
  }
  const std::vector<Verdict> verdicts = gateway.send(frames);
  EXPECT_EQ(gateway.tracker->connection_count(), 3U);
  for (std::size_t i = 0; i < kBurst; ++i) {
    ASSERT_EQ(verdicts[i].reason, Reason::none) << i;
    EXPECT_EQ(verdicts[i].connection, verdicts[i % 3].connection) << i;
    EXPECT_EQ(frames[i].source(), frames[i % 3].source()) << i;
    EXPECT_EQ(frames[i].source().address, kExternal) << i;
  }
}

TEST_P(NatBursts, AReplyFindsTheConnectionThatWasOpenedBeforeIt) {
  Gateway gateway(source_nat(0, 0), GetParam());
  std::vector<UdpFrame> frames;
  for (std::uint16_t i = 0; i < kBurst / 2; ++i) {
    const auto port = static_cast<std::uint16_t>(5000 + i);  // is kept
    frames.emplace_back(End{kClient, port}, End{kServer, 53});
    frames.emplace_back(End{kServer, 53}, End{kExternal, port});
  }
  const std::vector<Verdict> verdicts = gateway.send(frames);
  EXPECT_EQ(gateway.tracker->connection_count(), kBurst / 2);
  for (std::size_t i = 0; i < kBurst; i += 2) {
    ASSERT_EQ(verdicts[i].reason, Reason::none) << i;
    ASSERT_EQ(verdicts[i + 1].reason, Reason::none) << i;
    EXPECT_EQ(verdicts[i + 1].connection, verdicts[i].connection) << i;
    EXPECT_TRUE(has(verdicts[i + 1].state, StateFlags::reply | StateFlags::snat)) << i;
    EXPECT_EQ(frames[i + 1].destination().address, kClient) << i;
  }
}

// As a packet that opens a connection it would be refused: another host has what it would become.
TEST_P(NatBursts, AReplyFindsItsConnectionAlsoWhereNoPortIsFree) {
  Gateway gateway(source_nat(7000, 7000), GetParam());
  const End external{kExternal, 7000};
  std::vector<UdpFrame> first = {{{kServer + 1, 53}, external}};
  ASSERT_EQ(gateway.send(first)[0].reason, Reason::none);
  ASSERT_EQ(first[0].source(), external);
  std::vector<UdpFrame> frames = {{{kClient, 5000}, {kServer, 53}}, {{kServer, 53}, external}};
  const std::vector<Verdict> verdicts = gateway.send(frames);
  EXPECT_EQ(verdicts[0].reason, Reason::none);
  EXPECT_EQ(verdicts[1].reason, Reason::none);
  EXPECT_TRUE(has(verdicts[1].state, StateFlags::reply | StateFlags::snat));
  EXPECT_EQ(frames[1].destination(), (End{kClient, 5000}));
}

// Each opening takes a number before it takes a port.
TEST_P(NatBursts, WhatIsRefusedKeepsNothing) {
  Gateway gateway(source_nat(7000, 7003), GetParam());
  const auto send_new = [&](std::uint32_t host) {
    std::vector<UdpFrame> frames;
    for (std::uint32_t i = 0; i < kBurst; ++i) {
      frames.emplace_back(End{kClient + host + i, 5000}, End{kServer, 53});
    }
    return gateway.send(frames);
  };
  send_new(0);
  ASSERT_EQ(gateway.tracker->connection_count(), 4U) << "nothing is free now";
  const std::uint64_t before = gateway.tracker->stats().memory_bytes;
  for (std::uint32_t burst = 1; burst < 100; ++burst) {
    for (const Verdict& verdict : send_new(burst * kBurst)) {
      ASSERT_EQ(verdict.reason, Reason::nat_exhausted);
    }
  }
  EXPECT_EQ(gateway.tracker->stats().memory_bytes, before);
  EXPECT_EQ(gateway.tracker->flush(gateway.now), 4U);
  EXPECT_EQ(gateway.tracker->stats().reply_tuples, 0U);
}

// Packets are taken in blocks of 32: those of a later one were looked for before the first opened.
TEST_P(NatBursts, RepliesFarBehindInTheBurstFindTheirConnections) {
  Gateway gateway(source_nat(0, 0), GetParam());
  std::vector<UdpFrame> frames;
  for (const bool back : {false, true}) {
    for (std::uint16_t i = 0; i < 2 * kBurst; ++i) {
      const auto port = static_cast<std::uint16_t>(5000 + i);  // is kept
      const End outside{back ? kExternal : kClient, port};
      frames.emplace_back(back ? End{kServer, 53} : outside, back ? outside : End{kServer, 53});
    }
  }
  const std::vector<Verdict> verdicts = gateway.send(frames);
  EXPECT_EQ(gateway.tracker->connection_count(), 2 * kBurst);
  for (std::size_t i = 0; i < 2 * kBurst; ++i) {
    const Verdict& answer = verdicts[2 * kBurst + i];
    EXPECT_EQ(answer.connection, verdicts[i].connection) << i;
    EXPECT_TRUE(has(answer.state, StateFlags::reply | StateFlags::snat)) << i;
    EXPECT_EQ(frames[2 * kBurst + i].destination().address, kClient) << i;
  }
}

// What answers nothing yet opens a connection of its own, and who comes behind may not have its
// tuple for replies; or else the port that it took would be free while another is refused.
TEST_P(NatBursts, AnAnswerBeforeItsQuestionKeepsItsTuple) {
  Gateway gateway(source_nat(7000, 7000), GetParam());
  const End external{kExternal, 7000};
  std::vector<UdpFrame> frames = {{{kServer, 53}, external}, {{kClient, 5000}, {kServer, 53}}};
  const std::vector<Verdict> verdicts = gateway.send(frames);
  EXPECT_EQ(verdicts[0].reason, Reason::none);
  EXPECT_EQ(frames[0].source(), external);
  EXPECT_FALSE(has(verdicts[0].state, StateFlags::reply));
  EXPECT_EQ(verdicts[1].reason, Reason::nat_exhausted);
  EXPECT_EQ(frames[1].source(), (End{kClient, 5000}));
}

// A connection of the gateway itself keeps its tuple, which no record holds before it is entered.
TEST_P(NatBursts, WhoKeepsItsTupleHasItBeforeThoseBehind) {
  Gateway gateway(source_nat(7000, 7000), GetParam());
  std::vector<UdpFrame> frames;
  frames.emplace_back(End{kExternal, 7000}, End{kServer, 53});
  frames.emplace_back(End{kClient, 5000}, End{kServer, 53});
  std::vector<Verdict> verdicts = gateway.send(frames);
  EXPECT_EQ(verdicts[0].reason, Reason::none);
  EXPECT_EQ(frames[0].source(), (End{kExternal, 7000}));
  EXPECT_FALSE(has(verdicts[0].state, StateFlags::snat));
  EXPECT_EQ(verdicts[1].reason, Reason::nat_exhausted);
  EXPECT_EQ(frames[1].source(), (End{kClient, 5000})) << "a refused packet is as it was";
  EXPECT_EQ(gateway.tracker->connection_count(), 1U);
}

TEST_P(NatBursts, TheLastPortsGoToTheFirst) {
  constexpr std::uint16_t kPorts = 20;
  Gateway gateway(source_nat(3000, 3000 + kPorts - 1), GetParam());
  std::vector<UdpFrame> frames;
  for (std::uint16_t i = 0; i < kBurst; ++i) {
    frames.emplace_back(End{kClient + i, 5000}, End{kServer, 53});
  }
  const std::vector<Verdict> verdicts = gateway.send(frames);
  for (std::size_t i = 0; i < kBurst; ++i) {
    EXPECT_EQ(verdicts[i].reason, i < kPorts ? Reason::none : Reason::nat_exhausted) << i;
  }
}

/// What a full table refuses gives its port back before the burst ends.
TEST_P(NatBursts, AConnectionThatTheTableRefusesHoldsNoPort) {
  Gateway gateway(source_nat(3000, 3031), GetParam());
  ASSERT_EQ(gateway.tracker->set_max_connections(8), Error::none);
  for (std::uint32_t round = 0; round < 4; ++round) {
    std::vector<UdpFrame> frames;
    for (std::uint16_t i = 0; i < kBurst; ++i) {
      frames.emplace_back(End{kClient + round * 100 + i, 5000}, End{kServer, 53});
    }
    std::uint32_t opened = 0;
    for (const Verdict& verdict : gateway.send(frames)) {
      if (verdict.reason == Reason::none) {
        ++opened;
      } else {
        EXPECT_EQ(verdict.reason, Reason::table_full);
      }
    }
    EXPECT_EQ(opened, 8U);
    EXPECT_EQ(gateway.tracker->flush(gateway.now, {}), 8U);
  }
}

/// Gives     whether `from` answers a connection by this tuple.
bool has_replies(const Gateway& gateway, const End& from, const End& to) {
  const Tuple tuple{address_of(from.address), address_of(to.address), Protocol::udp, from.port,
                    to.port};
  const auto found = gateway.tracker->find(0, tuple, gateway.now);
  return found.has_value() && found->reply == tuple;
}

// With one port nothing is left to chance: a burst must decide what packets one by one do.
TEST_P(NatBursts, DecideAsPacketsOneByOne) {
  Gateway together(source_nat(7000, 7000), GetParam());
  Gateway alone(source_nat(7000, 7000), GetParam());
  std::mt19937 random(1);
  std::uint32_t opened = 0;
  std::uint32_t refused = 0;
  std::uint32_t replied = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<UdpFrame> frames;
    for (std::size_t i = 0; i < kBurst; ++i) {
      const End client{kClient + static_cast<std::uint32_t>(random() % 30), 5000};
      const End server{kServer + static_cast<std::uint32_t>(random() % 20), 53};
      const End external{kExternal, 7000};
      const unsigned what = random() % 8;
      if (what < 2 && has_replies(alone, server, external)) {
        frames.emplace_back(server, external);
      } else if (what == 2) {
        frames.emplace_back(external, server);
      } else {
        frames.emplace_back(client, server);
      }
    }
    const std::vector<UdpFrame> sent = frames;
    const std::vector<Verdict> verdicts = together.send(frames);
    for (std::size_t i = 0; i < kBurst; ++i) {
      std::vector<UdpFrame> one = {sent[i]};
      const Verdict verdict = alone.send(one).front();
      ASSERT_EQ(verdicts[i].state, verdict.state) << "round " << round << ", packet " << i;
      ASSERT_EQ(verdicts[i].reason, verdict.reason) << "round " << round << ", packet " << i;
      ASSERT_EQ(frames[i].source(), one[0].source()) << "round " << round << ", packet " << i;
      ASSERT_EQ(frames[i].destination(), one[0].destination());
      opened += verdict.state == (StateFlags::tracked | StateFlags::new_ | StateFlags::snat);
      refused += verdict.reason == Reason::nat_exhausted;
      replied += has(verdict.state, StateFlags::reply);
    }
    together.now += std::chrono::seconds(random() % 40);  // some expire
    alone.now = together.now;
  }
  EXPECT_GT(opened, 1000U);
  EXPECT_GT(refused, 1000U);
  EXPECT_GT(replied, 1000U);
}

INSTANTIATE_TEST_SUITE_P(Shards, NatBursts, testing::Values(1, 4, 64));

}  // namespace
}  // namespace uct
