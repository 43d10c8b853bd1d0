/// Which fields a statement may have, and what their values look like.
///
/// The one table behind scenario_parse.cc; tests/scenario/README.md explains each field.
/// Threads   constants only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace uct::scenario {

/// What a field's value looks like.
enum class Shape : std::uint8_t {
  nothing,  ///< the field is a word alone
  number,
  duration,
  masked,    ///< VALUE/MASK or VALUE, hexadecimal or decimal
  label,     ///< up to 32 hexadecimal digits behind 0x, /MASK likewise
  word,      ///< checked where it is used
  endpoint,  ///< the name of a host, with or without :PORT
  toggle,    ///< on or off
  range,     ///< FROM-TO or FROM-, in bytes
};

/// Where a field may stand: bits, because many stand in several places.
namespace scope {
inline constexpr std::uint32_t kTcp = 1U << 0, kUdp = 1U << 1, kUdplite = 1U << 2, kIcmp = 1U << 3,
                               kSctp = 1U << 4, kDccp = 1U << 5, kGre = 1U << 6,
                               kPlain = 1U << 7,  // esp, ah, igmp and protocols by number
    kArp = 1U << 8, kRequest = 1U << 9, kTracker = 1U << 10, kSweep = 1U << 11, kFilter = 1U << 12,
                               kFind = 1U << 13, kNat = 1U << 14;
inline constexpr std::uint32_t kIp = kTcp | kUdp | kUdplite | kIcmp | kSctp | kDccp | kGre | kPlain;
}  // namespace scope

struct FieldSpec {
  std::string_view name;
  Shape shape;
  std::uint32_t scopes;
};

/// Gives     the field of this name that may stand in one of `scopes`, or null.
const FieldSpec* find_field(std::string_view name, std::uint32_t scopes);

/// Gives     what is wrong with a value of this shape; empty when nothing is.
std::string complain(Shape shape, std::string_view value);

struct ProtocolSpec {
  std::string_view name;
  std::uint32_t scope;
  bool needs_detail;             ///< a word follows: flags, type/code, type, number
  std::string_view detail_hint;  ///< for the message when it is missing
};

/// Gives     null when no protocol has this name.
const ProtocolSpec* find_protocol(std::string_view name);

/// Gives     what is wrong with the word that follows the protocol's name.
std::string complain_of_detail(std::string_view protocol, std::string_view detail);

/// DCCP packet types by number (RFC 4340 section 5.1); -1 when no type has this name.
int dccp_type(std::string_view name);

/// SCTP chunk types by number (RFC 9260 section 3.2); -1 when no chunk has this name.
int sctp_chunk_type(std::string_view name);

/// One chunk of a list such as "init=1001,data,abort/T".
struct ChunkText {
  int type = -1;
  bool reflected = false;  ///< the T bit
  std::uint32_t tag = 0;   ///< initiate tag of INIT and INIT ACK
};

/// Gives     the chunks; one of type -1 stands where the text is wrong.
std::vector<ChunkText> parse_chunks(std::string_view list);

}  // namespace uct::scenario
