#include "tracker/express.h"

namespace uct::core {

Reason leave_express(const Packet& packet, Family family, const ExpressItem& item,
                     ParsedPacket& out) {
  const std::uint32_t ip_header = family == Family::ipv4 ? 20 : 40;
  const std::uint32_t transport = express::kEthernetHeader + ip_header;
  const std::byte* tcp = packet.data + transport;
  out.fate = Fate::track;
  out.reason = Reason::none;
  out.kind = Kind::tcp;
  out.family = family;
  out.protocol = static_cast<std::uint8_t>(Protocol::tcp);
  out.part = FragmentPart::whole;
  out.tcp_flags = item.flags;
  out.window_scale = kNoWindowScale;
  out.has_quoted_seq = false;
  out.window = static_cast<std::uint16_t>(item.segment.window);
  out.seq = item.segment.end - item.payload_size;
  out.ack = item.segment.ack;
  out.payload_size = item.payload_size;
  out.source_port = load_be16(tcp);
  out.destination_port = load_be16(tcp + 2);
  out.ip_size = item.ip_size;
  out.transport_offset = transport;
  out.transport_size = item.ip_size - ip_header;
  if ((item.flags & tcp_flag::kSyn) != 0) {
    const std::uint32_t options = out.transport_size - item.payload_size - express::kTcpHeader;
    out.window_scale = read_window_scale(Bytes(tcp + express::kTcpHeader, options));
  }
  return out.source_port == 0 || out.destination_port == 0 ? Reason::port_zero : Reason::none;
}

}  // namespace uct::core
