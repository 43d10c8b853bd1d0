/// Connections as Open vSwitch prints them: `ovs-appctl dpctl/dump-conntrack -m -s`.
///
///     tcp,orig=(src=..,dst=..,sport=..,dport=..,packets=5,bytes=270),reply=(..),id=1,
///     status=SEEN_REPLY|ASSURED|CONFIRMED,timeout=118,protoinfo=(state_orig=TIME_WAIT,..)
///
/// It prints more of the Linux kernel's tracker than of its own, which fills neither counters nor
/// id and status. We fill them, and like the kernel's our one TCP state stands for both sides.
///
/// Included by report.cc.
/// Threads   pure functions.
#pragma once

#include <uct/connection.h>

#include "cli/output.h"

namespace uct::cli {

/// Appends one line, with its end.
void append_ovs(Text& out, const ConnectionInfo& info, Timestamp now);

}  // namespace uct::cli
