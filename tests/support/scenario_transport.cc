#include "tests/support/scenario_transport.h"

#include <algorithm>

#include "tests/support/scenario_grammar.h"
#include "tests/support/scenario_request.h"

namespace uct::scenario {

namespace {

constexpr std::uint64_t kDefaultWindow = 65535;
constexpr std::uint64_t kInitialTsn = 0x1000;

unsigned flag_bits(const std::string& letters) {
  constexpr std::string_view kOrder = "FSRPAUEC";
  unsigned bits = 0;
  for (const char letter : letters) {
    const std::size_t bit = kOrder.find(letter);
    if (bit != std::string_view::npos) bits |= 1U << bit;
  }
  return bits;
}

Bytes make_tcp(const Statement& s, std::uint32_t shift) {
  const Fields& f = s.fields;
  Bytes options;
  if (f.has("mss")) options.u8(2).u8(4).u16(f.number("mss"));
  if (f.has("wscale")) options.u8(1).u8(3).u8(3).u8(f.number("wscale"));
  const std::size_t header = 20 + options.size();
  Bytes bytes;
  bytes.u16(s.from.port).u16(s.to.port);
  bytes.u32(f.number("seq") + shift);
  bytes.u32(f.has("ack") ? f.number("ack") + shift : 0);
  bytes.u8(f.number("data-offset", header) / 4 << 4).u8(flag_bits(s.detail));
  bytes.u16(f.number("win", kDefaultWindow)).u16(0).u16(0);
  return bytes.append(options).pattern(f.number("len"));
}

Bytes make_udp(const Statement& s) {
  const std::uint64_t length = s.fields.number("len");
  const bool lite = s.protocol == "udplite";
  const std::uint64_t third =
      lite ? s.fields.number("coverage") : s.fields.number("udp-length", 8 + length);
  Bytes bytes;
  bytes.u16(s.from.port).u16(s.to.port).u16(third).u16(0);
  return bytes.pattern(length);
}

Bytes make_icmp(const Statement& s, const Bytes& quoted) {
  const std::vector<std::string> parts = split(s.detail, '/');
  const std::uint64_t code = parts.size() > 1 ? parse_number(parts[1]).value_or(0) : 0;
  Bytes bytes;
  bytes.u8(parse_number(parts[0]).value_or(0)).u8(code).u16(0);
  if (s.fields.has("about")) {
    bytes.u32(s.fields.number("mtu"));
  } else {
    bytes.u16(s.fields.number("id")).u16(s.fields.number("seqno", 1));
  }
  return bytes.append(quoted).pattern(s.fields.number("len"));
}

Bytes make_chunk_body(const ChunkText& chunk) {
  Bytes body;
  switch (chunk.type) {
    case 0:
      return body.u32(kInitialTsn).u32(0).u32(0).pattern(4);  // DATA
    case 1:
      return body.u32(chunk.tag).u32(65536).u16(10).u16(10).u32(kInitialTsn);  // INIT
    case 2:                                                                    // INIT ACK
      body.u32(chunk.tag).u32(65536).u16(10).u16(10).u32(kInitialTsn);
      return body.u16(7).u16(8).pattern(4);  // with a state cookie
    case 3:
      return body.u32(kInitialTsn).u32(65536).u32(0);  // SACK
    case 4:
    case 5:
      return body.u16(1).u16(8).pattern(4);  // HEARTBEAT, its ACK
    case 7:
      return body.u32(kInitialTsn);  // SHUTDOWN
    case 10:
      return body.pattern(4);  // COOKIE ECHO
    case 12:
    case 13:
      return body.u32(kInitialTsn);  // ECNE, CWR
    default:
      return body;
  }
}

Bytes make_sctp(const Statement& s) {
  Bytes bytes;
  bytes.u16(s.from.port).u16(s.to.port).u32(s.fields.number("tag")).u32(0);
  for (const ChunkText& chunk : parse_chunks(s.fields.text("chunks", "data"))) {
    const Bytes body = make_chunk_body(chunk);
    const unsigned flags = chunk.type == 0 ? 3 : (chunk.reflected ? 1 : 0);
    bytes.u8(static_cast<unsigned>(chunk.type)).u8(flags).u16(4 + body.size()).append(body);
  }
  return bytes.pattern(s.fields.number("len"));
}

Bytes make_dccp(const Statement& s) {
  const int type = dccp_type(s.detail);
  const bool acknowledges = type != 0 && type != 2;           // all but REQUEST and DATA
  const bool has_word = type == 0 || type == 1 || type == 7;  // service code or reset code
  const unsigned words = 4 + (acknowledges ? 2 : 0) + (has_word ? 1 : 0);
  Bytes bytes;
  bytes.u16(s.from.port).u16(s.to.port).u8(words).u8(0).u16(0);
  bytes.u8(static_cast<unsigned>(type) << 1 | 1).u8(0).u16(0).u32(1000);
  if (acknowledges) bytes.u32(0).u32(2000);
  if (has_word) bytes.u32(type == 7 ? 0x01000000 : 42);
  return bytes.pattern(s.fields.number("len"));
}

Bytes make_other(const Statement& s, const Ends& ends) {
  const std::uint64_t length = s.fields.number("len", 8);
  Bytes bytes;
  if (s.protocol == "gre") {
    const bool enhanced = s.fields.number("version") == 1;  // RFC 2637
    if (enhanced) {
      bytes.u16(0x2001).u16(0x880b).u16(length).u16(s.fields.number("call"));
    } else {
      bytes.u16(0).u16(0x0800);
    }
  } else if (s.protocol == "esp") {
    bytes.u32(0x1234).u32(1);
  } else if (s.protocol == "ah") {
    bytes.u8(59).u8(4).u16(0).u32(0x1234).u32(1).zeros(12);
  } else if (s.protocol == "igmp") {
    bytes.u8(0x16).u8(0).u16(0).append(ends.destination);
    bytes.set_u16(2, finish_sum(add_to_sum(0, bytes, 0, bytes.size())));
    return bytes;
  }
  return bytes.pattern(length);
}

struct ChecksumField {
  std::size_t offset;
  std::size_t covered;
};

void put_internet_checksum(Bytes& bytes, const Statement& s, const Ends& ends,
                           const ChecksumField& field) {
  const std::uint8_t protocol = protocol_number(s.protocol, s.detail);
  std::uint32_t sum = 0;
  if (s.protocol != "icmp") {
    sum = pseudo_header_sum(ends.source, ends.destination, protocol, bytes.size());
  }
  std::uint16_t value = finish_sum(add_to_sum(sum, bytes, 0, field.covered));
  if (value == 0 && (s.protocol == "udp" || s.protocol == "udplite")) value = 0xffff;
  if (s.fields.text("bad") == "checksum") value = static_cast<std::uint16_t>(value ^ 0x1111);
  if (s.fields.has("no-checksum")) value = 0;
  bytes.set_u16(field.offset, value);
}

void put_checksum(Bytes& bytes, const Statement& s, const Ends& ends) {
  const std::size_t all = bytes.size();
  if (s.protocol == "tcp") return put_internet_checksum(bytes, s, ends, {16, all});
  if (s.protocol == "udp") return put_internet_checksum(bytes, s, ends, {6, all});
  if (s.protocol == "udplite") {
    const std::uint64_t coverage = s.fields.number("coverage");
    const std::size_t covered = coverage == 0 ? all : std::min<std::size_t>(all, coverage);
    return put_internet_checksum(bytes, s, ends, {6, covered});
  }
  if (s.protocol == "dccp") return put_internet_checksum(bytes, s, ends, {6, all});
  if (s.protocol == "icmp" || s.protocol == "icmpv6") {
    return put_internet_checksum(bytes, s, ends, {2, all});
  }
  if (s.protocol != "sctp") return;
  std::uint32_t crc = crc32c(bytes);
  if (s.fields.text("bad") == "checksum") crc ^= 0x11111111;
  for (std::size_t i = 0; i < 4; ++i) bytes.set_u8(8 + i, crc >> (8 * i));  // least byte first
}

}  // namespace

Bytes make_transport(const Statement& statement, const Ends& ends, std::uint32_t sequence_shift,
                     const Bytes& quoted) {
  Bytes bytes;
  const std::string& protocol = statement.protocol;
  if (protocol == "tcp") {
    bytes = make_tcp(statement, sequence_shift);
  } else if (protocol == "udp" || protocol == "udplite") {
    bytes = make_udp(statement);
  } else if (protocol == "icmp" || protocol == "icmpv6") {
    bytes = make_icmp(statement, quoted);
  } else if (protocol == "sctp") {
    bytes = make_sctp(statement);
  } else if (protocol == "dccp") {
    bytes = make_dccp(statement);
  } else {
    bytes = make_other(statement, ends);
  }
  put_checksum(bytes, statement, ends);
  return bytes;
}

}  // namespace uct::scenario
