#include "bench/workloads/workload.h"

#include <algorithm>
#include <array>

namespace uct::bench {

namespace {

constexpr std::array<Workload, 12> kWorkloads = {{
    {"established", "What does a packet of an established connection cost?", run_established},
    {"setup", "What does it cost to open a connection?", run_setup},
    {"crr", "What does a short connection cost: opened, asked, answered and closed?", run_crr},
    {"mixed", "What does a packet cost when not all are the easy kind?", run_mixed},
    {"sweep", "How long does a packet wait when a million connections expire at once?", run_sweep},
    {"grow", "Does the table pause packets while it grows?", run_grow},
    {"memory", "How much memory does a connection take, and is it given back?", run_memory},
    {"flood", "What does a SYN flood cost the connections that are there already?", run_flood},
    {"collide", "What do keys cost that an attacker chose to fall into one place?", run_collide},
    {"nat", "What does translation cost: a packet, an opening, the last free port?", run_nat},
    {"replay", "What does a packet of real traffic cost?", run_replay},
    {"floor", "What would a packet cost if nothing but the memory had to be waited for?",
     run_floor},
}};

}  // namespace

std::span<const Workload> workloads() { return kWorkloads; }

const Workload* find_workload(std::string_view name) {
  const auto found = std::find_if(kWorkloads.begin(), kWorkloads.end(),
                                  [&](const Workload& workload) { return workload.name == name; });
  return found == kWorkloads.end() ? nullptr : &*found;
}

}  // namespace uct::bench
