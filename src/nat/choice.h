/// What a connection's tuple becomes: the candidates, best first, until one is free.
///
///   kept        the ports as they are, when the spec allows it
///   crowded     where there is a crowd (nat/crowds.h): ports that may be free, of the source's
///               class, then others
///   drawn       else some ports at random: one of them is free unless most are taken; when none
///               is, a crowd is made of them
///   walked      where there can be no crowd: every such port
///
/// and so on with the next address: a translation fails only when nothing is free.
///
/// Only what may change changes: the source's port where the source is translated or must give way
/// to another connection, the destination's port where the spec has a range for it.
///
/// Relies on packet, nat/plan.h, nat/crowds.h, nat/rewrite.h; used by tracker, which asks its table
/// whether a candidate is free.
/// Threads   a value; belongs to whoever opens the connection.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "base/siphash.h"
#include "nat/crowds.h"
#include "nat/plan.h"
#include "nat/rewrite.h"
#include "packet/parsed_packet.h"

namespace uct::core {

/// What a choice begins with: hashes, which are made faster for several packets side by side.
struct NatDraw {
  std::uint64_t nonce = 0;
  std::optional<std::uint64_t> first;  ///< the first random number, where one is needed mostly
  std::uint64_t address = 0;           ///< by which an address is chosen, where that is not random
};

/// Makes the draws of at most kHashLanes packets; nonces are `nonce` and those that follow.
void draw(const NatPlan& plan, std::span<const ParsedPacket* const> packets, const HashKey& secret,
          std::uint64_t nonce, NatDraw* draws);

/// Random numbers of one choice, which nobody can foresee who does not know the key.
class NatRandom {
 public:
  NatRandom(const HashKey& secret, std::uint64_t nonce) : secret_(secret), words_{nonce, 0} {}
  NatRandom(const HashKey& secret, const NatDraw& draw)
      : secret_(secret), words_{draw.nonce, 0}, first_(draw.first) {}
  std::uint64_t next() {
    ++words_[1];
    const auto known = std::exchange(first_, std::nullopt);
    return known ? *known : siphash13<2>(words_, secret_);
  }
  /// Gives     a number below `bound`, which fits in 32 bits; the bias is below bound / 2^32.
  std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>((next() >> 32) * bound >> 32);
  }

 private:
  const HashKey& secret_;
  std::uint64_t words_[2];
  std::optional<std::uint64_t> first_;  ///< until it was asked for
};

class NatChoice {
 public:
  /// `packet` opens the connection; its family is the plan's.
  NatChoice(const NatPlan& plan, const ParsedPacket& packet, Zone zone, const HashKey& secret,
            const NatDraw& draw, Crowds& crowds);

  /// Gives     false when there are no more candidates; none comes twice, but that a drawn one may
  ///           come again when all are walked.
  bool next(Translation& candidate);

  /// Gives     whether the latest candidate is one of many that are as good.
  bool has_equals() const { return of_crowd_ || is_drawn_; }

  /// The latest candidate was neither entered in the table nor found there.
  void give_back(const Translation& candidate);

 private:
  using Words = std::array<std::uint32_t, 4>;

  /// A range of ports.
  struct Walk {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };

  enum class Stage : std::uint8_t { kept, crowded, drawn, walked, done };

  static constexpr std::uint32_t kDraws = 2;
  static constexpr std::uint32_t kCrowdPorts = 128;  ///< fewer are walked as fast

  void choose_addresses(std::uint64_t hash);
  void begin_address();
  bool fill_addresses();
  void begin_walk();
  bool next_address();
  Stage first_look() const;
  CrowdKey crowd_of(const Translation& candidate) const;
  bool is_not_free(const Translation& candidate);
  bool keep(Translation& candidate);
  bool draw(Translation& candidate);
  bool take_of_crowd(Translation& candidate);
  bool walk(Translation& candidate);
  bool may_keep() const;
  std::uint16_t& varied_port(Translation& candidate) const;

  const NatPlan& plan_;
  const ParsedPacket& packet_;
  const Zone zone_;
  NatRandom random_;
  Crowds& crowds_;
  bool has_ports_ = false;           ///< ports or an ICMP id
  bool varies_destination_ = false;  ///< its port is drawn and walked, not the source's
  bool may_crowd_ = false;           ///< the source's port varies, and widely
  bool is_drawn_ = false;            ///< the latest candidate has a random port
  bool of_crowd_ = false;            ///< the latest candidate was taken out of a crowd
  bool is_possible_ = false;         ///< the addresses can be translated
  Translation kept_;                 ///< the addresses of now, and ports as they are
  std::array<Walk, 2> walks_{};      ///< those preferred, then the rest
  std::uint32_t walk_ = 0;
  std::uint32_t step_ = 0;
  std::uint32_t start_ = 0;           ///< where the walk began
  std::uint32_t source_address_ = 0;  ///< places in the plan's ranges
  std::uint32_t destination_address_ = 0;
  std::uint32_t addresses_left_ = 0;
  std::uint32_t draws_left_ = kDraws;
  Stage stage_ = Stage::kept;
};

}  // namespace uct::core
