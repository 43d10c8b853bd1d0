#include "cli/bench_help.h"

#include "bench/workloads/workload.h"
#include "cli/bench_catalogue.h"

namespace uct::cli {

namespace {

// Begins with a line end, so that every line stands where it is printed.
constexpr std::string_view kHelp = R"(
uct bench - what a tracker costs, measured on this machine

Usage: uct bench WORKLOAD [OPTIONS]
       uct bench replay FILE [OPTIONS]
       uct bench compare [OPTIONS]
       uct bench list

A driver builds packets and hands them to a tracker of this process, with no
network in between. The figures are medians of several runs. What the driver
takes by itself is measured by the same loop with nothing behind it, and shown.
uct bench compare runs them beside their rivals; it has a --help of its own.

Workloads (uct bench list says their questions)
  established setup crr mixed sweep grow memory flood collide nat replay floor

How much
  --connections M    connections; 10k, 1M and 4M are understood. 1M if not given
  --packets P        packets a thread; the workload's own number if not given
  --threads T        threads that send; 1 if not given
  --runs N           timed runs, of which the median is reported; 5 if not given

Which packets
  --ipv6             IPv6 instead of IPv4
  --udp              UDP instead of TCP
  --zipf             a few connections have most packets, not all alike
  --single           a packet a call instead of 32

What answers them
  --target TARGET    uct, or 2016: the design of 2016 as a rival
  --shards N         parts of the table, a power of two; 4 a thread if not given
  --unsteered        any thread sends packets of any connection; if not given,
                     a connection stays on the thread that its shard belongs to
  --exclusive        a tracker without locks for each thread

  --json             an object on one line (docs/json.md)
  -h, --help         this text

Examples
  uct bench established --connections 1M
  uct bench established --connections 1M --target 2016
  uct bench setup --connections 4M --threads 2 --exclusive
  uct bench replay web.pcap
  uct bench flood --json >>results.jsonl

Exit codes: 0 done, 1 a packet was answered wrongly or the run could not be
made, so that the figures are not to be believed; 2 usage, 5 a file could not
be read or the output not be written.
)";

}  // namespace

std::string_view bench_help() { return kHelp.substr(1); }

std::string bench_list() {
  std::string text;
  for (const bench::Workload& workload : bench::workloads()) {
    text += std::string(workload.name) + "\n  " + std::string(workload.question) + "\n";
    const BenchEntry* entry = find_bench_entry(workload.name);
    if (entry != nullptr) text += "  " + std::string(entry->example) + "\n";
  }
  return text + "\nOptions: uct bench --help\n";
}

}  // namespace uct::cli
