/// A set of hashes of at most one block's packets: to be asked for each of them.
///
/// Relies on nothing; used by pipeline.h.
/// Threads   a value.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace uct::core {

template <std::size_t kCapacity>
class FewHashes {
 public:
  void clear() { count_ = 0; }

  /// Requires  fewer than kCapacity were added
  void add(std::uint64_t hash) {
    if (empty()) filter_ = {};
    hashes_[count_++] = hash;
    filter_[word_of(hash)] |= bit_of(hash);
  }

  bool has(std::uint64_t hash) const {
    if (empty() || (filter_[word_of(hash)] & bit_of(hash)) == 0) [[likely]]
      return false;
    const auto end = hashes_.begin() + static_cast<std::ptrdiff_t>(count_);
    return std::find(hashes_.begin(), end, hash) != end;
  }

  bool empty() const { return count_ == 0; }

 private:
  /// 16 bits for each hash: with fewer, one packet in four or five would be looked for in vain.
  static constexpr std::size_t kWords = kCapacity / 4;

  /// By bits that are in no tag and name no home: those are alike where hashes meet by design.
  static std::size_t word_of(std::uint64_t hash) { return (hash >> 46) % kWords; }
  static std::uint64_t bit_of(std::uint64_t hash) { return std::uint64_t{1} << (hash >> 40 & 63); }

  std::size_t count_ = 0;
  std::array<std::uint64_t, kWords> filter_;  ///< nothing until one is added: most calls need none
  std::array<std::uint64_t, kCapacity> hashes_;
};

}  // namespace uct::core
