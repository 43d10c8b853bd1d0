#include "tracker/zone_table.h"

#include <memory>
#include <new>

namespace uct::core {

namespace {

std::optional<std::uint32_t> to_limit(std::int64_t value) {
  if (value < 0) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

}  // namespace

ZoneTable::~ZoneTable() {
  for (std::atomic<Page*>& page : pages_) delete page.load(std::memory_order_relaxed);
}

ZoneTable::Entry* ZoneTable::entry(Zone zone) {
  std::atomic<Page*>& slot = pages_[zone / kPageZones];
  // acquire; pairs with the release below, so that a page is seen as it was made.
  Page* page = slot.load(std::memory_order_acquire);
  if (page == nullptr) {
    std::unique_ptr<Page> fresh(new (std::nothrow) Page);
    if (fresh == nullptr) return nullptr;
    if (slot.compare_exchange_strong(page, fresh.get(), std::memory_order_acq_rel)) {
      page = fresh.release();
    }
  }
  return &(*page)[zone % kPageZones];
}

const ZoneTable::Entry* ZoneTable::find(Zone zone) const {
  const Page* page = pages_[zone / kPageZones].load(std::memory_order_acquire);
  return page == nullptr ? nullptr : &(*page)[zone % kPageZones];
}

bool ZoneTable::enter(Entry& entry) const {
  std::int64_t limit = entry.limit.load(std::memory_order_relaxed);
  if (limit == kUnset) limit = default_limit_.load(std::memory_order_relaxed);
  const std::uint32_t before = entry.count.fetch_add(1, std::memory_order_relaxed);
  if (limit == kUnset || before < limit) return true;
  leave(entry);
  return false;
}

void ZoneTable::set_limit(Zone zone, std::optional<std::uint32_t> limit) {
  Entry* place = entry(zone);
  if (place != nullptr) place->limit = limit ? std::int64_t{*limit} : kUnset;
}

void ZoneTable::set_default_limit(std::optional<std::uint32_t> limit) {
  default_limit_ = limit ? std::int64_t{*limit} : kUnset;
}

std::optional<std::uint32_t> ZoneTable::limit(Zone zone) const {
  const Entry* place = find(zone);
  return place == nullptr ? std::nullopt : to_limit(place->limit);
}

std::optional<std::uint32_t> ZoneTable::default_limit() const { return to_limit(default_limit_); }

std::uint32_t ZoneTable::count(Zone zone) const {
  const Entry* place = find(zone);
  return place == nullptr ? 0 : place->count.load(std::memory_order_relaxed);
}

void ZoneTable::set_check(Zone zone, SequenceCheck check) {
  Entry* place = entry(zone);
  if (place != nullptr) place->check = static_cast<std::uint8_t>(check);
}

void ZoneTable::set_default_check(SequenceCheck check) {
  default_check_ = static_cast<std::uint8_t>(check);
}

SequenceCheck ZoneTable::check(Zone zone) const {
  const Entry* place = find(zone);
  return place == nullptr ? static_cast<SequenceCheck>(default_check_.load()) : check(*place);
}

SequenceCheck ZoneTable::check(const Entry& entry) const {
  const std::uint8_t value = entry.check.load(std::memory_order_relaxed);
  return static_cast<SequenceCheck>(
      value == kCheckUnset ? default_check_.load(std::memory_order_relaxed) : value);
}

}  // namespace uct::core
