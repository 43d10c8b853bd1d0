#include "tests/support/scenario_grammar.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include <uct/timeout_policy.h>

#include "tests/support/scenario.h"

namespace uct::scenario {

namespace {

using namespace scope;

constexpr FieldSpec kFields[] = {
    // what the transport header says
    {"seq", Shape::number, kTcp},
    {"ack", Shape::number, kTcp},
    {"win", Shape::number, kTcp},
    {"wscale", Shape::number, kTcp},
    {"mss", Shape::number, kTcp},
    {"data-offset", Shape::number, kTcp},
    {"len", Shape::number, kIp},
    {"udp-length", Shape::number, kUdp},
    {"coverage", Shape::number, kUdplite},
    {"id", Shape::number, kIcmp},
    {"seqno", Shape::number, kIcmp},
    {"mtu", Shape::number, kIcmp},
    {"about", Shape::word, kIcmp},
    {"quote", Shape::number, kIcmp},
    {"quoted-seq", Shape::number, kIcmp},
    {"quoted-sport", Shape::number, kIcmp},
    {"quoted-dport", Shape::number, kIcmp},
    {"quoted-from", Shape::endpoint, kIcmp},
    {"quoted-to", Shape::endpoint, kIcmp},
    {"tag", Shape::number, kSctp},
    {"chunks", Shape::word, kSctp},
    {"version", Shape::number, kGre},
    {"call", Shape::number, kGre},
    // what stands around it
    {"vlan", Shape::number, kIp | kArp},
    {"ext", Shape::word, kIp},
    {"inner-ext", Shape::word, kIp},
    {"ip-options", Shape::number, kIp},
    {"fragment", Shape::number, kIp},
    {"bytes", Shape::range, kIp},
    {"pad", Shape::number, kIp},
    {"link", Shape::word, kIp},
    // what is wrong with it
    {"bad", Shape::word, kIp},
    {"no-checksum", Shape::nothing, kUdp | kUdplite},
    {"hardware", Shape::word, kIp},
    {"cut", Shape::number, kIp},
    {"captured", Shape::number, kIp},
    {"total-length", Shape::number, kIp},
    {"payload-length", Shape::number, kIp},
    {"header-length", Shape::number, kIp},
    {"ip-version", Shape::number, kIp},
    {"ethertype", Shape::number, kIp},
    // what the caller asks for
    {"zone", Shape::number, kRequest | kFilter | kFind},
    {"commit", Shape::nothing, kRequest},
    {"no-commit", Shape::nothing, kRequest},
    {"force", Shape::nothing, kRequest},
    {"no-force", Shape::nothing, kRequest},
    {"mark", Shape::masked, kRequest | kFilter},
    {"label", Shape::label, kRequest | kFilter},
    {"policy", Shape::word, kRequest},
    {"nat", Shape::word, kRequest},
    {"inside-view", Shape::nothing, kRequest},
    {"from-outside", Shape::nothing, kRequest},
    // what a packet becomes, and a translation may choose
    {"as", Shape::word, kIp},
    {"as-about", Shape::word, kIcmp},
    {"source", Shape::word, kNat},
    {"ports", Shape::range, kNat},
    {"destination", Shape::word, kNat},
    {"dports", Shape::range, kNat},
    {"select", Shape::word, kNat},
    {"filtering", Shape::word, kNat},
    {"inside", Shape::word, kNat},
    {"exempt", Shape::word, kNat},
    {"keep", Shape::word, kNat},
    {"blocks", Shape::word, kNat},
    {"hold-down", Shape::duration, kNat},
    {"inbound-refresh", Shape::toggle, kNat},
    // settings and other statements
    {"max-connections", Shape::number, kTracker},
    {"capacity", Shape::number, kTracker},
    {"shards", Shape::number, kTracker},
    {"pick-up", Shape::toggle, kTracker},
    {"udp6-zero-checksum", Shape::toggle, kTracker},
    {"max-fragments", Shape::number, kTracker},
    {"fragment-timeout", Shape::duration, kTracker},
    {"hold-fragments", Shape::toggle, kTracker},
    {"max-held", Shape::number, kTracker},
    {"fragment-share", Shape::number, kTracker},
    {"timers", Shape::number, kSweep},
    {"protocol", Shape::word, kFilter},
    {"source", Shape::endpoint, kFilter},
    {"destination", Shape::endpoint, kFilter},
    {"id", Shape::number, kFind},
};

constexpr ProtocolSpec kProtocols[] = {
    {"tcp", kTcp, true, "flags, such as SA"},
    {"udp", kUdp, false, ""},
    {"udplite", kUdplite, false, ""},
    {"icmp", kIcmp, true, "type/code, such as 8 or 3/1"},
    {"icmpv6", kIcmp, true, "type/code, such as 128 or 1/4"},
    {"sctp", kSctp, false, ""},
    {"dccp", kDccp, true, "a packet type, such as request"},
    {"gre", kGre, false, ""},
    {"esp", kPlain, false, ""},
    {"ah", kPlain, false, ""},
    {"igmp", kPlain, false, ""},
    {"proto", kPlain, true, "a protocol number"},
    {"arp", kArp, false, ""},
};

constexpr std::array<std::string_view, 10> kDccpTypes = {"request",  "response",  "data",  "ack",
                                                         "data-ack", "close-req", "close", "reset",
                                                         "sync",     "sync-ack"};

constexpr std::array<std::string_view, 15> kChunkTypes = {
    "data",          "init",       "init-ack", "sack",         "heartbeat",
    "heartbeat-ack", "abort",      "shutdown", "shutdown-ack", "error",
    "cookie-echo",   "cookie-ack", "ecne",     "cwr",          "shutdown-complete"};

template <std::size_t Size>
int index_of(const std::array<std::string_view, Size>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? -1 : static_cast<int>(found - names.begin());
}

bool is_hexadecimal(std::string_view text) {
  return text.size() > 2 && text.size() <= 34 && text.substr(0, 2) == "0x" &&
         text.find_first_not_of("0123456789abcdef", 2) == std::string_view::npos;
}

bool each_part(std::string_view text, char separator, bool (*good)(std::string_view)) {
  const std::vector<std::string> parts = split(text, separator);
  return parts.size() <= 2 && std::all_of(parts.begin(), parts.end(),
                                          [&](const std::string& part) { return good(part); });
}

bool is_number(std::string_view text) { return parse_number(text).has_value(); }
bool is_number_or_empty(std::string_view text) { return text.empty() || is_number(text); }

}  // namespace

const FieldSpec* find_field(std::string_view name, std::uint32_t scopes) {
  for (const FieldSpec& spec : kFields) {
    if (spec.name == name && (spec.scopes & scopes) != 0) return &spec;
  }
  return nullptr;
}

std::string complain(Shape shape, std::string_view value) {
  switch (shape) {
    case Shape::number:
      return is_number(value) ? "" : "a number is wanted";
    case Shape::duration:
      return parse_duration_ns(value) ? "" : "a length of time such as 30s is wanted";
    case Shape::masked:
      return each_part(value, '/', is_number) ? "" : "VALUE or VALUE/MASK is wanted";
    case Shape::label:
      return each_part(value, '/', is_hexadecimal) ? "" : "0x... or 0x.../0x... is wanted";
    case Shape::toggle:
      return value == "on" || value == "off" ? "" : "on or off is wanted";
    case Shape::range:
      return each_part(value, '-', is_number_or_empty) && !value.empty() && value[0] != '-'
                 ? ""
                 : "FROM-TO or FROM- is wanted";
    case Shape::endpoint: {
      const std::vector<std::string> parts = split(value, ':');
      return parts.size() == 1 || (parts.size() == 2 && is_number(parts[1]))
                 ? ""
                 : "HOST or HOST:PORT is wanted";
    }
    case Shape::nothing:
    case Shape::word:
      break;
  }
  return "";
}

const ProtocolSpec* find_protocol(std::string_view name) {
  const auto* found = std::find_if(std::begin(kProtocols), std::end(kProtocols),
                                   [&](const ProtocolSpec& spec) { return spec.name == name; });
  return found == std::end(kProtocols) ? nullptr : found;
}

std::string complain_of_detail(std::string_view protocol, std::string_view detail) {
  if (protocol == "tcp") {
    return detail == "-" || detail.find_first_not_of("FSRPAUEC") == std::string_view::npos
               ? ""
               : "TCP flags are letters of FSRPAUEC, or - for none";
  }
  if (protocol == "dccp") return dccp_type(detail) >= 0 ? "" : "no DCCP packet type of this name";
  if (protocol == "proto") return is_number(detail) ? "" : "a protocol number is wanted";
  return each_part(detail, '/', is_number) ? "" : "TYPE or TYPE/CODE is wanted";
}

int dccp_type(std::string_view name) { return index_of(kDccpTypes, name); }

int sctp_chunk_type(std::string_view name) { return index_of(kChunkTypes, name); }

std::vector<ChunkText> parse_chunks(std::string_view list) {
  std::vector<ChunkText> chunks;
  for (const std::string& text : split(list, ',')) {
    ChunkText chunk;
    std::string_view name = text;
    if (name.size() > 2 && name.substr(name.size() - 2) == "/T") {
      chunk.reflected = true;
      name.remove_suffix(2);
    }
    const std::size_t equals = name.find('=');
    chunk.type = sctp_chunk_type(name.substr(0, equals));
    if (equals != std::string_view::npos) {
      const auto tag = parse_number(name.substr(equals + 1));
      if (tag) chunk.tag = static_cast<std::uint32_t>(*tag);
      if (!tag) chunk.type = -1;
    }
    chunks.push_back(chunk);
  }
  return chunks;
}

}  // namespace uct::scenario
