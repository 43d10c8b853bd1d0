// Question  What does translation cost: a packet, an opening, the last free port?
// Setup     One thread and the tracker, whatever `threads` and `target` say. Three parts, in each
//           of which everything that is compared takes turns:
//             nat_established.cc  acknowledgements as in `established`, of `connections` that are
//                                 translated to 16 addresses, and of as many plain ones. Replies
//                                 carry the external end (ns_per_packet, plain_ns_per_packet)
//             nat_opening.cc      first packets as in `setup`, translated and plain, and plain ones
//                                 on the design of 2016, which translates nothing
//                                 (ns_per_connection, plain_..., rival_...)
//             nat_range.cc        one external address, 64,511 ports (`connections`, when that is
//                                 less), clients with random ports: 512 new mappings around each of
//                                 five levels of use (96 at the last), for four destinations one
//                                 after the other, of which the median is given
//                                 (new_mapping_..._ns); where the first one was refused; what
//                                 refusing costs then, and what it does to established plain
//                                 connections in between (kept_percent)
//           Ratios are net of the driver.
// Cheating would be  to send replies to the inner address, to have the driver remember fewer
//           external ends than there are, to choose client ports that are free outside, to take
//           part of a range out of use, or to let refused packets in. Every flag `snat` is looked
//           at, each connection's first answer must come to its client, and no port of a range may
//           be given twice.
#include "bench/workloads/nat_traffic.h"
#include "bench/workloads/workload.h"

namespace uct::bench {

Result run_nat(const Options& asked) {
  Options options = asked;
  options.threads = 1;
  options.target = TargetKind::uct;
  options.unsteered = false;
  Result result;
  for (const auto part : {measure_nat_established, measure_nat_opening, measure_nat_range}) {
    result.wrong = part(options, result);
    if (!result.wrong.empty()) break;
  }
  return result;
}

}  // namespace uct::bench
