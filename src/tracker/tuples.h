/// Tuples between keys, packets and translations.
///
/// Relies on conn/key.h, nat/rewrite.h; used by the files of this room that translate.
/// Threads   pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <uct/packet.h>

#include "base/bytes.h"
#include "conn/key.h"
#include "nat/rewrite.h"
#include "packet/parsed_packet.h"

namespace uct::core {

/// The tuple of packets of a key that end `from` sends.
template <typename Key>
Translation tuple_of(const Key& key, unsigned from) {
  Translation tuple;
  std::memcpy(tuple.source, key.address[from].data(), sizeof(key.address[0]));
  std::memcpy(tuple.destination, key.address[1 - from].data(), sizeof(key.address[0]));
  if (has_identifier(key.kind)) {
    tuple.source_port = key.port[0];
  } else if (key.kind != Kind::other) {
    tuple.source_port = big_endian(key.port[from]);
    tuple.destination_port = big_endian(key.port[1 - from]);
  }
  return tuple;
}

inline std::span<std::byte> bytes_of(const Packet& packet) { return {packet.data, packet.size}; }

}  // namespace uct::core
