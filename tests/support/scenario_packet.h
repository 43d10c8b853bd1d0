/// From a packet statement to the bytes that a tracker sees.
///
/// Threads   none; a Frame owns its bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <uct/packet.h>

#include "tests/support/scenario.h"
#include "tests/support/scenario_bytes.h"
#include "tests/support/scenario_run.h"
#include "tests/support/scenario_transport.h"

namespace uct::scenario {

struct Frame {
  Bytes bytes;
  std::uint32_t wire_size = 0;  ///< see Packet::wire_size
  LinkType link = LinkType::ethernet;
  ChecksumStatus ip_checksum = ChecksumStatus::unknown;
  ChecksumStatus transport_checksum = ChecksumStatus::unknown;
  Bytes translated;        ///< what it must have become when the tracker is done; empty for any
  bool open = false;       ///< what it must become is the tracker's choice: see settle()
  std::size_t number = 0;  ///< how many packets of the file come before it
  std::size_t network_offset = 0;

  /// Gives     a view that lives as long as this frame stays where it is.
  /// Translations write through it.
  Packet packet();
};

/// Makes the packets of one scenario in order, and remembers them for the errors about them.
class FrameMaker {
 public:
  FrameMaker(const Scenario& scenario, const Variant& variant)
      : scenario_(scenario), variant_(variant) {}

  Frame make(const Statement& statement);

  /// Takes what the tracker made of an open frame for what it must become, if it may: addresses and
  /// ports are believed, everything else is made anew and still to be compared.
  ///
  /// Gives     what is wrong; empty when the choice is allowed, and for frames that are not open.
  std::string settle(Frame& frame);

 private:
  struct Sent {
    Bytes ip;
    std::size_t transport_offset = 0;
  };

  Frame build(const Statement& statement, Sent& sent) const;
  Statement with_plain_ends(const Statement& statement) const;
  void leave(Frame& frame);
  Bytes quote(const Statement& statement) const;
  Sent make_ip(const Statement& statement, const Ends& ends, const Bytes& transport) const;

  const Scenario& scenario_;
  const Variant& variant_;
  std::vector<Sent> sent_;
  std::vector<Sent> left_;  ///< the same packets as they left the tracker, as far as the file says
  std::vector<Statement> left_statements_;  ///< likewise
};

}  // namespace uct::scenario
