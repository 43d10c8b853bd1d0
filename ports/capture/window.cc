#include "ports/capture/window.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace uct::capture {

Window::Window(std::unique_ptr<Input> input, std::size_t capacity)
    : input_(std::move(input)),
      buffer_(std::make_unique_for_overwrite<std::byte[]>(capacity)),
      capacity_(capacity) {}

bool Window::require(std::size_t count) {
  while (end_ - begin_ < count) {
    if (!refill()) return false;
  }
  return true;
}

std::uint64_t Window::skip(std::uint64_t count) {
  std::uint64_t skipped = 0;
  while (skipped < count) {
    if (begin_ == end_ && !refill()) break;
    const auto step =
        static_cast<std::size_t>(std::min<std::uint64_t>(count - skipped, end_ - begin_));
    consume(step);
    skipped += step;
  }
  return skipped;
}

bool Window::refill() {
  if (ended_) return false;
  make_room();
  const std::size_t got = input_->read({buffer_.get() + end_, capacity_ - end_});
  end_ += got;
  ended_ = got == 0;
  return !ended_;
}

// Moves what is left, a part of one record, to the front; grows only when the record fills all.
void Window::make_room() {
  const std::size_t left = end_ - begin_;
  if (left == capacity_) {
    auto larger = std::make_unique_for_overwrite<std::byte[]>(2 * capacity_);
    std::memcpy(larger.get(), buffer_.get(), left);
    buffer_ = std::move(larger);
    capacity_ *= 2;
  } else if (begin_ != 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, left);
  }
  begin_ = 0;
  end_ = left;
}

}  // namespace uct::capture
