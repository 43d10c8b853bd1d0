/// Which bytes of one datagram have been seen, as the fragments that brought them.
///
/// Fragments are kept one by one and not melted into intervals: whether a fragment is an exact
/// duplicate, which links make, or an overlap, which only attackers make (RFC 5722), is a question
/// of where each one began and ended. With (0-8)(8-16) melted to (0-16), a lone 0-16 would pass for
/// a duplicate.
///
/// Relies on nothing but the standard library; used by frag/datagrams.h.
/// Threads   none of its own: the caller locks.
#pragma once

#include <array>
#include <cstdint>

namespace uct::core {

/// The largest datagram; RFC 791 and RFC 8200 section 4.5 count in 16 bits.
inline constexpr std::uint32_t kDatagramMax = 65535;

/// Fragments of one datagram that are told apart. A datagram of 65,535 bytes has 119 where packets
/// have 576 bytes, which every link carries (RFC 791), and 54 at IPv6's least of 1280; beyond that
/// somebody makes work. (FreeBSD allows 16, pf in OpenBSD 64 within 4 KiB.)
inline constexpr std::uint32_t kFragmentsMax = 128;

/// Where a fragment's payload lies in its datagram.
struct Extent {
  std::uint32_t offset = 0;  ///< bytes; a multiple of 8
  std::uint32_t size = 0;    ///< bytes of the datagram in this fragment; not 0
  bool more = false;         ///< not the last; `size` is a multiple of 8

  std::uint32_t end() const { return offset + size; }
  bool operator==(const Extent&) const = default;
};

/// Gives     whether it can be a piece of a datagram at all (RFC 791, RFC 8200 section 4.5), and is
///           not a whole one.
constexpr bool is_wellformed(const Extent& extent) {
  return extent.size != 0 && extent.offset % 8 == 0 && extent.offset <= kDatagramMax &&
         extent.size <= kDatagramMax - extent.offset && (!extent.more || extent.size % 8 == 0) &&
         (extent.offset != 0 || extent.more);
}

/// How a fragment fits those seen before.
enum class Fit : std::uint8_t {
  fresh,      ///< none of its bytes has been seen
  duplicate,  ///< one like it has: same offset, same size, last or not as this
  overlap,    ///< it shares bytes with one that is not its like
  two_ends,   ///< it lies beyond the last one, or it is the last and others lie beyond it
  too_many,   ///< it would be fresh, but kFragmentsMax have come already
};

class ExtentSet {
 public:
  /// Gives     how it fits; nothing is changed.
  /// Requires  is_wellformed(extent)
  /// Cost      O(log fragments); in order, O(1)
  Fit fit(const Extent& extent) const;

  /// Notes a fragment.
  ///
  /// Requires  fit(extent) == Fit::fresh
  /// Cost      a move of at most 4 * kFragmentsMax bytes; in order, none
  void add(const Extent& extent);

  /// Gives     whether every byte of the datagram has been seen.
  bool is_complete() const { return total_ != 0 && covered_ == total_; }

  /// Gives     how many fragments were noted.
  std::uint32_t count() const { return count_; }

  void clear() { count_ = covered_ = total_ = 0; }

 private:
  struct Piece {
    std::uint16_t begin;
    std::uint16_t end;
  };

  /// Gives     the place of the first piece that begins at `offset` or behind it.
  std::uint32_t place_of(std::uint32_t offset) const;

  std::array<Piece, kFragmentsMax> pieces_;  ///< by offset; written up to count_
  std::uint32_t count_ = 0;
  std::uint32_t covered_ = 0;  ///< bytes; pieces never overlap, so their sizes add up
  std::uint32_t total_ = 0;    ///< bytes of the datagram; 0 until its last fragment came
};

}  // namespace uct::core
