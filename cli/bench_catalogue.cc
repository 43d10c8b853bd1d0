#include "cli/bench_catalogue.h"

#include <algorithm>
#include <array>

namespace uct::cli {

namespace {

// In the order of bench::workloads(). One-threaded workloads take no --threads and no --unsteered;
// those that report every call of all their runs together, or one run, take no --runs.
constexpr std::array<BenchEntry, 12> kEntries = {{
    {.workload = "established",
     .options = "--connections --packets --threads --runs --target --ipv6 --udp --zipf --single "
                "--unsteered --exclusive --shards",
     .example = "uct bench established --connections 1M --zipf"},
    {.workload = "setup",
     .options = "--connections --threads --runs --target --ipv6 --udp --exclusive --shards",
     .example = "uct bench setup --connections 4M --threads 2 --exclusive"},
    {.workload = "crr",
     .options = "--connections --threads --runs --target --ipv6 --exclusive --shards",
     .example = "uct bench crr --threads 2"},
    {.workload = "mixed",
     .options = "--connections --packets --threads --runs --target --ipv6 --exclusive --shards",
     .example = "uct bench mixed --connections 4M"},
    {.workload = "sweep",
     .options = "--connections --packets --threads --target --ipv6 --udp --zipf --single "
                "--unsteered --shards",
     .example = "uct bench sweep --connections 1M"},
    {.workload = "grow",
     .options = "--connections --threads --runs --target --ipv6 --udp --zipf --unsteered "
                "--exclusive --shards",
     .example = "uct bench grow --connections 4M --runs 3"},
    {.workload = "memory",
     .options = "--connections --target --ipv6 --udp --exclusive --shards",
     .example = "uct bench memory --connections 4M --ipv6"},
    {.workload = "flood",
     .options = "--connections --packets --runs --target --ipv6 --udp --zipf --exclusive --shards",
     .example = "uct bench flood --target 2016",
     .connections = 100'000,
     .connections_max = 100'000},
    {.workload = "collide",
     .options = "--connections --runs --target --exclusive --shards",
     .example = "uct bench collide --connections 100k"},
    {.workload = "nat",
     .options = "--connections --packets --runs --ipv6 --udp --zipf --exclusive --shards",
     .example = "uct bench nat --runs 3"},
    {.workload = "replay",
     .options = "--connections --packets --runs --target --exclusive --shards",
     .example = "uct bench replay web.pcap"},
    {.workload = "floor",
     .options = "--connections --packets --threads --runs --ipv6",
     .example = "uct bench floor --connections 1M"},
}};

}  // namespace

std::vector<std::string_view> BenchEntry::option_names() const {
  std::vector<std::string_view> names;
  for (std::string_view rest = options; !rest.empty();) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    names.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return names;
}

bool BenchEntry::takes(std::string_view option) const {
  const std::vector<std::string_view> names = option_names();
  return std::find(names.begin(), names.end(), option) != names.end();
}

const BenchEntry* find_bench_entry(std::string_view workload) {
  const auto found = std::find_if(kEntries.begin(), kEntries.end(), [&](const BenchEntry& entry) {
    return entry.workload == workload;
  });
  return found == kEntries.end() ? nullptr : &*found;
}

}  // namespace uct::cli
