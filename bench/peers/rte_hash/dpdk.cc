#include "bench/peers/rte_hash/dpdk.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <rte_malloc.h>
#include <sched.h>

#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

namespace uct::bench::rte_hash {

namespace {

constexpr const char* kHeap = "uct";

/// What DPDK wants for itself, in megabytes.
constexpr const char* kOwnMemory = "64";

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + rte_strerror(rte_errno));
}

/// Gives     one logical core that floats over all processors that we may use: DPDK would pin the
///           thread to the first, where other programs' threads are not.
std::string floating_core() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof(allowed), &allowed) != 0) CPU_SET(0, &allowed);
  std::string core = "0@";
  char before = '(';
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    core += before;
    core += std::to_string(cpu);
    before = ',';
  }
  core += ')';
  return core;
}

void start() {
  rte_openlog_stream(stderr);  // standard output is for the figures
  std::vector<std::string> words = {"uct-bench-rte-hash", "--no-huge",   "-m",
                                    kOwnMemory,           "--no-shconf", "--no-pci",
                                    "--no-telemetry",     "--lcores",    floating_core(),
                                    "--log-level",        "*:error"};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  const int count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  if (rte_eal_init(count, arguments.data()) < 0) fail("DPDK does not start");
}

}  // namespace

Dpdk::Dpdk(std::size_t heap_bytes) : heap_(heap_bytes) {
  start();
  if (rte_malloc_heap_create(kHeap) != 0) fail("DPDK makes no heap");
  if (rte_malloc_heap_memory_add(kHeap, heap_.data(), heap_.size(), nullptr, 0, HugePages::kPage) !=
      0) {
    fail("DPDK does not take the heap's memory");
  }
  socket_ = rte_malloc_heap_get_socket(kHeap);
  if (socket_ < 0) fail("DPDK does not find the heap");
}

Dpdk::~Dpdk() { rte_eal_cleanup(); }

}  // namespace uct::bench::rte_hash
