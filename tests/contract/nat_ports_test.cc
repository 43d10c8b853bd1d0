// Which ports a translation takes when it must choose: nobody outside can foresee them (RFC 6056
// section 4, RFC 6888 REQ-15), and a run replays with its key.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include <uct/tracker.h>

#include "tests/support/udp_frames.h"

namespace uct {
namespace {

using test::End;
using test::UdpFrame;

constexpr std::uint32_t kServer = 0xc6336401;  // 198.51.100.1
constexpr std::uint16_t kFirst = 1024;
constexpr std::uint16_t kLast = 65535;
constexpr std::uint32_t kPorts = kLast - kFirst + 1;

NatSpec one_address() {
  Address external;
  external.bytes = {203, 0, 113, 9};
  NatSpec spec;
  spec.source = NatRange{external, external, kFirst, kLast};
  return spec;
}

/// The ports that hosts get which all ask from port 7, outside of the range, in this order.
std::vector<std::uint16_t> ports_with(std::uint64_t key, std::size_t count) {
  Config config;
  config.hash_key = {key, key};
  const auto tracker = std::move(Tracker::create(config).value());
  Request request;
  request.commit = true;
  request.nat = tracker->add_nat(one_address()).value();
  std::vector<std::uint16_t> ports;
  for (std::size_t i = 0; i < count; ++i) {
    UdpFrame frame({0x0a000000 + static_cast<std::uint32_t>(i), 7}, {kServer, 53});
    Packet packet = frame.packet();
    Verdict verdict;
    tracker->process({&packet, 1}, request, timestamp_from_ns(1'000'000'000), {&verdict, 1});
    EXPECT_EQ(verdict.reason, Reason::none);
    ports.push_back(frame.source().port);
  }
  return ports;
}

TEST(NatPorts, ReplayWithTheirKeyAndSayNothingOfAnother) {
  const auto ports = ports_with(1, 1000);
  EXPECT_EQ(ports, ports_with(1, 1000));
  const auto others = ports_with(2, 1000);
  std::size_t same = 0;
  for (std::size_t i = 0; i < ports.size(); ++i) same += ports[i] == others[i] ? 1 : 0;
  EXPECT_LT(same, 5U) << "by chance one in " << kPorts << " is the same";
}

TEST(NatPorts, AreSpreadEvenlyOverTheRange) {
  constexpr std::size_t kParts = 16;
  std::array<std::size_t, kParts> counts{};
  for (const std::uint16_t port : ports_with(3, 16'000)) {
    ++counts[(port - kFirst) * kParts / kPorts];
  }
  // 1000 are expected in each part, with a standard deviation of 31 at most.
  for (const std::size_t count : counts) {
    EXPECT_GT(count, 850U);
    EXPECT_LT(count, 1150U);
  }
}

TEST(NatPorts, TheNextIsNotNearTheLast) {
  const auto ports = ports_with(4, 4000);
  std::set<std::uint32_t> steps;
  std::size_t near = 0;
  for (std::size_t i = 1; i < ports.size(); ++i) {
    const std::uint32_t step = (ports[i] + kPorts - ports[i - 1]) % kPorts;
    steps.insert(step);
    near += step <= 16 || step >= kPorts - 16 ? 1 : 0;
  }
  EXPECT_GT(steps.size(), 3700U) << "steps repeat as those of a counter would";
  EXPECT_LT(near, 20U) << "2 are expected";
}

}  // namespace
}  // namespace uct
