/// The connections of a tracker that translates, as a naive model has them: a list from events, and
/// a map of every tuple that packets of the living may carry.
///
/// Which operations open and end connections is the business of tracker_model.h; here it is taken
/// from events, and what is judged is translation: that no tuple belongs to two, that what is
/// chosen is allowed, that what is refused had nothing free, when a connection's tuples are free
/// again.
///
/// Included by nat_comparison.cc.
/// Threads   none; events must come from the thread that plays.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <uct/tracker.h>

#include "tests/support/nat_rules.h"

namespace uct::model {

/// A connection, and what its sides have said.
struct NatConnection {
  ConnectionInfo info;
  std::uint8_t stage = 0;  ///< of a handshake

  /// What the originator's packets carry behind the translation.
  Tuple sent() const;
  bool is_translated() const { return sent() != info.original; }
};

/// Where a packet belongs by its tuple.
struct NatPlace {
  NatConnection* connection = nullptr;  ///< null: nowhere
  Direction direction = Direction::original;
  bool wrong_side = false;  ///< the tuple is that of the direction on the other side
};

class NatModel : public EventSink {
 public:
  void on_event(const Event& event) noexcept override;

  /// Gives     the live connection that packets with this tuple belong to.
  NatPlace find(Zone zone, const Tuple& tuple, Timestamp now);

  /// Gives     the live ones, in the order of their opening.
  std::vector<NatConnection*> live(Timestamp now);

  NatConnection* find(ConnectionHandle handle);

  /// Gives     whether packets of an opening with tuple `original` may leave as `sent`: nobody
  ///           who lives has that tuple, in either direction, on either side.
  bool is_free(Zone zone, const Tuple& original, const Tuple& sent, Timestamp now) const;

  /// Gives     how many translated connections are in the table, expired ones included.
  std::size_t translated() const { return translated_; }
  std::size_t size() const { return connections_.size(); }

  /// Gives     the latest to open, and forgets that it was.
  std::vector<ConnectionHandle> take_opened() { return std::exchange(opened_, {}); }

  const std::string& wrong() const { return wrong_; }  ///< empty: nothing yet

 private:
  using Key = std::pair<Zone, Tuple>;  ///< of a tuple and the one that goes back

  static Key key(Zone zone, const Tuple& tuple);
  void created(const ConnectionInfo& info);
  void destroyed(const ConnectionInfo& info);
  const NatConnection* holder(const Key& key, Timestamp now) const;

  std::map<std::uint64_t, NatConnection> connections_;  ///< by order of opening
  std::map<ConnectionHandle, std::uint64_t> by_handle_;
  std::map<Key, std::uint64_t> by_tuple_;
  std::vector<ConnectionHandle> opened_;
  std::uint64_t next_ = 0;
  std::size_t translated_ = 0;
  std::string wrong_;
};

}  // namespace uct::model
