// Mappings that a subscriber asks for or an operator forwards: they have no connection to live by.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>

#include <uct/tracker.h>

#include "tests/support/udp_frames.h"

namespace uct {
namespace {

using std::chrono_literals::operator""s;
using test::address_of;
using test::End;
using test::UdpFrame;

constexpr End kHost{0x0a000001, 80};            // 10.0.0.1
constexpr End kOther{0x0a000002, 80};           // 10.0.0.2
constexpr End kRemote{0xc6336401, 4000};        // 198.51.100.1
constexpr std::uint32_t kAddress = 0xcb007109;  // 203.0.113.9

NatSpec spec_of(std::uint16_t first, std::uint16_t last) {
  NatSpec spec;
  spec.source = NatRange{address_of(kAddress), address_of(kAddress), first, last};
  NatMapping& mapping = spec.mapping.emplace();
  mapping.inside = {{address_of(0x0a000000), address_of(0x0affffff)}};
  mapping.hold_down = Duration(0);
  return spec;
}

NatRequestedMapping wanted_of(const End& internal, std::uint16_t wish = 0) {
  return {0, Protocol::udp, address_of(internal.address), internal.port, wish};
}

class RequestedMapping : public testing::Test {
 protected:
  void make(const NatSpec& spec) {
    tracker_ = std::move(Tracker::create({}).value());
    id_ = tracker_->add_nat(spec).value();
  }

  Verdict send(UdpFrame& frame) {
    Request request;
    request.commit = true;
    request.nat = id_;
    return test::process_one(*tracker_, frame, request, now_);
  }

  Result<NatEndpoint> add(const NatRequestedMapping& wanted) {
    return tracker_->add_mapping(id_, wanted, now_);
  }
  bool remove(const NatRequestedMapping& wanted) {
    return tracker_->remove_mapping(id_, wanted, now_);
  }
  std::uint64_t ports_used() const { return tracker_->nat_stats(id_).value().used; }

