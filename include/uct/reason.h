/// Why a packet is invalid, refused or untracked: one value, one counter, one sentence for each
/// way.
///
/// Included by verdict.h and stats.h. The list below is the only place where a reason is spelled:
/// the enum, its printed name and its sentence all come from it.
/// Threads   values only; safe everywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace uct {

// X(name, sentence). Order: untracked, then the layers of a packet from the outside in, then what a
// protocol's state decides, then what a full tracker refuses.
#define UCT_REASONS(X)                                                                            \
  X(none, "nothing is wrong")                                                                     \
  /* untracked: not a tracker's business */                                                       \
  X(not_ip, "the frame does not carry IPv4 or IPv6")                                              \
  X(link_unsupported, "the link type of the capture or port is not supported")                    \
  X(neighbour_or_router_discovery, "ICMPv6 neighbour or router discovery, or a redirect")         \
  X(multicast_listener, "ICMPv6 multicast listener discovery")                                    \
  /* frame and IP */                                                                              \
  X(frame_cut, "the frame ends within its link or network header")                                \
  X(capture_cut, "the capture kept fewer bytes than the packet has")                              \
  X(ip_version_mismatch, "the IP version is not the one that the frame announces")                \
  X(ipv4_header_length, "the IPv4 header length is below 20 or beyond the packet")                \
  X(ipv4_total_length, "the IPv4 total length is below the header's or beyond the packet")        \
  X(ipv4_checksum, "the IPv4 header checksum is wrong")                                           \
  X(ipv6_payload_length, "the IPv6 payload length is beyond the packet")                          \
  X(ipv6_extension_header, "an IPv6 extension header ends beyond the packet, or too many follow") \
  X(ipv6_no_next_header, "an IPv6 packet without an upper-layer header")                          \
  X(fragment_malformed, "the fragment's offset and length do not fit an IP datagram")             \
  X(fragment_without_first, "no first fragment of this datagram has been tracked")                \
  X(fragment_held, "copied and held until the first fragment of its datagram is decided")         \
  X(fragment_overlap, "fragments of this datagram share bytes (RFC 8200 section 4.5)")            \
  X(fragment_two_ends, "the fragments of this datagram disagree about where it ends")             \
  X(fragment_too_many, "this datagram has more fragments than any sender makes")                  \
  X(fragment_duplicate, "a copy of a fragment that is held")                                      \
  X(fragment_no_room, "there is no room to hold the fragment until its first one comes")          \
  /* transport headers */                                                                         \
  X(transport_checksum, "the caller says that the transport checksum is wrong")                   \
  X(tcp_header_cut, "fewer than 20 bytes of TCP header")                                          \
  X(tcp_header_length, "the TCP data offset is below 20 bytes or beyond the segment")             \
  X(tcp_checksum, "the TCP checksum is wrong")                                                    \
  X(tcp_flags, "a combination of TCP flags that no sender makes")                                 \
  X(udp_header_cut, "fewer than 8 bytes of UDP header")                                           \
  X(udp_length, "the UDP length is below 8 or beyond the packet")                                 \
  X(udp_checksum, "the UDP checksum is wrong")                                                    \
  X(udp_checksum_missing, "UDP over IPv6 without a checksum (RFC 8200 section 8.1)")              \
  X(udplite_coverage, "the UDP-Lite checksum coverage is 1 to 7 or beyond the packet")            \
  X(udplite_checksum, "the UDP-Lite checksum is wrong or missing")                                \
  X(sctp_header_cut, "fewer than 12 bytes of SCTP header")                                        \
  X(sctp_checksum, "the SCTP CRC32c is wrong")                                                    \
  X(sctp_chunk, "the SCTP chunks do not end where the packet ends, or there are none")            \
  X(dccp_header_cut, "fewer than 12 bytes of DCCP header, or an offset beyond the packet")        \
  X(dccp_checksum, "the DCCP checksum is wrong")                                                  \
  X(port_zero, "a port number of zero")                                                           \
  X(icmp_header_cut, "fewer than 8 bytes of ICMP")                                                \
  X(icmp_checksum, "the ICMP checksum is wrong")                                                  \
  X(icmp_code, "a query or reply with a code other than 0")                                       \
  X(icmpv6_redirect, "an ICMPv6 redirect that does not quote the packet it is about")             \
  X(icmp_type, "an ICMP type that is neither a query, a reply nor an error")                      \
  /* ICMP errors */                                                                               \
  X(icmp_quote_cut, "the error quotes less than the header and 8 bytes of a packet")              \
  X(icmp_quote_malformed, "the packet quoted by the error is malformed")                          \
  X(icmp_quote_address, "the error goes to another host than the sender of the quoted packet")    \
  X(icmp_quote_unknown, "the quoted packet belongs to no connection")                             \
  X(icmp_quote_sequence, "the quoted TCP sequence number was never sent (RFC 5927 4.1)")          \
  /* translation */                                                                               \
  X(nat_tuple_side, "a translated connection does not use this tuple on this side")               \
  X(nat_impossible,                                                                               \
    "the packet cannot be translated: part is missing or authenticated, or its connection gone")  \
  X(icmp_reply_unasked, "a reply to a query that was never seen")                                 \
  /* TCP state */                                                                                 \
  X(tcp_cannot_open, "no connection, and neither a SYN nor a segment of one picked up")           \
  X(tcp_opener_without_syn, "the opener goes on before its SYN was answered")                     \
  X(tcp_synack_wrong_ack, "a SYN-ACK that does not acknowledge the SYN")                          \
  X(tcp_synack_from_opener, "a SYN-ACK from the side that opened the connection")                 \
  X(tcp_syn_answered_oddly, "a SYN answered by FIN or data")                                      \
  X(tcp_reset_unproven, "a reset of an unanswered SYN that does not acknowledge it")              \
  X(tcp_reset_not_exact, "a reset whose sequence number is not the exact one")                    \
  X(tcp_seq_beyond_window, "the segment begins beyond the right edge of the window")              \
  X(tcp_ack_unsent, "the segment acknowledges data that was never sent")                          \
  X(tcp_closed, "the connection was reset or closed, and this is no fresh SYN")                   \
  X(tcp_state, "a segment that this state of the connection does not allow")                      \
  /* SCTP state */                                                                                \
  X(sctp_cannot_open, "no association, and neither a lone INIT nor a heartbeat")                  \
  X(sctp_tag, "the SCTP verification tag is not the one of this association")                     \
  X(sctp_state, "a chunk that this state of the association does not allow")                      \
  /* refused by a full tracker: the packet is new|trk and nothing is in the table */              \
  X(table_full, "the maximum number of connections is reached")                                   \
  X(zone_full, "the limit of connections in this zone is reached")                                \
  X(bucket_full, "too many connections share one bucket of the table")                            \
  X(memory_full, "the system gave no more memory for connections")                                \
  X(nat_exhausted, "no address and port that the translation may use is free")                    \
  X(nat_quota, "the internal address has as many ports as it may have")                           \
  X(nat_unmapped, "nobody inside has this external address and port")                             \
  X(nat_filtered, "who has this external address and port has no connection to the sender")       \
  X(nat_not_inside, "the translation has no ports for this internal address")

enum class Reason : std::uint8_t {
#define UCT_REASON_VALUE(name, sentence) name,
  UCT_REASONS(UCT_REASON_VALUE)
#undef UCT_REASON_VALUE
};

#define UCT_REASON_ONE(name, sentence) +1
/// The number of reasons, `none` included.
inline constexpr std::size_t kReasonCount = 0 UCT_REASONS(UCT_REASON_ONE);
#undef UCT_REASON_ONE

/// Gives     the enum's own name, e.g. "tcp_seq_beyond_window".
std::string_view name(Reason reason);

/// Gives     one sentence without a full stop.
std::string_view describe(Reason reason);

/// Gives     true for the reasons with which a full tracker refuses a commit. Such a packet is
///           new|trk, unchanged, and has no connection; a gateway drops it.
constexpr bool is_refusal(Reason reason) {
  return reason >= Reason::table_full;  // they are the last
}

/// Gives     true for the packet of which the tracker keeps a copy, which it hands to the
///           FragmentSink later. This one must not be sent on. It is `trk` and nothing else: what
///           it is, is not known yet.
constexpr bool is_held(Reason reason) { return reason == Reason::fragment_held; }

}  // namespace uct
