#include "tests/support/scenario_packet.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "tests/support/scenario_ends.h"
#include "tests/support/scenario_request.h"

namespace uct::scenario {

namespace {

constexpr std::uint64_t kFragmentHeader = 44;

std::uint64_t extension_number(const std::string& name) {
  if (name == "hop") return 0;
  if (name == "routing") return 43;
  if (name == "fragment") return kFragmentHeader;
  if (name == "ah") return 51;
  if (name == "dest") return 60;
  return 59;
}

/// Which bytes of the whole datagram a fragment carries.
struct Part {
  bool fragment = false;
  std::size_t from = 0;
  std::size_t to = 0;
  bool more = false;
};

Part part_of(const Statement& s, std::size_t size) {
  Part part;
  part.to = size;
  part.fragment = s.fields.has("fragment");
  const std::vector<std::string> range = split(s.fields.text("bytes", "0-"), '-');
  part.from = parse_number(range[0]).value_or(0);
  if (range.size() > 1) part.to = parse_number(range[1]).value_or(size);
  part.more = part.to < size;
  return part;
}

Bytes make_ipv4_header(const Statement& s, const Ends& ends, const Part& part) {
  const Fields& f = s.fields;
  const std::size_t header = 20 + f.number("ip-options");
  const std::size_t total = header + (part.to - part.from);
  Bytes bytes;
  bytes.u8(f.number("ip-version", 4) << 4 | f.number("header-length", header) / 4).u8(0);
  bytes.u16(f.number("total-length", total)).u16(f.number("fragment"));
  bytes.u16((part.more ? 0x2000U : 0U) | (part.fragment ? part.from / 8 : 0x4000U));
  bytes.u8(64).u8(protocol_number(s.protocol, s.detail)).u16(0);
  bytes.append(ends.source).append(ends.destination);
  for (std::size_t i = 20; i < header; ++i) bytes.u8(1);  // no-operation
  const std::uint16_t sum = finish_sum(add_to_sum(0, bytes, 0, bytes.size()));
  bytes.set_u16(10, f.text("bad") == "ip-checksum" ? sum ^ 0x1111U : sum);
  return bytes;
}

Bytes make_extension(const std::string& name, std::uint64_t next) {
  Bytes bytes;
  if (name == "fragment") return bytes.u8(next).u8(0).u16(0).u32(7);  // atomic, RFC 6946
  if (name == "ah") return bytes.u8(next).u8(4).u16(0).u32(0x1234).u32(1).zeros(12);
  if (name == "routing") return bytes.u8(next).u8(0).u8(4).u8(0).u32(0);
  return bytes.u8(next).u8(0).u8(1).u8(4).u32(0);  // padding option
}

/// Gives     the headers of a list; `next` is what follows them, and afterwards what the first is.
Bytes add_extensions(const std::string& list, std::uint64_t& next) {
  Bytes extensions;
  if (list.empty()) return extensions;
  const std::vector<std::string> names = split(list, ',');
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    extensions = make_extension(*name, next).append(extensions);
    next = extension_number(*name);
  }
  return extensions;
}

Bytes make_ipv6_headers(const Statement& s, const Ends& ends, const Part& part) {
  const Fields& f = s.fields;
  std::uint64_t next = protocol_number(s.protocol, s.detail);
  add_extensions(f.text("inner-ext"), next);  // their bytes are of the datagram
  Bytes extensions;
  if (part.fragment) {
    extensions.u8(next).u8(0).u16(part.from | (part.more ? 1U : 0U)).u32(f.number("fragment"));
    next = kFragmentHeader;
  }
  extensions = add_extensions(f.text("ext"), next).append(extensions);
  Bytes bytes;
  bytes.u32(f.number("ip-version", 6) << 28);
  bytes.u16(f.number("payload-length", extensions.size() + (part.to - part.from)));
  bytes.u8(next).u8(64).append(ends.source).append(ends.destination);
  return bytes.append(extensions);
}

struct Link {
  LinkType type = LinkType::ethernet;
  Bytes header;
};

Bytes make_ethernet(const Statement& s, std::uint64_t ethertype) {
  Bytes bytes;
  bytes.u32(0x02000000).u16(2).u32(0x02000000).u16(1);
  std::size_t tags = 0;
  for (const Field& field : s.fields.all()) tags += field.name == "vlan" ? 1 : 0;
  for (const Field& field : s.fields.all()) {
    if (field.name != "vlan") continue;
    bytes.u16(--tags > 0 ? 0x88a8 : 0x8100).u16(parse_number(field.value).value_or(0));
  }
  return bytes.u16(s.fields.number("ethertype", ethertype));
}

Link make_link(const Statement& s, Family family) {
  const std::string name = s.fields.text("link", "ethernet");
  const std::uint64_t ethertype = family == Family::ipv4 ? 0x0800 : 0x86dd;
  Link link;
  if (name == "ethernet") {
    link.header = make_ethernet(s, ethertype);
  } else if (name == "raw") {
    link.type = LinkType::raw_ip;
  } else if (name == "ipv4" || name == "ipv6") {
    link.type = name == "ipv4" ? LinkType::ipv4 : LinkType::ipv6;
  } else if (name == "cooked") {
    link.type = LinkType::linux_cooked_v1;
    link.header.u16(0).u16(1).u16(6).zeros(8).u16(ethertype);
  } else if (name == "cooked2") {
    link.type = LinkType::linux_cooked_v2;
    link.header.u16(ethertype).u16(0).u32(1).u16(1).u8(0).u8(6).zeros(8);
  } else if (name == "null") {
    link.type = LinkType::null_host;
    link.header.u32(family == Family::ipv4 ? 2 : 30);
  } else {
    link.type = LinkType::unsupported;
  }
  return link;
}

Frame make_arp(const Statement& s, const Ends& ends) {
  Frame frame;
  frame.bytes = make_ethernet(s, 0x0806);
  frame.bytes.u16(1).u16(0x0800).u8(6).u8(4).u16(1).zeros(6).append(ends.source);
  frame.bytes.zeros(6).append(ends.destination);
  frame.wire_size = static_cast<std::uint32_t>(frame.bytes.size());
  return frame;
}

/// Whether nothing is wrong with a packet, so that hardware would call its checksums good.
bool is_sound(const Fields& fields) {
  constexpr std::array<std::string_view, 9> kFaults = {
      "bad",          "no-checksum",    "hardware",      "cut",       "captured",
      "total-length", "payload-length", "header-length", "udp-length"};
  return std::none_of(kFaults.begin(), kFaults.end(),
                      [&](std::string_view fault) { return fields.has(fault); });
}

void apply_hardware(const std::string& word, Frame& frame) {
  if (word == "good") frame.transport_checksum = ChecksumStatus::good;
  if (word == "bad") frame.transport_checksum = ChecksumStatus::bad;
  if (word == "ip-good") frame.ip_checksum = ChecksumStatus::good;
  if (word == "ip-bad") frame.ip_checksum = ChecksumStatus::bad;
}

}  // namespace