  std::unique_ptr<Tracker> tracker_;
  NatId id_ = NatId::none;
  Timestamp now_{1000s};
};

TEST_F(RequestedMapping, LetsAnybodyInWhateverTheFilter) {
  for (const NatFiltering filtering :
       {NatFiltering::endpoint_independent, NatFiltering::address_dependent,
        NatFiltering::address_and_port_dependent}) {
    NatSpec spec = spec_of(8000, 8999);
    spec.mapping->filtering = filtering;
    make(spec);
    const auto external = add(wanted_of(kHost, 8080));
    ASSERT_TRUE(external.ok());
    EXPECT_EQ(external.value(), (NatEndpoint{address_of(kAddress), 8080})) << "the wish was free";

    const End outside{kAddress, 8080};
    UdpFrame in(kRemote, outside);
    const Verdict verdict = send(in);
    EXPECT_EQ(verdict.reason, Reason::none);
    EXPECT_TRUE(has(verdict.state, StateFlags::new_ | StateFlags::dnat));
    EXPECT_EQ(in.destination(), kHost);
    UdpFrame out(kHost, kRemote);
    EXPECT_TRUE(has(send(out).state, StateFlags::reply));
    EXPECT_EQ(out.source(), outside);
  }
}

TEST_F(RequestedMapping, StaysWithoutConnections) {
  make(spec_of(8000, 8000));
  ASSERT_TRUE(add(wanted_of(kHost)).ok());
  UdpFrame own(kHost, kRemote);
  EXPECT_EQ(send(own).reason, Reason::none);
  EXPECT_EQ(own.source(), (End{kAddress, 8000})) << "the host's connections have it, too";
  now_ += std::chrono::hours(24);
  tracker_->sweep(now_, {});
  EXPECT_EQ(tracker_->connection_count(), 0U);
  UdpFrame others(kOther, kRemote);
  EXPECT_EQ(send(others).reason, Reason::nat_exhausted) << "nobody else gets the port";
  UdpFrame in(kRemote, {kAddress, 8000});
  EXPECT_EQ(send(in).reason, Reason::none);
  EXPECT_EQ(in.destination(), kHost);
  tracker_->flush(now_, {});
  EXPECT_EQ(ports_used(), 1U);
  EXPECT_TRUE(remove(wanted_of(kHost)));
  EXPECT_EQ(ports_used(), 0U);
  EXPECT_EQ(send(others).reason, Reason::none);
}

TEST_F(RequestedMapping, TakesOverWhatConnectionsMadeAndLeavesThemTheirs) {
  make(spec_of(8000, 8999));
  UdpFrame own(kHost, kRemote);
  ASSERT_EQ(send(own).reason, Reason::none);
  const auto external = add(wanted_of(kHost, 8080));
  ASSERT_TRUE(external.ok());
  EXPECT_EQ(external.value().port, own.source().port) << "a host has one external end";
  EXPECT_TRUE(remove(wanted_of(kHost)));
  EXPECT_EQ(ports_used(), 1U) << "its connection lives on";
  UdpFrame back(kRemote, own.source());
  EXPECT_TRUE(has(send(back).state, StateFlags::reply));
  tracker_->flush(now_, {});
  EXPECT_EQ(ports_used(), 0U);
}

TEST_F(RequestedMapping, AskedForAgainIsTheSameOne) {
  make(spec_of(8000, 8999));
  const auto first = add(wanted_of(kHost, 8080));
  const auto again = add(wanted_of(kHost, 8081));
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(first.value(), again.value());
  EXPECT_EQ(ports_used(), 1U);
  EXPECT_TRUE(remove(wanted_of(kHost)));
  EXPECT_FALSE(remove(wanted_of(kHost)));
  EXPECT_EQ(ports_used(), 0U);
}

TEST_F(RequestedMapping, OfAConnectionAloneIsNotRemoved) {
  make(spec_of(8000, 8999));
  UdpFrame own(kHost, kRemote);
  ASSERT_EQ(send(own).reason, Reason::none);
  EXPECT_FALSE(remove(wanted_of(kHost)));
  EXPECT_EQ(ports_used(), 1U);
}

TEST_F(RequestedMapping, YieldsItsWishToWhatIsFree) {
  make(spec_of(8000, 8999));
  ASSERT_EQ(add(wanted_of(kHost, 8080)).value().port, 8080);
  const auto other = add(wanted_of(kOther, 8080));
  ASSERT_TRUE(other.ok());
  EXPECT_NE(other.value().port, 8080);
}

TEST_F(RequestedMapping, HasThePortOfAConnectionThatExpired) {
  make(spec_of(8000, 8000));
  UdpFrame others(kOther, kRemote);
  ASSERT_EQ(send(others).reason, Reason::none);
  EXPECT_EQ(add(wanted_of(kHost)).error(), Error::nat_exhausted);
  now_ += std::chrono::hours(24);
  EXPECT_TRUE(add(wanted_of(kHost)).ok()) << "not swept yet";
}

TEST_F(RequestedMapping, RestsItsPortWhenItEnds) {
  NatSpec spec = spec_of(8000, 8000);
  spec.mapping->hold_down = 120s;
  make(spec);
  ASSERT_TRUE(add(wanted_of(kHost)).ok());
  ASSERT_TRUE(remove(wanted_of(kHost)));
  EXPECT_EQ(tracker_->nat_stats(id_).value().held, 1U);
  EXPECT_EQ(add(wanted_of(kOther)).error(), Error::nat_exhausted);
  now_ += 120s;
  EXPECT_TRUE(add(wanted_of(kOther)).ok());
}

TEST_F(RequestedMapping, IsRefusedByName) {
  NatSpec spec = spec_of(1024, 65535);
  spec.mapping->blocks = NatBlocks{64, 1, 2, false};
  make(spec);
  EXPECT_TRUE(add(wanted_of({kHost.address, 1})).ok());
  EXPECT_TRUE(add(wanted_of({kHost.address, 2})).ok());
  EXPECT_EQ(add(wanted_of({kHost.address, 3})).error(), Error::nat_quota);
  EXPECT_EQ(add(wanted_of(kRemote)).error(), Error::nat_not_inside);
  NatRequestedMapping wanted = wanted_of(kHost);
  wanted.internal.family = Family::ipv6;
  EXPECT_EQ(add(wanted).error(), Error::nat_not_inside);
  wanted = wanted_of(kHost);
  wanted.protocol = Protocol::icmp;
  EXPECT_EQ(add(wanted).error(), Error::nat_no_mapping);
  NatSpec plain;
  plain.source = spec.source;
  const NatId without = tracker_->add_nat(plain).value();
  EXPECT_EQ(tracker_->add_mapping(without, wanted_of(kHost), now_).error(), Error::nat_no_mapping);
  EXPECT_FALSE(tracker_->remove_mapping(without, wanted_of(kHost), now_));
  EXPECT_EQ(tracker_->add_mapping(NatId::none, wanted_of(kHost), now_).error(), Error::nat_unknown);
  EXPECT_FALSE(tracker_->remove_mapping(NatId::none, wanted_of(kHost), now_));
}

}  // namespace
}  // namespace uct
