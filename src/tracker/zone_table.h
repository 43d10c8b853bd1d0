/// What is set and counted for each zone: its limit, its connections, its sequence check.
///
/// Relies on base; used by tracker. A zone takes memory only once something is set or counted in
/// it.
/// Threads   all counts and settings are atomic; any thread, any time.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include <uct/config.h>
#include <uct/zone.h>

namespace uct::core {

class ZoneTable {
 public:
  ZoneTable() = default;
  ~ZoneTable();
  ZoneTable(const ZoneTable&) = delete;
  ZoneTable& operator=(const ZoneTable&) = delete;

  /// One zone. Values are plain numbers so that each is one atomic.
  struct Entry {
    std::atomic<std::uint32_t> count{0};
    std::atomic<std::int64_t> limit{kUnset};
    std::atomic<std::uint8_t> check{kCheckUnset};
  };

  /// Gives     the zone's entry, made if it was not there; null when there is no memory for it.
  Entry* entry(Zone zone);

  /// Counts one more connection in the zone.
  ///
  /// Gives     false, and counts nothing, when the zone's limit (or else the default) is reached.
  bool enter(Entry& entry) const;
  static void leave(Entry& entry, std::uint32_t connections = 1) {
    entry.count.fetch_sub(connections, std::memory_order_relaxed);
  }

  /// Gives     whether a limit holds for the zone, its own or the default.
  bool is_limited(const Entry& entry) const {
    return entry.limit.load(std::memory_order_relaxed) != kUnset ||
           default_limit_.load(std::memory_order_relaxed) != kUnset;
  }

  void set_limit(Zone zone, std::optional<std::uint32_t> limit);
  void set_default_limit(std::optional<std::uint32_t> limit);
  std::optional<std::uint32_t> limit(Zone zone) const;
  std::optional<std::uint32_t> default_limit() const;
  std::uint32_t count(Zone zone) const;

  void set_check(Zone zone, SequenceCheck check);
  void set_default_check(SequenceCheck check);
  SequenceCheck check(Zone zone) const;
  SequenceCheck check(const Entry& entry) const;

 private:
  static constexpr std::int64_t kUnset = -1;
  static constexpr std::uint8_t kCheckUnset = 0xff;
  static constexpr unsigned kPageZones = 256;
  using Page = std::array<Entry, kPageZones>;

  const Entry* find(Zone zone) const;

  std::array<std::atomic<Page*>, kZoneCount / kPageZones> pages_{};
  std::atomic<std::int64_t> default_limit_{kUnset};
  std::atomic<std::uint8_t> default_check_{static_cast<std::uint8_t>(SequenceCheck::normal)};
};

}  // namespace uct::core
