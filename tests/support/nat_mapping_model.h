/// Random operations on a tracker with endpoint-independent mapping and on a naive model of it:
/// which external port stands for which internal one, who may come in by it, when it is free again.
///
/// What is alive is read from dumps, after a sweep, before and after each operation; what should
/// become of a packet follows from that by the rules of NatMapping, written here anew.
///
/// Included by tests/model.
/// Threads   values; one thread plays.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <uct/nat.h>

namespace uct::model {

enum class MappingVerb : std::uint8_t {
  send,     ///< a host inside to a remote one
  come_in,  ///< a remote host to an external port
  hairpin,  ///< a host inside to an external port
  answer,   ///< either end of a connection that lives
  request,  ///< Tracker::add_mapping
  release,  ///< Tracker::remove_mapping
  flush,    ///< all connections of a host inside
  advance,  ///< the clock
};

struct MappingOperation {
  MappingVerb verb = MappingVerb::send;
  std::uint32_t detail = 0;  ///< seed of everything else
};

struct MappingSequence {
  std::uint64_t seed = 0;
  std::uint32_t shards = 1;
  bool exclusive = false;
  NatSpec spec;
  std::vector<MappingOperation> operations;
};

/// Gives     the same sequence for the same seed.
MappingSequence random_mapping_sequence(std::uint64_t seed, std::size_t length);

/// How often what was tried.
struct MappingReach {
  std::uint64_t opened = 0;
  std::uint64_t kept = 0;      ///< packets of mappings that were there
  std::uint64_t filtered = 0;  ///< or sent to a port that nobody has
  std::uint64_t refused = 0;   ///< for want of ports
  std::uint64_t hairpins = 0;
  std::uint64_t answers = 0;
  std::uint64_t requested = 0;
};

struct MappingDifference {
  std::size_t operation = 0;
  std::string text;
};

/// Gives     the first difference, or nothing.
std::optional<MappingDifference> play(const MappingSequence& sequence, MappingReach& reach);

/// Gives     a short sequence that fails, as text.
std::string shrunk_failure(const MappingSequence& sequence, const MappingDifference& difference);

}  // namespace uct::model
