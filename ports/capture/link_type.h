/// What the numbers of link types in capture files mean.
///
/// Included by the file formats and by filter.cc. The numbers are the LINKTYPE_ values of
/// https://www.tcpdump.org/linktypes.html.
/// Threads   pure functions.
#pragma once

#include <cstdint>

#include <uct/packet.h>

namespace uct::capture {

/// Gives     what uct parses such frames as; `unsupported` for most numbers.
LinkType link_type_of(std::uint32_t linktype);

/// Gives     libpcap's DLT_ number, which differs from the file's where systems once disagreed.
int dlt_of(std::uint32_t linktype);

}  // namespace uct::capture
