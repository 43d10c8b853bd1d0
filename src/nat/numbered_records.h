/// Records that keep their number while they live, in memory that never moves.
///
/// Relies on base and table/index.h; used by nat/mappings.h.
/// Threads   none of its own: the caller locks.
#pragma once

#include <cstdint>

#include "base/reserved_array.h"
#include "table/index.h"

namespace uct::core {

/// A Record has a `next_free`, which is the table's while the record is not in use.
template <typename Record>
class NumberedRecords {
 public:
  /// Gives     false when the system has no address space for `capacity` records.
  bool reserve(std::uint32_t capacity) { return records_.reserve(capacity); }

  Record& operator[](std::uint32_t number) { return records_[number]; }

  /// Gives     the number of a record to fill, or kNoNumber when all are in use.
  std::uint32_t take() {
    if (free_ == kNoNumber) return touched_ < records_.capacity() ? touched_++ : kNoNumber;
    const std::uint32_t number = free_;
    free_ = records_[number].next_free;
    return number;
  }
  void give_back(std::uint32_t number) {
    records_[number].next_free = free_;
    free_ = number;
  }

 private:
  ReservedArray<Record> records_;
  std::uint32_t free_ = kNoNumber;  ///< the one freed last
  std::uint32_t touched_ = 0;       ///< records ever used
};

}  // namespace uct::core
