/// An array whose address never changes while it grows and shrinks.
///
/// Address space for the largest size is reserved at the start; memory comes with first use and
/// goes back with release(). The table and its records live in such arrays, so that growing copies
/// nothing and a number stays a place. This file and its .cc are the library's only calls to the
/// system.
/// Threads   none of its own: the shard that owns the array holds its lock. Addresses may be
///           prefetched by anyone at any time, because they stay mapped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace uct::core {

/// Reserves address space; memory reads as zero until written.
///
/// What lies beyond the first two megabytes asks for huge pages (a wish, not a promise): random
/// look-ups in a large table otherwise wait for address translation as long as for the data. What
/// is smaller takes small pages, so that a small tracker stays small.
class Reservation {
 public:
  Reservation() = default;
  ~Reservation();
  Reservation(Reservation&& other) noexcept
      : base_(std::exchange(other.base_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Reservation& operator=(Reservation&& other) noexcept;

  /// Gives     false when the system refuses; the object then stays empty.
  bool reserve(std::size_t size_bytes);

  /// Gives the whole pages inside the range back; they read as zero afterwards.
  ///
  /// Cost      a huge page about 5 us, the same in small pages 50 us and more. A part of a huge
  ///           page is the dearest, because the system cuts the page up first.
  void release(std::size_t offset, std::size_t size_bytes);

  /// Gives back the end of [keep, end), so much as is cheap: see ReservedArray.
  std::size_t release_tail(std::size_t keep, std::size_t end);

  /// Lets the system make the huge pages that begin in the range, whatever is written there
  /// meanwhile. Making one takes longer than deciding a thousand packets: who sweeps does it before
  /// packets need it.
  /// Threads   any time, beside anything.
  void make_huge_pages(std::size_t from, std::size_t to) const;

  std::byte* base() const { return base_; }
  std::size_t size() const { return size_; }

 private:
  std::byte* base_ = nullptr;
  std::size_t size_ = 0;
};

/// A Reservation seen as an array of T. All-zero bytes must be a valid T.
template <typename T>
class ReservedArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  bool reserve(std::size_t count) { return memory_.reserve(count * sizeof(T)); }
  T& operator[](std::size_t i) { return data()[i]; }
  const T& operator[](std::size_t i) const { return data()[i]; }
  T* data() const { return reinterpret_cast<T*>(memory_.base()); }
  std::size_t capacity() const { return memory_.size() / sizeof(T); }
  Reservation& memory() { return memory_; }
  void release(std::size_t first, std::size_t count) {
    memory_.release(first * sizeof(T), count * sizeof(T));
  }

  /// Gives back the end of [keep, end): a huge page if a whole one lies there, up to 16 small pages
  /// where pages are small.
  ///
  /// Requires  memory beyond `end` was given back, or never touched
  /// Gives     the end of what is left: `end` when nothing was given back
  std::size_t release_tail(std::size_t keep, std::size_t end) {
    const std::size_t kept = memory_.release_tail(keep * sizeof(T), end * sizeof(T));
    return kept == end * sizeof(T) ? end : (kept + sizeof(T) - 1) / sizeof(T);
  }

 private:
  Reservation memory_;
};

}  // namespace uct::core
