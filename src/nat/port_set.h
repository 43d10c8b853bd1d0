/// Which ports of one external address and protocol are free, and a fair choice among them.
///
/// A NAT picks a port for every connection it makes. Walking the ports in order is predictable (RFC
/// 6056 section 1) and walking from a random start slows down as the range fills. Here the free
/// ones are counted, so that "the r-th free port" is a look-up: one random number gives one port,
/// every free port equally likely, with the same work at 1 % and at 99.99 % fill and at the last
/// port.
///
///   one root      32 sums: free in the groups before this one     a group is 2048 indexes
///   each group    32 sums: free in the words before this one      a word is 64 indexes, a bit each
///
/// Sums of what lies before, not counts: the child that holds the r-th free index is the last whose
/// sum is not above r, which is one comparison of 32 numbers; and taking an index subtracts one
/// from all sums behind it, which is one subtraction of a mask. A choice reads three cache lines:
/// the root, a group's sums, a word.
///
/// The arrays are flat, 10 KiB for 65536 ports and less for less: the first 100 random choices
/// touch every part of the range, so that parts made on first use would save nothing. What saves
/// memory is that a set is made when its address and protocol are first used (nat/pool.h).
///
/// Relies on nothing but the standard library; used by nat/pool.h and nat/port_blocks.h.
/// Threads   none of its own: the caller locks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace uct::core {

/// A set of indexes below 65536 that knows how many lie before each, and which is the r-th.
class FreeIndexes {
 public:
  static constexpr std::uint32_t kSizeMax = 65536;

  /// An empty set of indexes below `size`.
  ///
  /// Requires  size <= kSizeMax
  explicit FreeIndexes(std::uint32_t size = 0);

  /// Adds all of [from, to).
  ///
  /// Requires  from <= to <= size()
  /// Cost      O(size / 64): for setting up
  void fill(std::uint32_t from, std::uint32_t to);

  /// Gives     the member that has `rank` members before it.
  /// Requires  rank < count()
  /// Cost      the same for every set; see port_set_bench.cc
  std::uint32_t select(std::uint32_t rank) const;

  /// Erases the member that select() gives, and gives it. Faster than the two one after another:
  /// the sums are changed before the search ends, so that the next one need not wait.
  std::uint32_t take(std::uint32_t rank);

  /// Gives     how many members lie before `index`, which may be size().
  std::uint32_t rank(std::uint32_t index) const;

  bool contains(std::uint32_t index) const { return (words_[index / 64] >> (index % 64) & 1) != 0; }

  /// Requires  !contains(index)
  void insert(std::uint32_t index);

  /// Requires  contains(index)
  void erase(std::uint32_t index);

  std::uint32_t size() const { return size_; }
  std::uint32_t count() const { return count_; }

  /// Gives     bytes on the heap.
  std::size_t memory_bytes() const;

 private:
  static constexpr std::uint32_t kChildren = 32;
  using Sums = std::array<std::uint16_t, kChildren>;

  void sum_up();

  Sums groups_{};                     ///< members in the groups before this one
  std::vector<Sums> words_before_;    ///< of each group: members in its words before this one
  std::vector<std::uint64_t> words_;  ///< bit i of word w: 64 w + i is a member
  std::uint32_t size_ = 0;
  std::uint32_t count_ = 0;
};

/// Gives     a number below `count`, each as likely as any other but for one part in 2^32.
/// Requires  count <= 65536; `random` is uniform over 64 bits, of which the upper 48 count
constexpr std::uint32_t bounded(std::uint64_t random, std::uint32_t count) {
  return static_cast<std::uint32_t>((random >> 16) * count >> 48);
}

/// The ports from `first` to `last`, both included.
struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 65535;

  constexpr std::uint32_t count() const { return std::uint32_t{last} - first + 1; }
  constexpr bool contains(std::uint16_t port) const { return first <= port && port <= last; }
  bool operator==(const PortRange&) const = default;
};

/// RTP wants even ports and RTCP odd ones (RFC 4787 section 4.2.2).
enum class Parity : std::uint8_t { even, odd, any };

constexpr Parity parity_of(std::uint16_t port) {
  return port % 2 == 0 ? Parity::even : Parity::odd;
}

/// Gives     the system ports or all others, whichever `port` is among (RFC 4787 section 4.2.1).
constexpr PortRange class_of(std::uint16_t port) {
  return port < 1024 ? PortRange{0, 1023} : PortRange{1024, 65535};
}

