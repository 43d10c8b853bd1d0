/// What a spec asks for, checked, and made ready once for all connections that it translates.
///
/// Relies on nat/prefix.h; used by nat/choice.h and tracker.
/// Threads   a value that never changes.
#pragma once

#include <cstdint>
#include <optional>

#include <uct/nat.h>
#include <uct/result.h>

namespace uct::core {

/// Gives     Error::none when a tracker can do what the spec asks for.
Error check_nat(const NatSpec& spec);

struct NatPlan {
  struct Side {
    NatRange range;
    bool is_given = false;        ///< the spec has a range for it
    bool translated = false;      ///< to other addresses
    std::uint32_t addresses = 1;  ///< to choose from; those beyond 2^32 - 1 are not used
  };

  NatPlan() = default;
  /// Requires  check_nat(spec) == Error::none
  explicit NatPlan(const NatSpec& spec);

  /// Gives an address, as it stands in memory, what the side makes of it: the `place`-th of the
  /// range, another prefix, or itself.
  ///
  /// Gives     false when it cannot be translated.
  bool fill_address(const Side& side, std::uint32_t place, std::uint32_t (&words)[4]) const;

  /// Gives     whether connections of a family are translated.
  bool is_for(Family wanted) const { return !family || *family == wanted; }

  Side source;
  Side destination;
  NatSelection selection = NatSelection::hash;
  bool varies_destination_port = false;  ///< of connections with ports: it makes the difference
  std::optional<Family> family;          ///< none for a spec that keeps every address
};

}  // namespace uct::core
