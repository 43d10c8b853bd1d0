/// What is measured of rte_hash: packets of established connections, and new connections.
///
/// Relies on bench/workloads and table.h; used by main.cc.
/// Threads   one.
#pragma once

#include <cstddef>

#include "bench/workloads/options.h"

namespace uct::bench::rte_hash {

/// Gives     the size of the key that the options ask for.
std::size_t key_bytes(const Options& options);

/// Measures with tables in the heap `socket`, which must have heap_bytes() of table.h.
///
/// Errors    std::runtime_error, std::bad_alloc.
Result run_established(const Options& options, int socket);
Result run_setup(const Options& options, int socket);

}  // namespace uct::bench::rte_hash
