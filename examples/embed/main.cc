// Tracks a TCP handshake given as bytes, shows the connection, lets it expire.
#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>

#include <uct/tracker.h>

using Bytes = std::array<std::uint8_t, 40>;  // an IPv4 and a TCP header, nothing behind them

// 192.0.2.1 port 40000 to 198.51.100.1 port 80, or back.
static Bytes segment(bool back, std::uint8_t flags, std::uint8_t seq, std::uint8_t ack) {
  Bytes bytes = {0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6};  // IPv4, 40 bytes, TTL 64, TCP
  const Bytes::value_type rest[] = {192, 0, 2, 1, 198, 51, 100, 1, 0x9c, 64, 0, 80};
  std::copy(std::begin(rest), std::end(rest), &bytes[12]);  // addresses and ports
  bytes[27] = seq;
  bytes[31] = ack;
  bytes[32] = 0x50;  // 20 bytes of header
  bytes[33] = flags;
  bytes[34] = 0xff;  // window
  if (back) {
    std::swap_ranges(&bytes[12], &bytes[16], &bytes[16]);  // addresses
    std::swap_ranges(&bytes[20], &bytes[22], &bytes[22]);  // ports
  }
  return bytes;
}

int main() {
  auto created = uct::Tracker::create({});
  if (!created) return 1;
  uct::Tracker& tracker = *created.value();

  std::array frames = {segment(false, 0x02, 1, 0), segment(true, 0x12, 7, 2),
                       segment(false, 0x10, 2, 8)};  // SYN, SYN-ACK, ACK
  std::array<uct::Packet, 3> burst;
  for (std::size_t i = 0; i < burst.size(); ++i) {
    burst[i].data = reinterpret_cast<std::byte*>(frames[i].data());
    burst[i].size = sizeof(Bytes);
    burst[i].link = uct::LinkType::raw_ip;
    burst[i].ip_checksum = uct::ChecksumStatus::good;  // hardware looked at it
    burst[i].transport_checksum = uct::ChecksumStatus::good;
  }
  uct::Request request;
  request.commit = true;
  std::array<uct::Verdict, 3> verdicts;
  uct::Timestamp now = uct::timestamp_from_ns(0);  // the clock is the caller's
  tracker.process(burst, request, now, verdicts);
  for (const uct::Verdict& verdict : verdicts) std::puts(to_string(verdict.state).c_str());

  uct::DumpCursor cursor;
  std::array<uct::ConnectionInfo, 8> found;
  for (std::size_t i = 0, count = tracker.dump(cursor, found, now); i < count; ++i) {
    std::printf("%s %s -> %s\n", state_name(found[i]).data(),
                to_string(found[i].original.source).c_str(),
                to_string(found[i].original.destination).c_str());
  }

  now += std::chrono::hours(25);  // longer than any timeout
  tracker.sweep(now);
  std::printf("%u connections\n", tracker.connection_count());
}
