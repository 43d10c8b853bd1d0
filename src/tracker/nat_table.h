/// The translations that a tracker knows, by number.
///
/// Relies on nat; used by tracker.cc and the files that translate.
/// Threads   find() on any thread; additions are serialised by a lock. A spec never changes; its
///           mappings have a lock of their own.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include <uct/nat.h>
#include <uct/result.h>

#include "base/spinlock.h"
#include "nat/mappings.h"
#include "nat/plan.h"

namespace uct::core {

/// Packets refused for a spec, by reason.
struct NatRefusals {
  std::atomic<std::uint64_t> exhausted{0}, quota{0}, unmapped{0}, filtered{0}, not_inside{0};

  void count(Reason reason);
};

struct NatEntry {
  NatSpec spec;
  NatPlan plan;  ///< of the spec
  NatId id = NatId::none;
  std::unique_ptr<Mappings> mappings;  ///< null where mapping is endpoint-dependent
  mutable NatRefusals refusals;
};

class NatTable {
 public:
  ~NatTable();

  /// `secret` outlives the table; `capacity` is the tracker's.
  Result<NatId> add(const NatSpec& spec, const HashKey& secret, std::uint32_t capacity);

  /// Gives     null for NatId::none and for a number that was never given out.
  const NatEntry* find(NatId id) const {
    const auto place = static_cast<std::size_t>(id);
    const Page* page = page_.load(std::memory_order_acquire);  // pairs with the release in add()
    if (place == 0 || place > kMaxNatSpecs || page == nullptr) return nullptr;
    return page->entries[place - 1].load(std::memory_order_acquire);
  }

 private:
  struct Page {
    std::atomic<const NatEntry*> entries[kMaxNatSpecs] = {};
  };

  std::atomic<Page*> page_{nullptr};  ///< made with the first spec
  Spinlock lock_;
  std::size_t count_ UCT_GUARDED_BY(lock_) = 0;
};

}  // namespace uct::core
