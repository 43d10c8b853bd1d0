#include "tracker/nat_table.h"

#include <new>

#include "nat/choice.h"

namespace uct::core {

NatTable::~NatTable() {
  Page* page = page_.load();
  if (page == nullptr) return;
  for (const auto& spec : page->specs) delete spec.load();
  delete page;
}

Result<NatId> NatTable::add(const NatSpec& spec) {
  if (const Error error = check_nat(spec); error != Error::none) return error;
  std::unique_ptr<const NatSpec> made(new (std::nothrow) NatSpec(spec));
  if (made == nullptr) return Error::memory_unavailable;
  const SpinlockGuard guard(lock_);
  if (count_ == kMaxNatSpecs) return Error::nat_full;
  Page* page = page_.load(std::memory_order_relaxed);
  if (page == nullptr) {
    page = new (std::nothrow) Page;
    if (page == nullptr) return Error::memory_unavailable;
    page_.store(page, std::memory_order_release);
  }
  page->specs[count_].store(made.release(), std::memory_order_release);
  ++count_;
  return static_cast<NatId>(count_);
}

}  // namespace uct::core
