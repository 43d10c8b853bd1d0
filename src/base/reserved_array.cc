#include "base/reserved_array.h"

#include <sys/mman.h>

namespace uct::core {

namespace {

constexpr std::size_t kPage = 4096;

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
  const std::size_t size = (size_bytes + kPage - 1) / kPage * kPage;
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return false;
  *this = Reservation();
  base_ = static_cast<std::byte*>(memory);
  size_ = size;
  return true;
}

void Reservation::release(std::size_t offset, std::size_t size_bytes) {
  const std::size_t first = (offset + kPage - 1) / kPage * kPage;
  const std::size_t end = (offset + size_bytes) / kPage * kPage;
  if (first < end) ::madvise(base_ + first, end - first, MADV_DONTNEED);
}

void Reservation::prefer_huge_pages(std::size_t offset, std::size_t size_bytes) {
  const std::size_t first = offset / kPage * kPage;
  const std::size_t end = (offset + size_bytes) / kPage * kPage;
  if (first < end) ::madvise(base_ + first, end - first, MADV_HUGEPAGE);
}

}  // namespace uct::core
