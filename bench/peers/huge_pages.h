/// Memory for what is measured beside the tracker: all of it there from the start, in huge pages.
///
/// Unlike the library's own Reservation, which takes memory with first use: a rival shall not pay
/// for page faults in a timed section.
///
/// Relies on nothing; used by floor.cc and bench/peers/rte_hash.
/// Threads   none of its own; the memory is the owner's to share.
#pragma once

#include <cstddef>
#include <type_traits>

namespace uct::bench {

/// Zeroed memory, aligned to and a multiple of kPage.
class HugePages {
 public:
  static constexpr std::size_t kPage = std::size_t{2} << 20;

  /// Errors    std::bad_alloc. Huge pages are a wish: without any left, small ones do.
  explicit HugePages(std::size_t size_bytes);
  HugePages(const HugePages&) = delete;
  HugePages& operator=(const HugePages&) = delete;
  ~HugePages();

  std::byte* data() const { return base_; }
  std::size_t size() const { return size_; }

  /// Gives     the memory as an array; all-zero bytes must be a valid T.
  template <typename T>
  T* as() const {
    static_assert(std::is_trivially_copyable_v<T>);
    return reinterpret_cast<T*>(base_);
  }

 private:
  const std::size_t size_;
  const std::size_t mapped_;  ///< one page more, so that an aligned piece is in it
  void* mapping_;
  std::byte* base_;
};

}  // namespace uct::bench
