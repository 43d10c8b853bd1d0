/// The translations that a tracker knows, by number.
///
/// Relies on nat/choice.h; used by tracker.cc and translate.cc.
/// Threads   find() on any thread; additions are serialised by a lock. A spec never changes.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include <uct/nat.h>
#include <uct/result.h>

#include "base/spinlock.h"

namespace uct::core {

class NatTable {
 public:
  ~NatTable();

  Result<NatId> add(const NatSpec& spec);

  /// Gives     null for NatId::none and for a number that was never given out.
  const NatSpec* find(NatId id) const {
    const auto place = static_cast<std::size_t>(id);
    const Page* page = page_.load(std::memory_order_acquire);  // pairs with the release in add()
    if (place == 0 || place > kMaxNatSpecs || page == nullptr) return nullptr;
    return page->specs[place - 1].load(std::memory_order_acquire);
  }

 private:
  struct Page {
    std::atomic<const NatSpec*> specs[kMaxNatSpecs] = {};
  };

  std::atomic<Page*> page_{nullptr};  ///< made with the first spec
  Spinlock lock_;
  std::size_t count_ UCT_GUARDED_BY(lock_) = 0;
};

}  // namespace uct::core
