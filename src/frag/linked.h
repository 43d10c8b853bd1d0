/// Records linked through themselves: a list, a hash table, and a pile of those not in use.
///
/// Nothing is allocated to link a record, and one is unlinked from the middle of a list at once.
///
/// Relies on base/siphash.h; used by frag/datagram_table.h.
/// Threads   none of its own: the caller locks.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/siphash.h"

namespace uct::core {

template <typename T>
struct Links {
  T* previous = nullptr;
  T* next = nullptr;
};

/// A list through the member kLinks of its records, which it does not own.
template <typename T, Links<T> T::*kLinks>
class LinkedList {
 public:
  T* first() const { return first_; }
  static T* next(const T& record) { return (record.*kLinks).next; }

  void push_back(T& record) {
    record.*kLinks = {last_, nullptr};
    (last_ == nullptr ? first_ : (last_->*kLinks).next) = &record;
    last_ = &record;
  }

  void remove(T& record) {
    const Links<T> links = record.*kLinks;
    (links.previous == nullptr ? first_ : (links.previous->*kLinks).next) = links.next;
    (links.next == nullptr ? last_ : (links.next->*kLinks).previous) = links.previous;
  }

 private:
  T* first_ = nullptr;
  T* last_ = nullptr;
};

/// Finds records by T::key, an array of words, in chains through T::next. Owns none of them.
template <typename T>
class KeyedChains {
 public:
  using Key = decltype(T::key);

  /// The chains never grow: `records_max` of them at least, eight bytes each.
  KeyedChains(std::uint32_t records_max, const HashKey& hash_key)
      : hash_key_(hash_key), chains_(std::bit_ceil(std::size_t{records_max}), nullptr) {}

  T* find(const Key& key) const {
    T* record = chains_[number_of(key)];
    while (record != nullptr && record->key != key) record = record->next;
    return record;
  }

  void insert(T& record) {
    T*& chain = chains_[number_of(record.key)];
    record.next = chain;
    chain = &record;
  }

  void remove(T& record) {
    T** place = &chains_[number_of(record.key)];
    while (*place != &record) place = &(*place)->next;
    *place = record.next;
  }

 private:
  std::size_t number_of(const Key& key) const {
    std::uint64_t words[std::tuple_size_v<Key>];
    std::copy(key.begin(), key.end(), words);
    return siphash13(words, hash_key_) & (chains_.size() - 1);
  }

  HashKey hash_key_;
  std::vector<T*> chains_;  ///< a power of two of them
};

/// Owns records that are not in use, in a chain through T::next.
template <typename T>
class Spares {
 public:
  Spares() = default;
  ~Spares() {
    while (first_ != nullptr) delete std::exchange(first_, first_->next);
  }
  Spares(const Spares&) = delete;
  Spares& operator=(const Spares&) = delete;

  /// Gives     a record as it was left, or a new one; null when there is no memory.
  /// Owns      the caller, until it gives it back.
  T* take() {
    if (first_ == nullptr) return new (std::nothrow) T;
    return std::exchange(first_, first_->next);
  }

  void give(T& record) {
    record.next = first_;
    first_ = &record;
  }

  void swap(Spares& other) { std::swap(first_, other.first_); }

 private:
  T* first_ = nullptr;
};

}  // namespace uct::core