Packet Frame::packet() {
  Packet packet;
  packet.data = reinterpret_cast<std::byte*>(bytes.data());
  packet.size = static_cast<std::uint32_t>(bytes.size());
  packet.wire_size = wire_size;
  packet.link = link;
  packet.ip_checksum = ip_checksum;
  packet.transport_checksum = transport_checksum;
  return packet;
}

/// The packet that an error is about, changed and cut as the statement says.
Bytes FrameMaker::quote(const Statement& statement) const {
  const Fields& f = statement.fields;
  const std::string about = f.text("about");
  const std::vector<Sent>& packets = about[0] == '@' ? left_ : sent_;
  const std::size_t number = parse_number(about.substr(1)).value_or(0);
  if (number == 0 || number > packets.size()) return {};
  Bytes ip = packets[number - 1].ip;
  const std::size_t transport = packets[number - 1].transport_offset;
  const bool ipv4 = ip.at(0) >> 4 == 4;
  if (f.has("quoted-sport")) ip.set_u16(transport, f.number("quoted-sport"));
  if (f.has("quoted-dport")) ip.set_u16(transport + 2, f.number("quoted-dport"));
  if (f.has("quoted-seq")) {
    ip.set_u32(transport + 4, f.number("quoted-seq") + variant_.sequence_shift);
  }
  if (f.has("quoted-from")) {
    ip.set(ipv4 ? 12 : 8, address_of(scenario_, f.text("quoted-from"), variant_.family));
  }
  if (f.has("quoted-to")) {
    ip.set(ipv4 ? 16 : 24, address_of(scenario_, f.text("quoted-to"), variant_.family));
  }
  if (ipv4) {
    ip.set_u16(10, 0);
    ip.set_u16(10, finish_sum(add_to_sum(0, ip, 0, 20)));
  }
  return ip.slice(0, transport + f.number("quote", 500));
}

