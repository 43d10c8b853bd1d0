// Fuzzes the translation of packets: any bytes that the parser accepts, there and back.
//
// First bytes of an input, as those of parse_fuzz.cc, whose corpus serves here, too: link type and
// by how much the frame is cut behind the parser; options; which translation.
// Promises checked: what is refused is as it was; nothing behind the frame is written (it has
// memory of its own); what was translated parses as the same with the new tuple; every checksum is
// as right or wrong as before, made anew from all bytes; the way back gives the bytes of before,
// but for the two forms of zero in a checksum.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/bytes.h"
#include "base/checksum.h"
#include "nat/rewrite.h"
#include "packet/parse.h"

namespace {

using uct::Family;
using uct::Packet;
using uct::Reason;
using uct::core::Bytes;
using uct::core::Fate;
using uct::core::FragmentPart;
using uct::core::Kind;
using uct::core::load_be16;
using uct::core::load_be32;
using uct::core::ParsedPacket;
using uct::core::RewriteRefusal;
using uct::core::Translation;

using Frame = std::vector<std::byte>;

constexpr std::size_t kPreamble = 3;

void check(bool promise) {
  if (!promise) std::abort();
}

struct Settings {
  uct::LinkType link;
  uct::core::ParseOptions options;
  Translation to;
  std::size_t cut;  ///< bytes
};

/// Numbers made of one byte; ports are never zero, which the parser would not take.
Settings settings_of(const std::uint8_t* preamble) {
  Settings settings;
  settings.link = static_cast<uct::LinkType>(preamble[0] % 8);
  settings.cut = preamble[0] / 8;
  settings.options.udp6_zero_checksum = (preamble[1] & 0x10) != 0;
  std::uint32_t number = preamble[2] * 0x9e3779b9U;
  const auto next = [&] { return number = number * 1'664'525 + 1'013'904'223; };
  for (std::uint32_t& word : settings.to.source) word = next();
  for (std::uint32_t& word : settings.to.destination) word = next();
  settings.to.source_port = static_cast<std::uint16_t>(next() >> 16 | 1);
  settings.to.destination_port = static_cast<std::uint16_t>(next() >> 16 | 1);
  return settings;
}

/// Checksums count as good: what they are is checked here.
ParsedPacket parse(Frame frame, const Settings& settings) {
  Packet packet;
  packet.data = frame.data();
  packet.size = static_cast<std::uint32_t>(frame.size());
  packet.link = settings.link;
  packet.ip_checksum = packet.transport_checksum = uct::ChecksumStatus::good;
  ParsedPacket parsed;
  uct::core::parse(packet, settings.options, parsed);
  return parsed;
}

bool is_error(const ParsedPacket& parsed) {
  return parsed.fate == Fate::error ||
         (parsed.fate == Fate::invalid && parsed.reason == Reason::icmp_quote_unknown);
}

bool is_accepted(const ParsedPacket& parsed) {
  return parsed.fate == Fate::track || parsed.fate == Fate::fragment || is_error(parsed);
}

/// What a packet carries as it is. Addresses of errors are those of the error, swapped, as the
/// quoted source is the destination.
struct Ends {
  Translation inner;
  std::uint32_t outer_source[4] = {};
};

RewriteRefusal translate(Frame& frame, const ParsedPacket& parsed, const Ends& ends) {
  if (!is_error(parsed)) {
    const RewriteRefusal told = uct::core::check_rewrite(frame, parsed, ends.inner);
    const RewriteRefusal refusal = uct::core::rewrite(frame, parsed, ends.inner);
    check(refusal == told);
    return refusal;
  }
  return uct::core::rewrite_error(frame, parsed, ends.inner, ends.outer_source, ends.inner.source);
}

const std::byte* ip_of(const Frame& frame, const ParsedPacket& parsed) {
  return frame.data() + parsed.transport_offset - (parsed.ip_size - parsed.transport_size);
}

std::size_t address_size(const ParsedPacket& parsed) {
  return parsed.family == Family::ipv4 ? 4 : 16;
}

/// Both addresses of an IP header.
Bytes addresses_of(const std::byte* ip, const ParsedPacket& parsed) {
  return {ip + (parsed.family == Family::ipv4 ? 12 : 8), 2 * address_size(parsed)};
}

Ends ends_of(const Frame& frame, const ParsedPacket& parsed) {
  Ends ends;
  const std::byte* ip = ip_of(frame, parsed);
  std::memcpy(ends.outer_source, addresses_of(ip, parsed).data(), address_size(parsed));
  // Only the quote itself tells of a quoted later fragment: the parser fills no tuple for it.
  const bool is_quote = is_error(parsed);
  const Bytes inner =
      addresses_of(is_quote ? frame.data() + parsed.transport_offset + 8 : ip, parsed);
  std::memcpy(ends.inner.source, inner.data(), inner.size() / 2);
  std::memcpy(ends.inner.destination, &inner[inner.size() / 2], inner.size() / 2);
  ends.inner.source_port = parsed.source_port;
  ends.inner.destination_port = parsed.destination_port;
  return ends;
}

std::uint16_t one_zero(std::uint16_t sum) { return sum == 0xffff ? std::uint16_t{0} : sum; }

/// By how much a packet's checksums are wrong.
struct Errors {
  std::uint16_t ip = 0;
  std::uint16_t quoted_ip = 0;
  std::uint32_t transport = 0;

  bool operator==(const Errors&) const = default;
};

std::uint32_t transport_error(const Frame& frame, const ParsedPacket& parsed) {
  const Bytes transport(frame.data() + parsed.transport_offset, parsed.transport_size);
  const bool v4 = parsed.family == Family::ipv4;
  const Kind kind = is_error(parsed) ? (v4 ? Kind::icmp : Kind::icmpv6) : parsed.kind;
  if (parsed.part == FragmentPart::later || kind == Kind::other) return 0;
  if (kind == Kind::icmp) return one_zero(uct::core::ones_sum(transport));
  if (kind == Kind::sctp) {
    if (parsed.part == FragmentPart::first) return 0;
    return uct::core::sctp_crc32c(transport, 8) ^ __builtin_bswap32(load_be32(&transport[8]));
  }
  const bool may_be_absent = kind == Kind::udp || kind == Kind::udplite;
  if (may_be_absent && load_be16(&transport[6]) == 0) return 0;
  // A routing header among extensions may have the destination that the checksum covers.
  if (!v4 && parsed.ip_size - parsed.transport_size != 40) return 0;
  const std::uint64_t pseudo = uct::core::pseudo_header_sum(
      addresses_of(ip_of(frame, parsed), parsed), 0, parsed.transport_size);
  return one_zero(uct::core::ones_sum(transport, pseudo));
}

Errors errors_of(const Frame& frame, const ParsedPacket& parsed) {
  Errors errors;
  errors.transport = transport_error(frame, parsed);
  if (parsed.family != Family::ipv4) return errors;
  const std::byte* ip = ip_of(frame, parsed);
  errors.ip = one_zero(uct::core::ones_sum({ip, parsed.ip_size - parsed.transport_size}));
  if (!is_error(parsed)) return errors;
  const std::byte* quote = frame.data() + parsed.transport_offset + 8;
  const std::size_t size = (uct::core::load_u8(quote) & 0xfU) * std::size_t{4};
  errors.quoted_ip = one_zero(uct::core::ones_sum({quote, size}));
  return errors;
}

void check_tuple(const ParsedPacket& parsed, const Ends& ends, const Frame& frame) {
  const Ends found = ends_of(frame, parsed);
  const std::size_t size = address_size(parsed);
  check(std::memcmp(found.inner.source, ends.inner.source, size) == 0);
  check(std::memcmp(found.inner.destination, ends.inner.destination, size) == 0);
  if (is_error(parsed)) check(std::memcmp(found.outer_source, ends.outer_source, size) == 0);
  if (parsed.fate != Fate::track && parsed.fate != Fate::error) return;
  if (parsed.kind == Kind::other) return;
  const bool has_type = parsed.kind == Kind::icmp || parsed.kind == Kind::icmpv6;
  const bool has_nonce = parsed.kind == Kind::icmpv6 && parsed.destination_port >= 139 << 8;
  check(has_nonce || parsed.source_port == ends.inner.source_port);
  check(has_type || parsed.destination_port == ends.inner.destination_port);
}

void check_cut(const Frame& frame, const ParsedPacket& parsed, const Ends& ends, std::size_t cut) {
  const auto kept = static_cast<std::ptrdiff_t>(frame.size() - std::min(cut, frame.size()));
  Frame there(frame.begin(), frame.begin() + kept);
  const Frame before = there;
  if (translate(there, parsed, ends) != RewriteRefusal::none) check(there == before);
}

/// Gives     the frame translated and looked at.
Frame checked_translation(Frame frame, const Settings& settings, const Ends& ends) {
  const ParsedPacket before = parse(frame, settings);
  const Errors errors = errors_of(frame, before);
  check(translate(frame, before, ends) == RewriteRefusal::none);
  const ParsedPacket after = parse(frame, settings);
  check(after.fate == before.fate && after.reason == before.reason && after.part == before.part);
  check(after.transport_offset == before.transport_offset && after.ip_size == before.ip_size);
  check_tuple(after, ends, frame);
  check(errors_of(frame, after) == errors);
  return frame;
}

bool is_equal_or_other_zero(std::byte a, std::byte b) {
  return a == b || ((a == std::byte{0} || a == std::byte{0xff}) && (a ^ b) == std::byte{0xff});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < kPreamble) return 0;
  const Settings settings = settings_of(data);
  const auto* bytes = reinterpret_cast<const std::byte*>(data + kPreamble);
  const Frame frame(bytes, bytes + size - kPreamble);
  const ParsedPacket parsed = parse(frame, settings);
  Ends ends;
  ends.inner = settings.to;
  std::copy(std::begin(settings.to.destination), std::end(settings.to.destination),
            ends.outer_source);
  Frame there = frame;
  if (!is_accepted(parsed)) {
    check(translate(there, parsed, ends) == RewriteRefusal::fate && there == frame);
    return 0;
  }
  check_cut(frame, parsed, ends, settings.cut);
  if (translate(there, parsed, ends) != RewriteRefusal::none) {
    check(there == frame);
    return 0;
  }
  const Ends home = ends_of(frame, parsed);
  check(checked_translation(frame, settings, ends) == there);
  const Frame back = checked_translation(there, settings, home);
  check(std::equal(back.begin(), back.end(), frame.begin(), frame.end(), is_equal_or_other_zero));
  check(checked_translation(back, settings, ends) == there);
  return 0;
}
