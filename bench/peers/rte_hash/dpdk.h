/// DPDK for one thread that uses its memory and nothing else of it: no devices, no privileges, no
/// files that another process could see, no huge pages set aside by the administrator.
///
/// The kernel's transparent huge pages take their place, in a heap of ours that DPDK is lent. What
/// had to be found out for it: --no-huge makes memory "legacy", which does not go with --in-memory,
/// so --no-shconf says the same; and a heap lent in pages of 2 MiB may be of any memory.
///
/// Relies on huge_pages.h and libdpdk; used by main.cc.
/// Threads   one object a process; the thread that makes it.
#pragma once

#include <cstddef>

#include "bench/peers/huge_pages.h"

namespace uct::bench::rte_hash {

class Dpdk {
 public:
  /// Errors    std::runtime_error; DPDK's own words are on standard error by then.
  explicit Dpdk(std::size_t heap_bytes);
  Dpdk(const Dpdk&) = delete;
  Dpdk& operator=(const Dpdk&) = delete;
  ~Dpdk();

  /// Gives     the number by which the heap is asked for memory.
  int socket() const { return socket_; }

 private:
  HugePages heap_;  ///< first, because it must be there when DPDK ends
  int socket_ = 0;
};

}  // namespace uct::bench::rte_hash
