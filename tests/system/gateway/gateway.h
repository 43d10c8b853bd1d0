/// A router with translation between two TAP devices, for tests with real programs.
///
/// It asks no routing table: what comes from outside goes inside; what comes from inside goes
/// outside, unless it is for an external address, whose host is inside (hairpin). Each side has one
/// neighbour, the kernel's end of the device. It passes what the tracker knows and drops the rest.
/// Relies on uct/tracker.h and the files beside it; made by tap_gateway.cc.
/// Threads   one thread, but for stop().
#pragma once

#include <array>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include <uct/tracker.h>

#include "answers.h"
#include "rules.h"
#include "tap.h"
#include "wire.h"

namespace uct::gateway {

struct SideOptions {
  std::string device;
  std::vector<Address> addresses;  ///< the gateway's own, on this side
  std::size_t mtu = 1500;
};

struct Options {
  std::array<SideOptions, 2> sides;  ///< by Side
  std::vector<Rule> rules;
};

/// What became of frames, by the side that they came from.
struct Counters {
  std::uint64_t read = 0;
  std::uint64_t sent_on = 0;       ///< packets, not the fragments they were cut into
  std::uint64_t cut = 0;           ///< sent on in fragments
  std::uint64_t answered = 0;      ///< neighbours that asked for an address of ours
  std::uint64_t hop_limit = 0;     ///< time exceeded
  std::uint64_t too_big = 0;       ///< fragmentation needed, packet too big
  std::uint64_t not_ours = 0;      ///< multicast, other protocols, for another host
  std::uint64_t for_us = 0;        ///< for an address of ours, and translated to none behind us
  std::uint64_t invalid = 0;       ///< the tracker says so
  std::uint64_t refused = 0;       ///< the tracker cannot take the connection
  std::uint64_t unasked = 0;       ///< from outside, of no connection, and no rule is for it
  std::uint64_t held = 0;          ///< fragments before their first one; they count when they leave
  std::uint64_t write_failed = 0;  ///< the kernel's end did not take it
};

class Gateway final : private FragmentSink {
 public:
  /// error() says what went wrong.
  explicit Gateway(Options options);

  const std::string& error() const { return error_; }

  /// Moves frames until `stop` is set.
  void run(const volatile std::sig_atomic_t& stop);

  const Counters& counters(Side side) const { return legs_[static_cast<std::size_t>(side)].count; }
  const Tracker& tracker() const { return *tracker_; }

 private:
  /// One side of the gateway.
  struct Leg {
    SideOptions options;
    std::unique_ptr<Tap> tap;
    Mac mac{};  ///< ours
    Counters count;
  };
  /// A packet of a burst on its way.
  struct Passage {
    Frame* frame = nullptr;
    Side to = Side::outside;
    NatId nat = NatId::none;
    bool commit = false;
  };
  static constexpr std::size_t kBurst = 64;

  Leg& leg(Side side) { return legs_[static_cast<std::size_t>(side)]; }
  bool is_ours(Side side, const Address& address) const;
  const Address& own_address(Side side, Family family) const;
  bool make_tracker();
  bool make_leg(Side side);
  std::size_t read_burst(Leg& leg);
  void handle_burst(Side from, std::size_t count);
  bool accept(Side from, Frame& frame, Passage& passage);
  void choose_rule(Side from, const IpHeader& header, Passage& passage) const;
  void track(Side from, std::span<const Passage> run, Timestamp now, std::span<Verdict> verdicts);
  void send_on(Side from, const Passage& passage, const Verdict& verdict);
  void on_fragment(const HeldFragment& fragment) noexcept override;
  bool may_pass(Leg& from, const Verdict& verdict) const;
  void answer_error(Side from, const Frame& frame, const IpHeader& header, RouterError error,
                    std::size_t mtu);

  Options options_;
  std::array<Leg, 2> legs_;
  std::unique_ptr<Tracker> tracker_;
  std::array<Frame, kBurst> frames_;
  std::string error_;
};

}  // namespace uct::gateway
