/// What is done to a tracker that translates and to its naive model, as data: made at random,
/// shrunk, printed.
///
/// Operations name connections and choices by numbers, which are taken modulo what is there when
/// they are played: any part of a sequence is a sequence.
///
/// Included by nat_comparison.h; tests/model plays the sequences.
/// Threads   values only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <uct/nat.h>

namespace uct::model {

enum class NatVerb : std::uint8_t {
  open,        ///< a first packet, translated by one of the specs or by none
  burst,       ///< many of them in one call
  more,        ///< another packet of a connection's originator
  answer,      ///< one of its responder
  close,       ///< a reset or an abort of either
  wrong_side,  ///< a packet with the tuple of the other side
  error,       ///< an error about a packet of either
  force,       ///< a responder's packet with commit and force: it opens a connection of its own
  advance,     ///< the clock
  sweep,
  flush,
};

struct NatOperation {
  NatVerb verb = NatVerb::open;
  std::uint32_t pick = 0;    ///< of a connection
  std::uint32_t detail = 0;  ///< seed of everything else
};

struct NatSequence {
  std::uint64_t seed = 0;
  std::uint32_t shards = 1;
  bool exclusive = false;
  std::vector<NatSpec> specs;
  std::vector<NatOperation> operations;
};

/// Numbers of one operation.
class NatDetail {
 public:
  explicit NatDetail(std::uint64_t seed) : state_(seed + 0x9e3779b97f4a7c15U) {}

  std::uint32_t below(std::uint32_t bound) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<std::uint32_t>((state_ >> 32) % bound);
  }
  bool one_in(std::uint32_t n) { return below(n) == 0; }

  template <typename T, std::size_t kCount>
  T pick(const T (&choices)[kCount]) {
    return choices[below(kCount)];
  }

 private:
  std::uint64_t state_;
};

/// Groups of addresses.
enum class NatHost : std::uint8_t { client, server, external, target };
Address nat_address(Family family, NatHost group, std::uint32_t number);

/// Gives     the tuple of a first packet; few hosts and ports, so that tuples clash.
Tuple random_opening(NatDetail& detail);

/// Gives     the same sequence for the same seed.
NatSequence random_nat_sequence(std::uint64_t seed, std::size_t length);

std::string to_text(const NatOperation& operation);
std::string to_text(const NatSpec& spec);

}  // namespace uct::model
