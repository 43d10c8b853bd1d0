/// The checksums that protocols carry: the Internet checksum and SCTP's CRC32c.
///
/// Included by packet. An Internet checksum is right when the one's complement sum over everything
/// that it covers, itself included, is 0xffff (RFC 1071).
/// Threads   pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace uct::core {

using Bytes = std::span<const std::byte>;

/// Gives     the one's complement sum of big-endian 16-bit words, folded to 16 bits, as it stands
///           in memory (no byte swap: equality with 0xffff and addition do not need one). An odd
///           last byte counts as if a zero followed.
std::uint16_t ones_sum(Bytes bytes, std::uint64_t start = 0);

/// Sums at least `kOnesSumVector` bytes; ones_sum() folds what comes of it.
using OnesSumVectors = std::uint64_t (*)(Bytes bytes);
inline constexpr std::size_t kOnesSumVector = 64;

/// Gives     one for each vector width of this processor, the widest first. ones_sum() takes that,
///           and a plain loop for what is shorter.
std::span<const OnesSumVectors> ones_sum_vectors();

/// Gives     the sum over a pseudo header (RFC 9293 section 3.1, RFC 8200 section 8.1), to start a
///           ones_sum over the transport with. `addresses` are the 8 or 32 bytes of both.
std::uint64_t pseudo_header_sum(Bytes addresses, std::uint8_t protocol, std::uint32_t length);

/// Gives     the CRC32c (Castagnoli, RFC 9260 appendix A) of `bytes` with the four at `zeroed`
///           taken as zero, as SCTP stores it: little-endian.
std::uint32_t sctp_crc32c(Bytes bytes, std::size_t zeroed);

/// The two ways to compute it; the processor's own instruction is used where there is one.
std::uint32_t crc32c_table(std::uint32_t crc, Bytes bytes);
std::uint32_t crc32c(std::uint32_t crc, Bytes bytes);

}  // namespace uct::core
