#include "cli/track_help.h"

namespace uct::cli {

namespace {

// Begins with a line end, so that every line stands where it is printed.
constexpr std::string_view kHelp = R"(
uct track - the connections in captures, every packet's state, and why

Usage: uct track [OPTIONS] FILE...

Reads pcap and pcapng files, also gzip'd; - is standard input. Each file is a
stream of its own, with a tracker of its own.

What to print (default: the connections at the end, and a summary)
  --packets              a line for each packet: its number and state flags
  --explain              with its tuple, the connection's state before and after
                         and the reason with its numbers (means --packets)
  --events               a line for each new, updated and destroyed connection,
                         as conntrack -E writes it
  -o, --output FORM      table      for people
                         wide       with more columns
                         json       an object a line (docs/json.md)
                         conntrack  as conntrack -L
                         ovs        as ovs-appctl dpctl/dump-conntrack -m -s
  --color WHEN           auto (on a terminal, unless NO_COLOR is set), always or
                         never

Which packets (the others are skipped; packets keep their numbers)
  --filter EXPR          those that match a capture filter, as tcpdump takes it
  --from POINT           from #100 (a packet's number), 90, 12.5 or 1h30m (since
                         the first packet) or 2026-11-23T10:00:00 (UTC) on
  --to POINT             up to there, the packet at that point included

How to track
  --clock CLOCK          capture: connections expire as packets' time goes on
                         frozen: time stands still, nothing expires
  --timeout NAME=TIME    set a timeout, such as tcp.established=1h; repeatable
  --zone N               the zone of all packets, 0 to 65535; 0 if not given
  --max-connections N    connections at most; 3000000 if not given
  --no-commit            judge packets, but enter no connection in the table
  --strict               acknowledgements of data never seen are invalid
  --no-seq-check         do not judge TCP sequence numbers, for captures that
                         show one direction only

How to translate
  --nat SPEC             as a gateway behind the capture's network would: the
                         addresses and ports of new connections. src RANGE,
                         dst RANGE or both with a comma between. A RANGE is an
                         address, two with - between, a prefix or the word any,
                         and maybe :PORT or :PORT-PORT. Then, with commas
                         between: hash, persistent (by source) or random, to
                         choose addresses; prefix or npt, to move a prefix;
                         profile home or profile cgn, and other words of
                         uct(1), for endpoint-independent mapping
  --write FILE           the packets as they became, as pcap; without those
                         that could not be translated

  -h, --help             this text

Examples
  uct track web.pcap
  uct track --explain --filter 'tcp port 22' web.pcap
  tcpdump -U -w - | uct track --events -
  uct track --nat 'src 198.51.100.0/28:1024-65535' --write nat.pcap lan.pcap
  uct track --nat 'src 198.51.100.0/28, profile cgn, inside 10.0.0.0/8' lan.pcap
  uct track -o json *.pcap | jq 'select(.type == "connection" and .assured)'

Exit codes: 0 done, 1 no packet matched, 2 usage, 5 a file could not be read to
its end.
)";

}  // namespace

std::string_view track_help() { return kHelp.substr(1); }

}  // namespace uct::cli
