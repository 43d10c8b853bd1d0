/// The thing that is measured: takes bursts of packets as Tracker::process does.
///
/// Implemented by uct_target.cc and by bench/peers. A virtual call a burst is what the same
/// driver loop for all of them costs; it is in the driver's own figure too.
/// Threads   process() from any thread, unless the run is exclusive: then each from its own.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include <uct/tracker.h>

#include "bench/workloads/options.h"

namespace uct::bench {

class Target {
 public:
  virtual ~Target() = default;
  virtual void process(std::span<Packet> burst, const Request& request, Timestamp now,
                       std::span<Verdict> verdicts) = 0;

  /// Removes what expired. Gives how many.
  virtual std::uint64_t sweep(Timestamp now) = 0;

  virtual std::uint64_t connection_count() const = 0;

  /// Gives     how a request names the translation; none when the target translates nothing.
  virtual NatId add_nat(const NatSpec&) { return NatId::none; }

  /// Gives     which of `threads` threads should send this packet's connection, where the target
  ///           has a wish (Tracker::shard_of), as a dispatcher in front of workers would ask.
  virtual unsigned home(const Packet& packet, unsigned threads) const = 0;
};

/// Makes what `options` name, with room for `connections`; `events` are not used.
std::unique_ptr<Target> make_target(const Options& options, std::uint64_t connections);

/// In bench/peers/design_2016_target.cc.
std::unique_ptr<Target> make_design_2016(std::uint64_t connections);

}  // namespace uct::bench
