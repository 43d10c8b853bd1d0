#include "tracker/nat_table.h"

#include <new>
#include <utility>

namespace uct::core {

void NatRefusals::count(Reason reason) {
  const auto add = [](std::atomic<std::uint64_t>& counter) {
    counter.fetch_add(1, std::memory_order_relaxed);
  };
  switch (reason) {
    case Reason::nat_exhausted:
      return add(exhausted);
    case Reason::nat_quota:
      return add(quota);
    case Reason::nat_unmapped:
      return add(unmapped);
    case Reason::nat_filtered:
      return add(filtered);
    case Reason::nat_not_inside:
      return add(not_inside);
    default:
      return;  // not about what the spec has to give
  }
}

NatTable::~NatTable() {
  Page* page = page_.load();
  if (page == nullptr) return;
  for (const auto& entry : page->entries) delete entry.load();
  delete page;
}

Result<NatId> NatTable::add(const NatSpec& spec, const HashKey& secret, std::uint32_t capacity) {
  if (const Error error = check_nat(spec); error != Error::none) return error;
  try {
    auto made = std::make_unique<NatEntry>();
    made->spec = spec;
    made->plan = NatPlan(spec);
    if (spec.mapping) {
      Result<std::unique_ptr<Mappings>> mappings = Mappings::make(spec, secret, capacity);
      if (!mappings) return mappings.error();
      made->mappings = std::move(mappings.value());
    }
    const SpinlockGuard guard(lock_);
    if (count_ == kMaxNatSpecs) return Error::nat_full;
    Page* page = page_.load(std::memory_order_relaxed);
    if (page == nullptr) {
      page = new Page;
      page_.store(page, std::memory_order_release);
    }
    made->id = static_cast<NatId>(count_ + 1);
    page->entries[count_].store(made.release(), std::memory_order_release);
    ++count_;
    return static_cast<NatId>(count_);
  } catch (const std::bad_alloc&) {
    return Error::memory_unavailable;
  }
}

}  // namespace uct::core
