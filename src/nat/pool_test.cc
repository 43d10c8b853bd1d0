#include "nat/pool.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <tuple>

#include "tests/support/addresses.h"

namespace uct::core {
namespace {

using uct::test::address;
using uct::test::range;

using Random = std::mt19937_64;
constexpr std::uint32_t kAll = std::numeric_limits<std::uint32_t>::max();
constexpr HashKey kKey = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

Address subscriber(std::uint32_t number) {
  return {{100, 64, static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)},
          Family::ipv4};
}

/// Three addresses of 16 TCP ports each, in two ranges; ports rest for 1000 ms.
PoolConfig small_config() {
  PoolConfig config;
  config.addresses = {range("203.0.113.9", "203.0.113.9"), range("198.51.100.1", "198.51.100.2")};
  config.ports = {1020, 1035};
  config.icmp_ids = {0, 3};
  config.hold_down_ms = 1000;
  config.key = kKey;
  return config;
}

std::unique_ptr<Pool> make(const PoolConfig& config) {
  PoolError error = PoolError::none;
  auto pool = Pool::make(config, error);
  EXPECT_EQ(error, PoolError::none);
  return pool;
}

PoolError error_of(const PoolConfig& config) {
  PoolError error = PoolError::none;
  const bool is_made = Pool::make(config, error) != nullptr;
  EXPECT_EQ(is_made, error == PoolError::none);
  return error;
}

PortRequest tcp_of(std::uint32_t number) { return {subscriber(number), Protocol::tcp, {}, {}}; }

void expect_sum(const PortStats& stats) {
  ASSERT_EQ(stats.used + stats.held + stats.free, stats.ports);
}

// --- addresses ----------------------------------------------------------------------------------

TEST(AddressBook, NumbersAllAddressesOfAllRangesInOrder) {
  AddressBook book;
  ASSERT_EQ(book.add(range("203.0.113.254", "203.0.114.1")), PoolError::none);
  ASSERT_EQ(book.add(prefix_range(address("10.0.0.77"), 30)), PoolError::none);
  ASSERT_EQ(book.add(range("255.255.255.255", "255.255.255.255")), PoolError::none);
  ASSERT_EQ(book.count(), 9U);
  EXPECT_EQ(to_string(book.at(0)), "10.0.0.76");
  EXPECT_EQ(to_string(book.at(6)), "203.0.114.0");
  EXPECT_EQ(to_string(book.at(8)), "255.255.255.255");
  for (std::uint32_t index = 0; index < book.count(); ++index) {
    EXPECT_EQ(book.index_of(book.at(index)), index);
  }
  for (const char* outside : {"10.0.0.75", "10.0.0.80", "203.0.113.253", "0.0.0.0", "::1"}) {
    EXPECT_FALSE(book.index_of(address(outside))) << outside;
  }
}

TEST(AddressBook, NumbersIpv6AcrossTheMiddleOfTheAddress) {
  AddressBook book;
  ASSERT_EQ(book.add(range("2001:db8::ffff:ffff:ffff:fffe", "2001:db8:0:1::3")), PoolError::none);
  ASSERT_EQ(book.add(prefix_range(address("2001:db8:1::5"), 120)), PoolError::none);
  ASSERT_EQ(book.count(), 6U + 256U);
  EXPECT_EQ(to_string(book.at(1)), "2001:db8::ffff:ffff:ffff:ffff");
  EXPECT_EQ(to_string(book.at(2)), "2001:db8:0:1::");
  EXPECT_EQ(to_string(book.at(261)), "2001:db8:1::ff");
  for (std::uint32_t index = 0; index < book.count(); ++index) {
    EXPECT_EQ(book.index_of(book.at(index)), index);
  }
}

TEST(AddressBook, RefusesWhatWouldGiveAPortTwiceOrMakesNoSense) {
  AddressBook book;
  ASSERT_EQ(book.add(range("10.0.0.10", "10.0.0.20")), PoolError::none);
  EXPECT_EQ(book.add(range("10.0.0.20", "10.0.0.30")), PoolError::address_ranges_overlap);
  EXPECT_EQ(book.add(range("10.0.0.1", "10.0.0.10")), PoolError::address_ranges_overlap);
  EXPECT_EQ(book.add(range("10.0.0.12", "10.0.0.12")), PoolError::address_ranges_overlap);
  EXPECT_EQ(book.add(range("10.0.0.1", "10.0.0.99")), PoolError::address_ranges_overlap);
  EXPECT_EQ(book.add(range("10.0.0.9", "10.0.0.8")), PoolError::address_range_backward);
  EXPECT_EQ(book.add(range("10.0.0.1", "::1")), PoolError::address_range_backward);
  EXPECT_EQ(book.add(range("::1", "::2")), PoolError::address_families_mixed);
  EXPECT_EQ(book.count(), 11U);
  EXPECT_EQ(book.add(range("10.0.0.21", "10.0.0.21")), PoolError::none);
  AddressBook wide;
  EXPECT_EQ(wide.add(prefix_range(address("::"), 0)), PoolError::too_many_addresses);
  EXPECT_EQ(wide.add(prefix_range(address("0.0.0.0"), 0)), PoolError::too_many_addresses);
  EXPECT_EQ(wide.add(range("0.0.0.0", "255.255.255.254")), PoolError::none);
}

TEST(Pool, RefusesAConfigurationThatCannotWork) {
  PoolConfig config = small_config();
  config.addresses.clear();
  EXPECT_EQ(error_of(config), PoolError::no_addresses);
  config.addresses = {prefix_range(address("10.0.0.0"), 15)};
  EXPECT_EQ(error_of(config), PoolError::too_many_addresses);
  config.addresses = {prefix_range(address("10.0.0.0"), 16)};
  EXPECT_EQ(error_of(config), PoolError::none);
  config.ports = {5, 4};
  EXPECT_EQ(error_of(config), PoolError::port_range_backward);
}

// --- pairing ------------------------------------------------------------------------------------

TEST(Pool, ASubscriberHasOneAddressInAllProtocols) {
  const auto pool = make(small_config());
  for (std::uint32_t number = 0; number < 20; ++number) {
    const std::uint32_t home = pool->choose_address(subscriber(number));
    for (const Protocol protocol : {Protocol::tcp, Protocol::udp, Protocol::sctp}) {
      const PortRequest request{subscriber(number), protocol, {}, {}};
      const PortGrant grant = pool->take(request, 0, 0);
      if (!grant) continue;  // full
      EXPECT_EQ(pool->addresses().index_of(grant.address), home);
    }
  }
}

TEST(Pool, SubscribersSpreadEvenlyAndByTheKey) {
  PoolConfig config = small_config();
  config.addresses = {prefix_range(address("203.0.113.0"), 27)};
  const auto pool = make(config);
  config.key = {1, 2};
  const auto other = make(config);
  std::vector<int> counts(32);
  int same = 0;
  for (std::uint32_t number = 0; number < 32'000; ++number) {
    ++counts[pool->choose_address(subscriber(number))];
    same += pool->choose_address(subscriber(number)) == other->choose_address(subscriber(number));
  }
  for (const int count : counts) EXPECT_NEAR(count, 1000, 160);  // five deviations
  EXPECT_NEAR(same, 1000, 160);
}

TEST(Pool, StrictPairingRefusesWhenTheAddressIsFullAndNotBefore) {
  const auto pool = make(small_config());
  std::set<std::uint16_t> ports;
  for (int i = 0; i < 16; ++i) {
    const PortGrant grant = pool->take(tcp_of(1), 0, static_cast<std::uint64_t>(i) << 60);
    ASSERT_TRUE(grant);
    ports.insert(grant.port);
  }
  EXPECT_EQ(ports.size(), 16U);
  EXPECT_EQ(pool->take(tcp_of(1), 0, 0).refusal, Refusal::address_exhausted);
  EXPECT_EQ(pool->refused(Refusal::address_exhausted), 1U);
  EXPECT_TRUE(pool->take({subscriber(1), Protocol::udp, {}, {}}, 0, 0)) << "another port space";
}

TEST(Pool, OverflowUsesTheWholePoolUpToTheLastPort) {
  PoolConfig config = small_config();
  config.overflow = Overflow::elsewhere;
  const auto pool = make(config);
  Random random(1);
  std::set<std::pair<Address, std::uint16_t>> taken;
  for (int i = 0; i < 48; ++i) {
    const PortGrant grant = pool->take(tcp_of(1), 0, random());
    ASSERT_TRUE(grant) << i;
    ASSERT_TRUE(taken.insert({grant.address, grant.port}).second);
    if (i < 16) {
      EXPECT_EQ(pool->addresses().index_of(grant.address), pool->choose_address(subscriber(1)));
    }
    expect_sum(pool->stats(PortSpace::tcp));
  }
  EXPECT_EQ(pool->take(tcp_of(1), 0, 0).refusal, Refusal::pool_exhausted);
  EXPECT_EQ(pool->stats(PortSpace::tcp).free, 0U);
}

TEST(Pool, AnOverflowedSubscriberStaysTogetherAndWhereItsMappingsAre) {
  PoolConfig config = small_config();
  config.overflow = Overflow::elsewhere;
  const auto pool = make(config);
  for (int i = 0; i < 16; ++i) pool->take(tcp_of(1), 0, 0);
  const PortGrant elsewhere = pool->take(tcp_of(1), 0, 0);
  for (int i = 0; i < 15; ++i) {
    EXPECT_EQ(pool->take(tcp_of(1), 0, 0).address, elsewhere.address) << i;
  }
  PortRequest request = tcp_of(1);
  request.protocol = Protocol::udp;
  request.paired = elsewhere.address;
  EXPECT_EQ(pool->take(request, 0, 0).address, elsewhere.address);
  request.paired = address("192.0.2.1");  // of another pool: its own choice then
  EXPECT_EQ(pool->addresses().index_of(pool->take(request, 0, 0).address),
            pool->choose_address(subscriber(1)));
}

// --- ports --------------------------------------------------------------------------------------

TEST(Pool, HonoursWishesAndPrefersAnyPortToNone) {
  const auto pool = make(small_config());
  PortRequest request = tcp_of(1);
  request.wish = {1023, true, true, true};
  EXPECT_EQ(pool->take(request, 0, 0).port, 1023);
  EXPECT_EQ(pool->take(request, 0, 0).port, 1021);
  const std::set<std::uint16_t> even = {pool->take(request, 0, 0).port,
                                        pool->take(request, 0, 0).port};
  EXPECT_EQ(even, (std::set<std::uint16_t>{1020, 1022}));
  EXPECT_GE(pool->take(request, 0, 0).port, 1024);
}

TEST(Pool, ProtocolsWithoutPortsAreRefused) {
  const auto pool = make(small_config());
  EXPECT_EQ(pool->take({subscriber(1), Protocol::gre, {}, {}}, 0, 0).refusal,
            Refusal::protocol_without_ports);
  EXPECT_FALSE(pool->free(address("198.51.100.1"), Protocol::gre, 1020, 0));
}

TEST(Pool, FreesOnlyWhatWasTaken) {
  const auto pool = make(small_config());
  const PortGrant grant = pool->take(tcp_of(1), 0, 0);
  EXPECT_FALSE(pool->free(grant.address, Protocol::udp, grant.port, 0));
  EXPECT_FALSE(pool->free(grant.address, Protocol::tcp, 999, 0));
  EXPECT_FALSE(pool->free(address("192.0.2.1"), Protocol::tcp, grant.port, 0));
  EXPECT_TRUE(pool->free(grant.address, Protocol::tcp, grant.port, 0, Hold::free_now));
  EXPECT_FALSE(pool->free(grant.address, Protocol::tcp, grant.port, 0, Hold::free_now));
  EXPECT_EQ(pool->stats(PortSpace::tcp).used, 0U);
}

TEST(Pool, AFreedPortRestsToTheMillisecond) {
  PoolConfig config = small_config();
  config.addresses.resize(1);
  const auto pool = make(config);
  std::set<std::uint16_t> ports;
  for (int i = 0; i < 16; ++i) ports.insert(pool->take(tcp_of(1), 0, 0).port);
  ASSERT_EQ(ports.size(), 16U);
  ASSERT_TRUE(pool->free(address("203.0.113.9"), Protocol::tcp, 1030, 500));
  EXPECT_EQ(pool->stats(PortSpace::tcp).held, 1U);
  EXPECT_EQ(pool->take(tcp_of(1), 1499, 0).refusal, Refusal::address_exhausted);
  EXPECT_EQ(pool->take(tcp_of(1), 1500, 0).port, 1030);
  ASSERT_TRUE(pool->free(address("203.0.113.9"), Protocol::tcp, 1031, 1500, Hold::free_now));
  EXPECT_EQ(pool->take(tcp_of(1), 1500, 0).port, 1031) << "exempt";
}

TEST(Pool, AFullAddressReleasesAllThatIsDueBeforeItRefuses) {
  // More is due before the port in question than a take releases on its way.
  PoolConfig config = small_config();
  config.ports = {1024, 2047};
  const auto pool = make(config);
  std::uint32_t other = 2;
  while (pool->choose_address(subscriber(other)) == pool->choose_address(subscriber(1))) ++other;
  std::vector<PortGrant> grants;
  for (int i = 0; i < 1024; ++i) grants.push_back(pool->take(tcp_of(other), 0, 0));
  for (int i = 0; i < 1024; ++i) grants.push_back(pool->take(tcp_of(1), 0, 0));
  for (const PortGrant& grant : grants) {
    ASSERT_TRUE(grant);
    ASSERT_TRUE(pool->free(grant.address, Protocol::tcp, grant.port, 0));
  }
  EXPECT_FALSE(pool->take(tcp_of(1), 999, 0));
  EXPECT_TRUE(pool->take(tcp_of(1), 1000, 0));
}

TEST(Pool, TheMostThatRestIsKeptByReleasingTheOldest) {
  PoolConfig config = small_config();
  config.held_max = 3;
  const auto pool = make(config);
  for (int i = 0; i < 10; ++i) {
    const PortGrant grant = pool->take(tcp_of(1), 0, 0);
    ASSERT_TRUE(pool->free(grant.address, Protocol::tcp, grant.port, 0));
    EXPECT_LE(pool->stats(PortSpace::tcp).held, 3U);
    expect_sum(pool->stats());
  }
  EXPECT_EQ(pool->release(1000, kAll), 3U);
}

TEST(Pool, MemoryFollowsUse) {
  PoolConfig config = small_config();
  config.addresses = {prefix_range(address("203.0.113.0"), 24)};
  config.ports = {1024, 65535};
  const auto pool = make(config);
  const std::size_t empty = pool->memory_bytes();
  EXPECT_LT(empty, 20'000U);
  const PortGrant grant = pool->take(tcp_of(1), 0, 0);
  EXPECT_LT(pool->memory_bytes(), empty + 11'000);
  pool->free(grant.address, Protocol::tcp, grant.port, 0);
  pool->shrink();
  EXPECT_GT(pool->memory_bytes(), empty) << "the port still rests";
  pool->release(1000, kAll);
  pool->shrink();
  EXPECT_EQ(pool->memory_bytes(), empty);
  EXPECT_TRUE(pool->take(tcp_of(1), 0, 0));
}

// --- the model ----------------------------------------------------------------------------------

/// Every port is in one of three places, and time decides when it leaves the second.
class PoolModel {
 public:
  PoolModel(const PoolConfig& config, std::uint64_t seed)
      : pool_(make(config)), config_(config), random_(seed) {}

  void step(bool filling) {
    now_ms_ += random_() % 20;
    if (random_() % 100 < (filling ? 70U : 30U)) {
      take();
    } else if (!used_.empty()) {
      free();
    }
    if (random_() % 64 == 0) pool_->release(now_ms_, static_cast<std::uint32_t>(random_() % 9));
    const PortStats stats = pool_->stats();
    expect_sum(stats);
    ASSERT_EQ(stats.used, used_.size());
  }

 private:
  using Place = std::tuple<PortSpace, Address, std::uint16_t>;

  void take() {
    static constexpr Protocol kProtocols[] = {Protocol::tcp, Protocol::udp, Protocol::icmp};
    PortRequest request = tcp_of(static_cast<std::uint32_t>(random_() % 40));
    request.protocol = kProtocols[random_() % 3];
    request.wish = {static_cast<std::uint16_t>(1018 + random_() % 20), random_() % 4 == 0,
                    random_() % 4 == 0, random_() % 4 == 0};
    const PortSpace space = *port_space(request.protocol);
    const PortGrant grant = pool_->take(request, now_ms_, random_());
    if (!grant) {
      ASSERT_EQ(pool_->stats(space).free, 0U) << "refused although a port is free";
      return;
    }
    const Place place{space, grant.address, grant.port};
    ASSERT_TRUE(used_.insert(place).second) << "given twice";
    const auto freed = freed_at_.find(place);
    if (freed == freed_at_.end()) return;
    ASSERT_GE(now_ms_, freed->second + config_.hold_down_ms) << "given before it had rested";
  }

  void free() {
    auto place = used_.lower_bound(
        {static_cast<PortSpace>(random_() % kPortSpaces), Address{}, std::uint16_t{0}});
    if (place == used_.end()) place = used_.begin();
    const auto [space, from, port] = *place;
    const Protocol protocol = space == PortSpace::tcp   ? Protocol::tcp
                              : space == PortSpace::udp ? Protocol::udp
                                                        : Protocol::icmp;
    const bool rests = random_() % 4 != 0;
    ASSERT_TRUE(pool_->free(from, protocol, port, now_ms_, rests ? Hold::rest : Hold::free_now));
    freed_at_.erase(*place);
    if (rests) freed_at_[*place] = now_ms_;
    used_.erase(place);
  }

  std::unique_ptr<Pool> pool_;
  PoolConfig config_;
  Random random_;
  std::uint64_t now_ms_ = 0;
  std::set<Place> used_;
  std::map<Place, std::uint64_t> freed_at_;
};

TEST(PoolModel, NoPortIsGivenTwiceOrEarlyAndNoneIsLost) {
  constexpr std::uint64_t kSeed = 20'240'602;
  SCOPED_TRACE(kSeed);
  PoolConfig config = small_config();
  config.overflow = Overflow::elsewhere;
  PoolModel model(config, kSeed);
  for (int i = 0; i < 150'000; ++i) {
    model.step(i / 5'000 % 2 == 0);
    ASSERT_FALSE(HasFatalFailure()) << "step " << i;
  }
}

}  // namespace
}  // namespace uct::core
