#include "frag/extent.h"

#include <algorithm>

namespace uct::core {

std::uint32_t ExtentSet::place_of(std::uint32_t offset) const {
  if (count_ == 0 || pieces_[count_ - 1].begin < offset) return count_;  // in order
  const auto end = pieces_.begin() + count_;
  const auto found =
      std::lower_bound(pieces_.begin(), end, offset,
                       [](const Piece& piece, std::uint32_t from) { return piece.begin < from; });
  return static_cast<std::uint32_t>(found - pieces_.begin());
}

Fit ExtentSet::fit(const Extent& extent) const {
  const std::uint32_t place = place_of(extent.offset);
  const bool has_next = place < count_;
  if (has_next && pieces_[place].begin == extent.offset && pieces_[place].end == extent.end() &&
      extent.more != (total_ == extent.end())) {
    return Fit::duplicate;
  }
  if (has_next && pieces_[place].begin < extent.end()) return Fit::overlap;
  if (place != 0 && pieces_[place - 1].end > extent.offset) return Fit::overlap;
  if (total_ != 0 && extent.end() > total_) return Fit::two_ends;
  if (!extent.more && has_next) return Fit::two_ends;  // that one lies beyond, the last one or not
  return count_ == kFragmentsMax ? Fit::too_many : Fit::fresh;
}

void ExtentSet::add(const Extent& extent) {
  const std::uint32_t place = place_of(extent.offset);
  std::copy_backward(pieces_.begin() + place, pieces_.begin() + count_,
                     pieces_.begin() + count_ + 1);
  pieces_[place] = {static_cast<std::uint16_t>(extent.offset),
                    static_cast<std::uint16_t>(extent.end())};
  ++count_;
  covered_ += extent.size;
  if (!extent.more) total_ = extent.end();
}

}  // namespace uct::core