FrameMaker::Sent FrameMaker::make_ip(const Statement& statement, const Ends& ends,
                                     const Bytes& transport) const {
  std::uint64_t next = protocol_number(statement.protocol, statement.detail);
  Bytes datagram = add_extensions(statement.fields.text("inner-ext"), next);
  const std::size_t inner_size = datagram.size();
  datagram.append(transport);
  const Part part = part_of(statement, datagram.size());
  Sent sent;
  sent.ip = ends.source.family == Family::ipv4 ? make_ipv4_header(statement, ends, part)
                                               : make_ipv6_headers(statement, ends, part);
  sent.transport_offset = sent.ip.size() + inner_size;
  sent.ip.append(datagram.slice(part.from, part.to));
  return sent;
}

Frame FrameMaker::build(const Statement& statement, Sent& sent) const {
  const Fields& f = statement.fields;
  const Ends ends = {address_of(scenario_, statement.from.host, variant_.family),
                     address_of(scenario_, statement.to.host, variant_.family)};
  if (statement.protocol == "arp") return make_arp(statement, ends);
  Bytes quoted;
  if (f.has("about")) quoted = quote(statement);
  const Bytes transport = make_transport(statement, ends, variant_.sequence_shift, quoted);
  sent = make_ip(statement, ends, transport);
  const Link link = make_link(statement, ends.source.family);
  Frame frame;
  frame.link = link.type;
  frame.bytes = link.header;
  frame.network_offset = link.header.size();
  frame.bytes.append(sent.ip);
  if (f.has("cut")) frame.bytes.resize(link.header.size() + f.number("cut"));
  frame.bytes.zeros(f.number("pad"));
  frame.wire_size = static_cast<std::uint32_t>(frame.bytes.size());
  if (f.has("captured")) frame.bytes.resize(link.header.size() + f.number("captured"));
  apply_hardware(f.text("hardware"), frame);
  if (variant_.bursts && is_sound(f)) {
    frame.ip_checksum = frame.transport_checksum = ChecksumStatus::good;
  }
  return frame;
}

/// The statement with hosts and ports in place of the ends of earlier packets.
Statement FrameMaker::with_plain_ends(const Statement& statement) const {
  Statement plain = statement;
  const auto plain_text = [&](const std::string& text) {
    const auto earlier = earlier_end(text);
    return earlier ? end_text(left_statements_[earlier->number - 1], earlier->source) : text;
  };
  for (const bool source : {true, false}) {
    const std::string& host = source ? statement.from.host : statement.to.host;
    if (!earlier_end(host)) continue;
    const std::string text = plain_text(host);
    set_end(scenario_, text, source, plain);
    if (!plain.fields.has("id")) plain.fields.add("id", text.substr(text.find(':') + 1));
  }
  if (!statement.fields.has("as")) return plain;
  const std::vector<std::string> ends = split(statement.fields.text("as"), '>');
  plain.fields.set("as", plain_text(ends[0]) + ">" + plain_text(ends[1]));
  return plain;
}

Frame FrameMaker::make(const Statement& statement) {
  const Statement plain = with_plain_ends(statement);
  Sent sent;
  Frame frame = build(plain, sent);
  frame.number = sent_.size();
  frame.open = is_open(plain);
  sent_.push_back(sent);
  left_.push_back(std::move(sent));
  left_statements_.push_back(plain);
  if (plain.fields.has("as") && !frame.open) leave(frame);
  return frame;
}

/// Notes what the packet must become.
void FrameMaker::leave(Frame& frame) {
  Statement& statement = left_statements_[frame.number];
  statement = as_translated(scenario_, statement);
  frame.translated = build(statement, left_[frame.number]).bytes;
}

std::string FrameMaker::settle(Frame& frame) {
  if (!frame.open) return "";
  frame.open = false;
  const Sent& sent = left_[frame.number];
  const std::string complaint =
      settle_ends(scenario_, frame.bytes, frame.network_offset,
                  frame.network_offset + sent.transport_offset, left_statements_[frame.number]);
  if (complaint.empty()) leave(frame);
  return complaint;
}

}  // namespace uct::scenario
