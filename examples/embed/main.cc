// Tracks a TCP handshake handed over as bytes, shows the connection, lets it expire. The time is
// the caller's: here it is a number that the program counts up itself.
#include <array>
#include <cstdio>

#include <uct/tracker.h>

namespace {

using Bytes = std::array<std::uint8_t, 40>;  // an IPv4 and a TCP header, nothing behind them

constexpr std::uint8_t kSyn = 0x02, kSynAck = 0x12, kAck = 0x10;

Bytes segment(bool from_client, std::uint8_t flags, std::uint8_t seq, std::uint8_t ack) {
  Bytes b = {0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0,              // IPv4, TTL 64, TCP
             192, 0, 2, 1, 198, 51, 100, 1,                        // client and server
             0x9c, 0x40, 0, 80, 0, 0, 0, seq, 0, 0, 0, ack, 0x50, flags, 0xff, 0xff};
  if (!from_client) {
    for (int i = 12; i < 16; ++i) std::swap(b[i], b[i + 4]);
    for (int i = 20; i < 22; ++i) std::swap(b[i], b[i + 2]);
  }
  return b;
}

}  // namespace

int main() {
  auto created = uct::Tracker::create({});
  if (!created) return 1;
  uct::Tracker& tracker = *created.value();

  std::array frames = {segment(true, kSyn, 1, 0), segment(false, kSynAck, 7, 2),
                       segment(true, kAck, 2, 8)};
  std::array<uct::Packet, 3> burst;
  for (std::size_t i = 0; i < burst.size(); ++i) {
    burst[i] = {.data = reinterpret_cast<const std::byte*>(frames[i].data()),
                .size = 40,
                .link = uct::LinkType::raw_ip,
                .ip_checksum = uct::ChecksumStatus::good,  // as a network card would say
                .transport_checksum = uct::ChecksumStatus::good};
  }
  std::array<uct::Verdict, 3> verdicts;
  uct::Timestamp now = uct::timestamp_from_ns(0);
  tracker.process(burst, {.commit = true}, now, verdicts);
  for (const uct::Verdict& verdict : verdicts) std::puts(to_string(verdict.state).c_str());

  uct::DumpCursor cursor;
  std::array<uct::ConnectionInfo, 8> found;
  for (std::size_t i = 0, n = tracker.dump(cursor, found, now); i < n; ++i) {
    std::printf("%s %s -> %s\n", state_name(found[i]).data(),
                to_string(found[i].original.source).c_str(),
                to_string(found[i].original.destination).c_str());
  }

  now += std::chrono::hours(25);  // longer than any timeout
  tracker.sweep(now);
  std::printf("%u connections\n", tracker.connection_count());
}
