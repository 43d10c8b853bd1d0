#include "bench/peers/huge_pages.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

namespace uct::bench {

namespace {

constexpr std::size_t kSmallPage = 4096;

std::size_t whole_pages(std::size_t size) {
  return (size + HugePages::kPage - 1) / HugePages::kPage * HugePages::kPage;
}

}  // namespace

HugePages::HugePages(std::size_t size_bytes)
    : size_(whole_pages(size_bytes)),
      mapped_(size_ + kPage),
      mapping_(
          ::mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
  if (mapping_ == MAP_FAILED) throw std::bad_alloc();
  const auto address = reinterpret_cast<std::uintptr_t>(mapping_);
  base_ = static_cast<std::byte*>(mapping_) + (whole_pages(address) - address);
  static_cast<void>(::madvise(base_, size_, MADV_HUGEPAGE));
  // A write makes a page present; the compiler must not see that it changes nothing.
  for (std::size_t at = 0; at < size_; at += kSmallPage) {
    *const_cast<volatile std::byte*>(base_ + at) = std::byte{0};
  }
}

HugePages::~HugePages() { ::munmap(mapping_, mapped_); }

}  // namespace uct::bench
