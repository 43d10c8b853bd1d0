/// Addresses as numbers, and sets of addresses.
///
/// Relies on uct/nat.h; used by the files of this room that have ranges.
/// Threads   values only; guarded by the owner.
#pragma once

#include <vector>

#include <uct/nat.h>

namespace uct::core {

/// An address as a number; IPv4 in the low 32 bits.
using AddressNumber = unsigned __int128;

inline constexpr unsigned bytes_of(Family family) { return family == Family::ipv4 ? 4 : 16; }

AddressNumber number_of(const Address& address);
/// The way back.
Address address_of(AddressNumber number, Family family);

/// Gives     whether both ends are of one family, and the last is not before the first.
bool is_range(const AddressRange& range);

/// The addresses of some ranges of one family. Ranges may overlap, and be of any size.
class AddressSet {
 public:
  explicit AddressSet(Family family) : family_(family) {}

  /// Requires  is_range(range), of the set's family
  /// Cost      O(ranges)
  void add(const AddressRange& range);

  bool empty() const { return spans_.empty(); }

  /// Cost      O(log ranges)
  bool contains(const Address& address) const;

 private:
  struct Span {
    AddressNumber first;
    AddressNumber last;
  };

  Family family_;
  std::vector<Span> spans_;  ///< by address; no two overlap
};

}  // namespace uct::core
