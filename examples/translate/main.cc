// Two subscribers behind one external address: what leaves, what comes back, and what stays out.
#include <algorithm>
#include <array>
#include <cstdio>
#include <random>

#include <uct/tracker.h>

using Bytes = std::array<std::uint8_t, 28>;  // an IPv4 and a UDP header, nothing behind them
using End = std::array<std::uint8_t, 6>;     // an address and a port, as they stand in packets

static Bytes datagram(const End& from, const End& to) {
  Bytes bytes = {0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17};  // IPv4, 28 bytes, TTL 64, UDP
  std::copy_n(from.begin(), 4, &bytes[12]);
  std::copy_n(to.begin(), 4, &bytes[16]);
  std::copy_n(&from[4], 2, &bytes[20]);
  std::copy_n(&to[4], 2, &bytes[22]);
  bytes[25] = 8;  // UDP header and data; a UDP checksum of 0 is none
  return bytes;
}

static End source_of(const Bytes& bytes) {
  return {bytes[12], bytes[13], bytes[14], bytes[15], bytes[20], bytes[21]};
}

static void print(const char* what, const Bytes& bytes, const uct::Verdict& verdict) {
  const auto* b = bytes.data();
  std::printf("%-8s %u.%u.%u.%u:%u -> %u.%u.%u.%u:%u  %s %s\n", what, b[12], b[13], b[14], b[15],
              b[20] * 256U + b[21], b[16], b[17], b[18], b[19], b[22] * 256U + b[23],
              to_string(verdict.state).c_str(), name(verdict.reason).data());
}

static uct::Address address(const char* text) {
  uct::Address parsed;
  parse_address(text, parsed);
  return parsed;
}

int main() {
  uct::Config config;
  std::random_device random;  // who knows the key can foresee ports
  for (std::uint64_t& half : config.hash_key) half = std::uint64_t{random()} << 32 | random();
  config.timeouts = make_nat_timeouts(uct::NatProfile::cgn);
  auto created = uct::Tracker::create(config);
  if (!created) return 1;
  uct::Tracker& tracker = *created.value();

  uct::NatRange external;
  external.first = external.last = address("203.0.113.9");
  uct::NatSpec spec = make_nat_spec(uct::NatProfile::cgn, external);
  spec.mapping->inside = {uct::prefix_range(address("10.0.0.0"), 8)};
  const auto nat = tracker.add_nat(spec);
  if (!nat) return std::puts(describe(nat.error()).data()), 1;

  uct::Request request;  // the same for packets of both sides
  request.commit = true;
  request.nat = nat.value();
  const auto send = [&](const char* what, Bytes& bytes) {
    uct::Packet packet;
    packet.data = reinterpret_cast<std::byte*>(bytes.data());
    packet.size = sizeof(Bytes);
    packet.link = uct::LinkType::raw_ip;
    packet.ip_checksum = uct::ChecksumStatus::good;  // hardware looked at it
    packet.transport_checksum = uct::ChecksumStatus::good;
    uct::Verdict verdict;
    tracker.process({&packet, 1}, request, uct::timestamp_from_ns(0), {&verdict, 1});
    print(what, bytes, verdict);
  };

  const End server = {198, 51, 100, 1, 0, 53};
  for (const End& subscriber : {End{10, 0, 0, 1, 16, 0}, End{10, 0, 0, 2, 16, 0}}) {
    Bytes query = datagram(subscriber, server);
    send("query", query);  // its bytes are what the server gets
    Bytes answer = datagram(server, source_of(query));
    send("answer", answer);
  }
  Bytes scan = datagram(server, {203, 0, 113, 9, 0, 22});
  send("scan", scan);

  const uct::NatStats stats = tracker.nat_stats(nat.value()).value();
  std::printf("%ju of %ju ports used, %ju of %ju blocks\n", std::uintmax_t{stats.used},
              std::uintmax_t{stats.ports}, std::uintmax_t{stats.blocks_assigned},
              std::uintmax_t{stats.blocks});
}
