#include "bench/workloads/traffic.h"

namespace uct::bench {

Burst::Burst(TrafficShape shape) : shape_(shape) {
  std::array<std::byte, kFrame> frame{};
  frame[0] = frame[6] = std::byte{0x02};  // locally administered addresses
  store16(frame.data() + 12, shape.ipv6 ? 0x86dd : 0x0800);
  std::byte* ip = frame.data() + kEthernet;
  const auto protocol = static_cast<std::byte>(shape.udp ? 17 : 6);
  if (shape.ipv6) {
    ip[0] = std::byte{0x60};
    ip[6] = protocol;
    ip[7] = std::byte{64};
    for (const std::size_t address : {8, 24}) store32(ip + address, 0x20010db8);
  } else {
    ip[0] = std::byte{0x45};
    ip[8] = std::byte{64};
    ip[9] = protocol;
  }
  std::byte* transport = ip + (shape.ipv6 ? 40 : 20);
  if (shape.udp) {
    store16(transport + 6, 0xffff);  // present, marked good, never looked at
  } else {
    transport[12] = std::byte{0x50};
    store16(transport + 14, 0xffff);
  }
  frames_.fill(frame);
  for (std::size_t i = 0; i < kBurst; ++i) {
    packets_[i].data = frames_[i].data();
    packets_[i].ip_checksum = ChecksumStatus::good;
    packets_[i].transport_checksum = ChecksumStatus::good;
  }
}

}  // namespace uct::bench
