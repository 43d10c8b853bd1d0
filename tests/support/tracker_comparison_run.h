/// A Tracker and its model in the middle of a sequence: private to tracker_comparison*.cc.
///
/// tracker_comparison.cc plays the operations, tracker_comparison_contents.cc compares what the two
/// hold.
/// Threads   none.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/tracker_comparison.h"
#include "tests/support/tracker_model.h"

namespace uct::model {

/// What a listener believes to be in the table, from events alone.
class Replica : public EventSink {
 public:
  void on_event(const Event& event) noexcept override {
    const ConnectionHandle handle = event.connection.handle;
    const bool known = held.count(handle) != 0;
    if (known == (event.kind == EventKind::created)) wrong = name(event.kind);
    if ((event.cause == DestroyCause::none) == (event.kind == EventKind::destroyed)) {
      wrong = "cause";
    }
    if (event.kind == EventKind::destroyed) {
      held.erase(handle);
    } else {
      held[handle] = event.connection;
    }
  }

  std::map<ConnectionHandle, ConnectionInfo> held;
  std::string_view wrong;
};

class Comparison {
 public:
  explicit Comparison(const Sequence& sequence);
  std::optional<Difference> play();

 private:
  using Infos = std::vector<ConnectionInfo>;

  void step(const Operation& operation);
  void packets(const Operation& operation);
  bool limits_are_near(const Operation& operation) const;
  void burst(const Operation& operation, std::size_t first, std::size_t count);
  test::TuplePacket bytes_of(const PacketSpec& spec, const test::TcpSegment& segment) const;
  void compare(const PacketSpec& packet, const Expected& expected, const Verdict& verdict);
  void learn(const Expected& expected, const Verdict& verdict);
  void sweep(const Operation& operation);
  void flush(const Operation& operation);
  void find(const Operation& operation);
  void set(const Operation& operation);
  void dump(const Operation& operation);
  void dump_piece(const Operation& operation);
  void end_of_dump();
  void bury();
  void whole_table();
  void compare_counts();
  void compare_stats();
  void compare_replica(const Infos& infos);
  void compare_infos(const Infos& infos, const Filter& filter);
  void same(const ConnectionInfo& got, const Connection& expected);
  void note(const std::string& text);
  template <typename T>
  void equal(const char* what, const T& expected, const T& got) {
    if (expected == got) return;
    std::ostringstream text;
    text << what << ": expected " << expected << ", got " << got;
    note(text.str());
  }

  /// The tracker hears of moments within the model's millisecond.
  Timestamp now() const { return model_.now() + std::chrono::nanoseconds(operation_ % 1'000'000); }

  const Sequence& sequence_;
  Replica replica_;
  Model model_;
  std::unique_ptr<Tracker> tracker_;
  std::map<std::uint64_t, ConnectionHandle> handles_;  ///< by life, of the living
  std::deque<ConnectionHandle> dead_;
  DumpCursor cursor_;
  std::set<std::uint64_t> dump_began_;  ///< lives when the interrupted dump began
  std::multiset<ConnectionHandle> dumped_;
  bool dumping_ = false;
  std::size_t operation_ = 0;
  std::optional<Difference> difference_;
};

}  // namespace uct::model
