#include "nat/port_blocks.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>

#include "tests/support/addresses.h"

namespace uct::core {
namespace {

using uct::test::address;

using Random = std::mt19937_64;
constexpr std::uint32_t kAll = std::numeric_limits<std::uint32_t>::max();

Address subscriber(std::uint32_t number) {
  return {{100, 64, static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)},
          Family::ipv4};
}

PortRequest tcp_of(std::uint32_t number) { return {subscriber(number), Protocol::tcp, {}, {}}; }

/// Two addresses with four blocks of 64 ports each; ports rest for 1000 ms.
BlockConfig small_config() {
  BlockConfig config;
  config.addresses = {{address("203.0.113.1"), address("203.0.113.2")}};
  config.ports = {1024, 1024 + 4 * 64 + 10};
  config.block_ports = 64;
  config.blocks_max = 2;
  config.hold_down_ms = 1000;
  config.key = {3, 4};
  return config;
}

std::unique_ptr<PortBlocks> make(const BlockConfig& config) {
  PoolError error = PoolError::none;
  auto blocks = PortBlocks::make(config, error);
  EXPECT_EQ(error, PoolError::none);
  return blocks;
}

PoolError error_of(const BlockConfig& config) {
  PoolError error = PoolError::none;
  const bool is_made = PortBlocks::make(config, error) != nullptr;
  EXPECT_EQ(is_made, error == PoolError::none);
  return error;
}

void expect_sum(const PortStats& stats) {
  ASSERT_EQ(stats.used + stats.held + stats.free, stats.ports);
}

// --- the plan -----------------------------------------------------------------------------------

TEST(BlockPlan, BlocksFillTheRangeAndTheRemainderBelongsToNone) {
  const BlockPlan plan({1024, 65535}, 4096, 3);
  EXPECT_EQ(plan.blocks_each(), 15U);
  EXPECT_EQ(plan.blocks(), 45U);
  EXPECT_EQ(plan.ports_of(0), (PortRange{1024, 5119}));
  EXPECT_EQ(plan.ports_of(14), (PortRange{58'368, 62'463}));
  EXPECT_EQ(plan.block_of(1023), std::nullopt);
  EXPECT_EQ(plan.block_of(1024), 0U);
  EXPECT_EQ(plan.block_of(62'463), 14U);
  EXPECT_EQ(plan.block_of(62'464), std::nullopt);
  EXPECT_EQ(BlockPlan({0, 65535}, 64, 1).ports_of(1023), (PortRange{65'472, 65'535}));
}

TEST(BlockPlan, EverySubscriberIsFoundFromEachOfItsPortsAndNobodyShares) {
  for (const std::uint32_t block_ports : {64U, 512U, 4096U}) {
    const BlockPlan plan({1024, 65535}, block_ports, 7);
    std::set<std::pair<std::uint32_t, std::uint32_t>> places;
    for (std::uint32_t number = 0; number < plan.blocks(); ++number) {
      const BlockPlace place = plan.place_of(number);
      ASSERT_TRUE(places.insert({place.address, place.block}).second);
      ASSERT_LT(place.address, 7U);
      const PortRange ports = plan.ports_of(place.block);
      for (std::uint32_t port = ports.first; port <= ports.last; ++port) {
        const auto block = plan.block_of(static_cast<std::uint16_t>(port));
        ASSERT_TRUE(block);
        ASSERT_EQ(plan.subscriber_of({place.address, *block}), number);
      }
    }
    EXPECT_EQ(places.size(), plan.blocks());
  }
}

TEST(PortBlocks, RefusesAConfigurationThatCannotWork) {
  BlockConfig config = small_config();
  for (const std::uint32_t size : {0U, 32U, 96U, 8192U}) {
    config.block_ports = size;
    EXPECT_EQ(error_of(config), PoolError::block_size_invalid) << size;
  }
  config = small_config();
  config.ports = {1024, 1024 + 62};
  EXPECT_EQ(error_of(config), PoolError::block_size_invalid);
  config = small_config();
  config.subscribers = {{subscriber(0), subscriber(8)}};
  EXPECT_EQ(error_of(config), PoolError::too_many_subscribers);
  config.subscribers = {{subscriber(0), subscriber(7)}};
  EXPECT_EQ(error_of(config), PoolError::none);
  config.addresses.clear();
  EXPECT_EQ(error_of(config), PoolError::no_addresses);
}

// --- dynamic ------------------------------------------------------------------------------------

TEST(PortBlocks, ASubscriberFillsABlockBeforeItGetsAnother) {
  const auto blocks = make(small_config());
  Random random(1);
  std::set<std::uint32_t> used_blocks;
  std::set<std::uint16_t> ports;
  for (unsigned i = 0; i < 128; ++i) {
    const PortGrant grant = blocks->take(tcp_of(1), 0, random());
    ASSERT_TRUE(grant);
    ASSERT_TRUE(ports.insert(grant.port).second);
    used_blocks.insert(*blocks->plan().block_of(grant.port));
    ASSERT_EQ(used_blocks.size(), 1 + i / 64);
    ASSERT_EQ(blocks->subscriber_of(grant.address, grant.port), subscriber(1));
    expect_sum(blocks->stats(PortSpace::tcp));
  }
  EXPECT_EQ(blocks->take(tcp_of(1), 0, 0).refusal, Refusal::block_quota);
  EXPECT_EQ(blocks->refused(Refusal::block_quota), 1U);
  EXPECT_TRUE(blocks->take({subscriber(1), Protocol::udp, {}, {}}, 0, 0)) << "same blocks";
  EXPECT_EQ(blocks->block_stats().assigned, 2U);
}

TEST(PortBlocks, ThePortQuotaCountsAllProtocols) {
  BlockConfig config = small_config();
  config.ports_max = 10;
  const auto blocks = make(config);
  PortGrant last;
  for (int i = 0; i < 10; ++i) {
    PortRequest request = tcp_of(1);
    if (i % 2 == 0) request.protocol = Protocol::udp;
    last = blocks->take(request, 0, 0);
    ASSERT_TRUE(last);
  }
  EXPECT_EQ(blocks->take(tcp_of(1), 0, 0).refusal, Refusal::port_quota);
  EXPECT_TRUE(blocks->take(tcp_of(2), 0, 0)) << "another subscriber";
  ASSERT_TRUE(blocks->free(last.address, Protocol::tcp, last.port, 0));
  EXPECT_TRUE(blocks->take(tcp_of(1), 0, 0)) << "a resting port is not in use";
}

TEST(PortBlocks, ABlockReturnsWithItsLastPortAndNotBefore) {
  BlockConfig config = small_config();
  std::vector<std::string> events;
  config.on_event = [&](const BlockEvent& event) {
    events.push_back((event.assigned ? "+" : "-") + to_string(event.subscriber) + " " +
                     std::to_string(event.ports.last - event.ports.first + 1));
  };
  const auto blocks = make(config);
  const PortGrant one = blocks->take(tcp_of(1), 0, 0);
  const PortGrant two = blocks->take({subscriber(1), Protocol::udp, {}, {}}, 0, 0);
  EXPECT_EQ(events, std::vector<std::string>{"+100.64.0.1 64"});
  ASSERT_TRUE(blocks->free(one.address, Protocol::tcp, one.port, 0, Hold::free_now));
  ASSERT_TRUE(blocks->free(two.address, Protocol::udp, two.port, 0));
  EXPECT_EQ(blocks->release(999, kAll), 0U);
  EXPECT_EQ(blocks->subscriber_of(two.address, two.port), subscriber(1)) << "it rests";
  EXPECT_EQ(blocks->release(1000, kAll), 1U);
  EXPECT_EQ(blocks->subscriber_of(two.address, two.port), std::nullopt);
  EXPECT_EQ(blocks->block_stats().assigned, 0U);
  EXPECT_EQ(blocks->block_stats().subscribers, 0U);
  EXPECT_EQ(events, (std::vector<std::string>{"+100.64.0.1 64", "-100.64.0.1 64"}));
}

TEST(PortBlocks, ASubscriberStaysAtItsAddressAndStrictnessRefuses) {
  const auto blocks = make(small_config());
  std::map<Address, int> at;
  int refused = 0;
  for (std::uint32_t number = 0; number < 20; ++number) {
    const PortGrant grant = blocks->take(tcp_of(number), 0, 0);
    if (!grant) {
      EXPECT_EQ(grant.refusal, Refusal::address_exhausted);
      ++refused;
      continue;
    }
    ++at[grant.address];
    EXPECT_EQ(blocks->take(tcp_of(number), 0, 0).address, grant.address);
  }
  EXPECT_EQ(at.size(), 2U);
  for (const auto& [external, count] : at) EXPECT_EQ(count, 4);
  EXPECT_EQ(refused, 12);
}

TEST(PortBlocks, OverflowAssignsEveryBlockOfThePool) {
  BlockConfig config = small_config();
  config.overflow = Overflow::elsewhere;
  const auto blocks = make(config);
  for (std::uint32_t number = 0; number < 8; ++number) {
    EXPECT_TRUE(blocks->take(tcp_of(number), 0, number << 28)) << number;
  }
  EXPECT_EQ(blocks->take(tcp_of(8), 0, 0).refusal, Refusal::pool_exhausted);
  EXPECT_EQ(blocks->block_stats().assigned, 8U);
}

TEST(PortBlocks, BlocksAndPortsWithinThemAreChosenEvenly) {
  BlockConfig config = small_config();
  config.addresses = {{address("203.0.113.1"), address("203.0.113.1")}};
  const auto blocks = make(config);
  Random random(5);
  std::map<std::uint32_t, int> by_block;
  std::map<std::uint32_t, int> by_place;  // within the block
  constexpr int kRounds = 12'800;
  for (int i = 0; i < kRounds; ++i) {
    const PortGrant grant = blocks->take(tcp_of(1), 0, random());
    ++by_block[*blocks->plan().block_of(grant.port)];
    ++by_place[grant.port % 64U];
    ASSERT_TRUE(blocks->free(grant.address, Protocol::tcp, grant.port, 0, Hold::free_now));
  }
  double chi_square = 0;
  for (const auto& [place, count] : by_place) chi_square += (count - 200) * (count - 200) / 200.0;
  EXPECT_EQ(by_place.size(), 64U);
  EXPECT_NEAR(chi_square, 63, 4 * 11.2);
  for (const auto& [block, count] : by_block) EXPECT_NEAR(count, kRounds / 4, 250);
}

TEST(PortBlocks, HonoursWishesWithinTheBlocks) {
  const auto blocks = make(small_config());
  const PortGrant first = blocks->take(tcp_of(1), 0, 0);
  PortRequest request = tcp_of(1);
  request.wish = {static_cast<std::uint16_t>(first.port + 2), true, false, false};
  EXPECT_EQ(blocks->take(request, 0, 0).port, first.port + 2);
  request.wish = {7, false, true, true};  // no such class here, but its parity is asked first
  for (int i = 0; i < 62; ++i) ASSERT_TRUE(blocks->take(request, 0, 0));
  EXPECT_EQ(blocks->block_stats().assigned, 1U) << "a wish never costs a block";
}

TEST(PortBlocks, FreesOnlyWhatWasTaken) {
  const auto blocks = make(small_config());
  const PortGrant grant = blocks->take(tcp_of(1), 0, 0);
  EXPECT_FALSE(blocks->free(grant.address, Protocol::udp, grant.port, 0));
  EXPECT_FALSE(blocks->free(grant.address, Protocol::gre, grant.port, 0));
  EXPECT_FALSE(blocks->free(grant.address, Protocol::tcp, 1024 + 4 * 64, 0)) << "remainder";
  EXPECT_FALSE(blocks->free(address("192.0.2.1"), Protocol::tcp, grant.port, 0));
  EXPECT_TRUE(blocks->free(grant.address, Protocol::tcp, grant.port, 0, Hold::free_now));
  EXPECT_FALSE(blocks->free(grant.address, Protocol::tcp, grant.port, 0, Hold::free_now));
}

// --- deterministic ------------------------------------------------------------------------------

TEST(PortBlocks, DeterministicBlocksAreThoseOfTheArithmeticThereAndBack) {
  BlockConfig config = small_config();
  config.subscribers = {{subscriber(10), subscriber(12)}, {subscriber(300), subscriber(304)}};
  const auto blocks = make(config);
  std::set<std::pair<Address, std::uint32_t>> places;
  AddressBook book;
  ASSERT_EQ(book.add(config.subscribers), PoolError::none);
  for (std::uint32_t number = 0; number < 8; ++number) {
    const Address who = book.at(number);
    for (int i = 0; i < 64; ++i) {
      const PortGrant grant = blocks->take({who, Protocol::tcp, {}, {}}, 0, 0);
      ASSERT_TRUE(grant);
      const BlockPlace place{*blocks->addresses().index_of(grant.address),
                             *blocks->plan().block_of(grant.port)};
      ASSERT_EQ(place, blocks->plan().place_of(number));
      ASSERT_EQ(blocks->subscriber_of(grant.address, grant.port), who);
      places.insert({grant.address, place.block});
    }
    EXPECT_EQ(blocks->take({who, Protocol::tcp, {}, {}}, 0, 0).refusal, Refusal::block_quota);
  }
  EXPECT_EQ(places.size(), 8U);
  EXPECT_EQ(blocks->take(tcp_of(9), 0, 0).refusal, Refusal::subscriber_unknown);
}

TEST(PortBlocks, DeterministicBlocksNameTheirSubscriberWithoutAnyTraffic) {
  BlockConfig config = small_config();
  config.subscribers = {{subscriber(0), subscriber(5)}};
  const auto blocks = make(config);
  EXPECT_EQ(blocks->subscriber_of(address("203.0.113.2"), 1024 + 64), subscriber(5));
  EXPECT_EQ(blocks->subscriber_of(address("203.0.113.2"), 1024 + 128), std::nullopt);
  EXPECT_EQ(blocks->subscriber_of(address("203.0.113.3"), 1024), std::nullopt);
}

// --- the model ----------------------------------------------------------------------------------

/// Who has which port, and whose each block must therefore be.
class BlocksModel {
 public:
  BlocksModel(const BlockConfig& config, std::uint64_t seed)
      : config_(config), blocks_(make(config)), random_(seed) {}

  void step(bool filling) {
    now_ms_ += random_() % 10;
    if (random_() % 100 < (filling ? 70U : 30U)) {
      take();
    } else if (!used_.empty()) {
      free();
    }
    for (const PortSpace space : {PortSpace::tcp, PortSpace::udp}) {
      expect_sum(blocks_->stats(space));
    }
    ASSERT_EQ(blocks_->stats(PortSpace::tcp).used + blocks_->stats(PortSpace::udp).used,
              used_.size());
  }

  /// Frees all and lets time pass: nothing may stay behind.
  void finish() {
    while (!used_.empty() && !testing::Test::HasFatalFailure()) free();
    blocks_->release(now_ms_ + config_.hold_down_ms, kAll);
    EXPECT_EQ(blocks_->block_stats().assigned, 0U);
    EXPECT_EQ(blocks_->block_stats().subscribers, 0U);
    EXPECT_EQ(blocks_->stats(PortSpace::tcp).free, blocks_->stats(PortSpace::tcp).ports);
  }

 private:
  struct Use {
    Protocol protocol;
    Address address;
    std::uint16_t port;
    auto operator<=>(const Use&) const = default;
  };

  void take() {
    PortRequest request = tcp_of(static_cast<std::uint32_t>(random_() % 10));
    if (random_() % 2 == 0) request.protocol = Protocol::udp;
    request.wish.keep_parity = random_() % 2 == 0;
    const PortGrant grant = blocks_->take(request, now_ms_, random_());
    if (!grant) return;
    const Use use{request.protocol, grant.address, grant.port};
    ASSERT_TRUE(used_.insert({use, request.subscriber}).second) << "given twice";
    ASSERT_EQ(blocks_->subscriber_of(grant.address, grant.port), request.subscriber);
    const auto freed = freed_at_.find(use);
    if (freed == freed_at_.end()) return;
    ASSERT_GE(now_ms_, freed->second + config_.hold_down_ms) << "given before it had rested";
  }

  void free() {
    auto at = used_.lower_bound({random_() % 2 == 0 ? Protocol::tcp : Protocol::udp,
                                 config_.addresses[0].first,
                                 static_cast<std::uint16_t>(1024 + random_() % 256)});
    if (at == used_.end()) at = used_.begin();
    const Use use = at->first;
    ASSERT_EQ(blocks_->subscriber_of(use.address, use.port), at->second) << "not its own any more";
    const bool rests = random_() % 4 != 0;
    ASSERT_TRUE(blocks_->free(use.address, use.protocol, use.port, now_ms_,
                              rests ? Hold::rest : Hold::free_now));
    freed_at_.erase(use);
    if (rests) freed_at_[use] = now_ms_;
    used_.erase(at);
  }

  BlockConfig config_;
  std::unique_ptr<PortBlocks> blocks_;
  Random random_;
  std::uint64_t now_ms_ = 0;
  std::map<Use, Address> used_;
  std::map<Use, std::uint64_t> freed_at_;
};

TEST(PortBlocksModel, NoPortIsGivenTwiceOrEarlyAndEveryBlockComesBack) {
  constexpr std::uint64_t kSeed = 20'240'603;
  SCOPED_TRACE(kSeed);
  for (const bool strict : {true, false}) {
    BlockConfig config = small_config();
    config.overflow = strict ? Overflow::refuse : Overflow::elsewhere;
    BlocksModel model(config, kSeed);
    for (int i = 0; i < 60'000; ++i) {
      model.step(i / 3'000 % 2 == 0);
      ASSERT_FALSE(HasFatalFailure()) << "step " << i;
    }
    model.finish();
  }
}

}  // namespace
}  // namespace uct::core
