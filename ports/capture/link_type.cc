#include "ports/capture/link_type.h"

#include <pcap/dlt.h>

namespace uct::capture {

LinkType link_type_of(std::uint32_t linktype) {
  switch (linktype) {
    case 1:
      return LinkType::ethernet;
    case 0:    // NULL: the family in the writer's byte order
    case 108:  // LOOP: the family in network order
      return LinkType::null_host;
    case 101:  // RAW
    case 12:   // DLT_RAW of most systems, which some programs write without translating it
    case 14:   // DLT_RAW of OpenBSD, likewise
      return LinkType::raw_ip;
    case 228:
      return LinkType::ipv4;
    case 229:
      return LinkType::ipv6;
    case 113:
      return LinkType::linux_cooked_v1;
    case 276:
      return LinkType::linux_cooked_v2;
    default:
      return LinkType::unsupported;
  }
}

int dlt_of(std::uint32_t linktype) {
  // 100 to 106 were given out because the DLT_ numbers that they stand for mean different things on
  // different systems; all other numbers are the same in files and in libpcap.
  switch (linktype) {
    case 12:
    case 14:
    case 101:
      return DLT_RAW;
    case 100:
      return DLT_ATM_RFC1483;
    case 102:
      return DLT_SLIP_BSDOS;
    case 103:
      return DLT_PPP_BSDOS;
    case 106:
      return DLT_ATM_CLIP;
    default:
      return static_cast<int>(linktype);
  }
}

}  // namespace uct::capture
