/// What a translation may choose, by include/uct/nat.h and docs/nat.md, written as plainly as
/// possible: sets of addresses and ports, gone through one by one.
///
/// The rules of a mode are here and nowhere else of the model: which tuples there are for an
/// opening, and (nat_model.h) when one is free.
///
/// Included by nat_model.h.
/// Threads   values only.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <uct/nat.h>

namespace uct::model {

class NatRules {
 public:
  /// For the first packet of a connection.
  NatRules(const NatSpec& spec, const Tuple& original);

  /// Gives     false when the spec is for another family, and connections stay as they are.
  bool applies() const { return applies_; }

  /// Gives     whether packets of the originator may become `sent`.
  bool allows(const Tuple& sent) const;

  /// Gives     whether an opening may be refused, where `is_free` tells what nobody has: nothing
  ///           that the spec allows is free. Where both sides are translated the destination is
  ///           chosen first, and there must be one for which every source is taken.
  bool is_exhausted(const std::function<bool(const Tuple&)>& is_free) const;

  /// Gives     whether the ports must stay when they are free: at the one address that there is.
  bool must_keep_ports() const;

  /// Gives     the originator's packets at the first addresses, with the ports that they have.
  Tuple kept() const;

 private:
  struct Ports {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    bool has(std::uint32_t port) const { return first <= port && port <= last; }
  };

  std::uint16_t source_port(const Tuple& tuple) const;
  Tuple made(const Address& source, const Address& destination, std::uint32_t source_port,
             std::uint32_t destination_port) const;

  Tuple original_;
  bool applies_ = true;
  bool is_random_ = false;
  bool destination_first_ = false;
  std::vector<Address> sources_;
  std::vector<Address> destinations_;
  Ports source_ports_;
  Ports destination_ports_;
};

}  // namespace uct::model