/// Which ports will do.
struct PortFilter {
  PortRange range;
  Parity parity = Parity::any;
};

/// What a mapping would like of its external port, given its internal one. Wishes, not demands: a
/// port that meets none of them is better than none (RFC 4787 REQ-3a and REQ-4 recommend them).
struct PortWish {
  std::uint16_t port = 0;    ///< the internal one
  bool keep_port = false;    ///< the same number
  bool keep_class = false;   ///< below 1024 or not, REQ-3a
  bool keep_parity = false;  ///< even or odd, REQ-4
};

/// Gives     what to try in order: class and parity, class alone, any port. Class goes first
///           because a server may refuse the other class, whereas parity is about a guess of old
///           RTP receivers. Filters that are equal to the one before are harmless.
std::array<PortFilter, 3> filters_of(const PortWish& wish);

/// The free ports of a range. Even ports have the lower indexes and odd ones the upper, so that a
/// choice by parity is a choice within a range like any other.
class PortSet {
 public:
  /// All ports of `range` are free, no others exist.
  ///
  /// Requires  range.first <= range.last
  explicit PortSet(PortRange range);

  /// Takes a free port, each equally likely but for one part in 2^32 (see bounded()).
  ///
  /// Gives     none only when available() == 0.
  /// Cost      O(1), no branch that depends on the fill: with the free() of another 18 ns from the
  ///           first cache, 33 ns among 256 sets (port_set_bench.cc, AMD Zen 5, 2.6 GHz)
  std::optional<std::uint16_t> take(std::uint64_t random) {
    if (available() == 0) [[unlikely]]
      return std::nullopt;
    return port_of(free_.take(bounded(random, available())));
  }

  /// The same among the ports that pass; none when no free port passes. O(1).
  std::optional<std::uint16_t> take_in(const PortFilter& filter, std::uint64_t random);
  std::optional<std::uint16_t> take_even(std::uint64_t random) {
    return take_in({range_, Parity::even}, random);
  }
  std::optional<std::uint16_t> take_odd(std::uint64_t random) {
    return take_in({range_, Parity::odd}, random);
  }
  std::optional<std::uint16_t> take_same_class(std::uint16_t port, std::uint64_t random) {
    return take_in({class_of(port), Parity::any}, random);
  }

  /// Takes the free port that passes and has `rank` such ports before it, the even ones first.
  ///
  /// Requires  rank < available_in(filter)
  std::uint16_t take_ranked(const PortFilter& filter, std::uint32_t rank);

  /// Takes a port by the first wish that can be met.
  ///
  /// Gives     none only when available() == 0.
  std::optional<std::uint16_t> take_like(const PortWish& wish, std::uint64_t random);

  /// Gives     false when the port is taken or outside the range.
  bool take_exact(std::uint16_t port);

  /// Gives     false when the port was not taken.
  bool free(std::uint16_t port);

  /// Gives     true for a port that take_exact() would refuse although it is in the range.
  bool is_taken(std::uint16_t port) const {
    return range_.contains(port) && !free_.contains(index_of(port));
  }

  PortRange range() const { return range_; }
  std::uint32_t used() const { return range_.count() - free_.count(); }
  std::uint32_t available() const { return free_.count(); }
  std::uint32_t available_in(const PortFilter& filter) const;

  std::size_t memory_bytes() const { return sizeof(*this) + free_.memory_bytes(); }

 private:
  /// Two ranges of ranks: the even free ports that pass a filter, and the odd ones.
  struct Ranks {
    std::uint32_t even_first = 0, even_count = 0;
    std::uint32_t odd_first = 0, odd_count = 0;
  };

  // Without branches: nobody can predict the parity of a random port.
  std::uint32_t index_of(std::uint16_t port) const {
    return odd_begin_ * (port & 1U) + (port - base_) / 2;
  }
  std::uint16_t port_of(std::uint32_t index) const {
    const std::uint32_t odd = index >= odd_begin_ ? 1 : 0;
    return static_cast<std::uint16_t>(base_ + 2 * (index - odd_begin_ * odd) + odd);
  }
  Ranks ranks_of(const PortFilter& filter) const;
  std::uint16_t take_ranked(const Ranks& ranks, std::uint32_t rank);

  FreeIndexes free_;
  PortRange range_;
  std::uint32_t base_ = 0;       ///< range_.first, or the even port before it
  std::uint32_t odd_begin_ = 0;  ///< the index of port base_ + 1
};

}  // namespace uct::core
