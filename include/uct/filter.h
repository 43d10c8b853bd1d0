/// Which connections a dump or a flush means.
///
/// Included by tracker.h. Every field that is set must match; an empty filter matches everything.
/// Threads   values only; safe everywhere.
#pragma once

#include <cstdint>
#include <optional>

#include <uct/connection.h>

namespace uct {

/// Part of a Tuple. Unset fields match anything.
struct TupleFilter {
  std::optional<Address> source;
  std::optional<Address> destination;
  std::optional<std::uint16_t> source_port;
  std::optional<std::uint16_t> destination_port;
  std::optional<std::uint16_t> icmp_id;
  std::optional<std::uint8_t> icmp_type;
  std::optional<std::uint8_t> icmp_code;
};

struct Filter {
  std::optional<Zone> zone;
  std::optional<Protocol> protocol;
  std::optional<Family> family;
  TupleFilter original;
  TupleFilter reply;
  std::uint32_t mark = 0;
  std::uint32_t mark_mask = 0;  ///< bits of the mark that must equal `mark`
  Label label{};
  Label label_mask{};  ///< likewise
};

/// Gives     true when `info` has everything that `filter` asks for.
bool matches(const Filter& filter, const ConnectionInfo& info);

}  // namespace uct
