/// Translates the bytes of a packet in place.
///
/// Addresses, ports and query identifiers become those of a given tuple; checksums follow by what
/// changed (base/checksum_update.h) and are never made anew: one that was wrong stays wrong, so
/// that the receiver drops what was damaged on its way here. What is absent stays absent: UDP's
/// checksum of zero, and every field that lies behind the end of the frame.
///
/// What is not translated: addresses within payload, the gateway that an ICMP redirect names, and
/// the addresses of routing headers and source route options.
///
/// Relies on base and packet; called by the tracker for packets of connections with a mapping.
/// Threads   pure functions of their arguments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "packet/parsed_packet.h"

namespace uct::core {

/// The tuple that a packet carries when it was translated. In the forms of ParsedPacket: addresses
/// as they stand in memory, of IPv4 only word 0; ports in host order.
struct Translation {
  std::uint32_t source[4] = {};
  std::uint32_t destination[4] = {};
  std::uint16_t source_port = 0;       ///< of an ICMP query: its identifier
  std::uint16_t destination_port = 0;  ///< of an ICMP query: ignored
};

/// Why a packet cannot be translated. It was not touched then.
enum class RewriteRefusal : std::uint8_t {
  none,
  fate,       ///< what the parser made of the packet is not for the function that was called
  frame_cut,  ///< the frame ends before the addresses, ports or identifiers
  /// An authentication header covers the addresses (RFC 4302 section 3.3.3); nobody without its key
  /// can make it right again, see RFC 3715 section 2.1.
  authentication_header,
  /// The first fragment of an SCTP packet whose ports change: by how much the CRC changes depends
  /// on the size of the whole packet, which only the last fragment tells.
  sctp_fragment,
  quote,  ///< what an error quotes has no header that can be read
};

/// Translates a packet that is not an ICMP error.
///
/// Whole packets and first fragments get addresses and ports or identifier; later fragments
/// addresses, whatever the ports of the translation. Protocols without either get addresses.
///
/// Requires  `parsed` as parse() filled it for this frame, with Fate::track or Fate::fragment; its
///           addresses and ports are not looked at.
/// Cost      4 ns for TCP or UDP over plain IPv4; src/nat/rewrite_bench.cc
[[nodiscard]] RewriteRefusal rewrite(std::span<std::byte> frame, const ParsedPacket& parsed,
                                     const Translation& to) noexcept;

/// Gives     what rewrite() would, and writes nothing.
///
/// There is no way back from rewrite(): of the two zeros of a checksum, 0 and 0xffff, translating
/// there and back may leave the other one. Who may still refuse the packet asks here first.
[[nodiscard]] RewriteRefusal check_rewrite(std::span<std::byte> frame, const ParsedPacket& parsed,
                                           const Translation& to) noexcept;

/// Translates an ICMP or ICMPv6 error, and the packet that it quotes.
///
/// quoted             the tuple that the quoted packet carries afterwards: the one that it had on
///                    the side that the error goes to. Of a quoted later fragment only addresses.
/// outer_source, ...  the error's own addresses. Its receiver takes it for a forgery unless the
///                    destination is also the quoted source.
///
/// A quoted checksum follows when it is in the quote. RFC 4884 extensions stay as they are.
///
/// Requires  `parsed` as parse() filled it for this frame: Fate::error, or an error that is invalid
///           only because no connection can be known by its quote (Reason::icmp_quote_unknown).
[[nodiscard]] RewriteRefusal rewrite_error(
    std::span<std::byte> frame, const ParsedPacket& parsed, const Translation& quoted,
    std::span<const std::uint32_t, 4> outer_source,
    std::span<const std::uint32_t, 4> outer_destination) noexcept;

}  // namespace uct::core
