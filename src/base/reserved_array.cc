#include "base/reserved_array.h"

#include <sys/mman.h>

#include <algorithm>

namespace uct::core {

namespace {

constexpr std::size_t kPage = 4096;

constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// Small pages are given back in pieces of these.
constexpr std::size_t kSmallPiece = 16 * kPage;

std::size_t round_up(std::size_t size, std::size_t unit) { return (size + unit - 1) / unit * unit; }

}  // namespace

Reservation::~Reservation() {
  if (base_ != nullptr) ::munmap(base_, size_);
}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  std::swap(base_, other.base_);
  std::swap(size_, other.size_);
  return *this;
}

bool Reservation::reserve(std::size_t size_bytes) {
  const std::size_t size = round_up(size_bytes, kPage);
  const std::size_t asked = size + kHugePage;  // so much that an aligned piece is in it
  void* memory = ::mmap(nullptr, asked, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return false;
  auto* const start = static_cast<std::byte*>(memory);
  const std::size_t before = round_up(reinterpret_cast<std::uintptr_t>(start), kHugePage) -
                             reinterpret_cast<std::uintptr_t>(start);
  if (before != 0) ::munmap(start, before);
  if (before != kHugePage) ::munmap(start + before + size, kHugePage - before);
  *this = Reservation();
  base_ = start + before;
  size_ = size;
  if (size > kHugePage) ::madvise(base_ + kHugePage, size - kHugePage, MADV_HUGEPAGE);
  return true;
}

void Reservation::release(std::size_t offset, std::size_t size_bytes) {
  const std::size_t first = (offset + kPage - 1) / kPage * kPage;
  const std::size_t end = (offset + size_bytes) / kPage * kPage;
  if (first < end) ::madvise(base_ + first, end - first, MADV_DONTNEED);
}

std::size_t Reservation::release_tail(std::size_t keep, std::size_t end) {
  if (end <= keep) return end;
  const bool small = end <= kHugePage;
  const std::size_t piece = small ? kSmallPiece : kHugePage;
  std::size_t start = (end - 1) / piece * piece;
  if (start < keep) {
    if (!small) return end;
    start = round_up(keep, kPage);
    if (start >= end) return end;
  }
  release(start, round_up(end, kPage) - start);
  return start;
}

void Reservation::make_huge_pages(std::size_t from, std::size_t to) const {
#if defined(MADV_POPULATE_WRITE)  // Linux 5.14; without it packets take the faults
  // The first piece has small pages: it is the whole of a small tracker.
  for (std::size_t at = std::max(round_up(from, kHugePage), kHugePage); at < std::min(to, size_);
       at += kHugePage) {
    ::madvise(base_ + at, kPage, MADV_POPULATE_WRITE);
  }
#else
  static_cast<void>(from);
  static_cast<void>(to);
#endif
}

}  // namespace uct::core
