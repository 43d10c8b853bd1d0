#!/usr/bin/env bash
# Real programs through translation: a gateway made of libuct between network namespaces.
#
# Each line is one check. What is checked outside is what the outside host saw. Nothing leaves the
# namespaces (nat/network.sh), which go at the end, also after a failure.
set -euo pipefail

TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
UCT=${UCT:-$TESTS/../../build/release/bin/uct}
GATEWAY=$(dirname "$UCT")/tap_gateway

usage() {
  cat <<'TEXT'
usage: nat_programs.sh
Runs TCP, UDP, ping, traceroute, fragments and path-MTU discovery through tap_gateway. UCT names the
program uct, beside which tap_gateway is. Needs root. Exit 0 all passed, 1 a check failed, 77
skipped, for the reason in the last line.
TEXT
}

skip_all() {
  echo "$1"
  exit 77
}

can_run() {
  ((EUID == 0)) || skip_all "needs root"
  if [[ ! -x $GATEWAY ]]; then
    echo "no tap_gateway beside $UCT: cmake --build build/release --target tap_gateway" >&2
    exit 1
  fi
  [[ -c /dev/net/tun ]] || skip_all "no /dev/net/tun"
  command -v ip python3 >/dev/null || skip_all "needs ip and python3"
  ip netns add "uct-probe-$$" 2>/dev/null || skip_all "ip netns does not work here"
  ip netns delete "uct-probe-$$"
}

# --- how checks are written ---------------------------------------------------------------------
passed=0 failed=0 left_out=0

report() { printf '%-7s %-66s %s\n' "$1" "$2" "$3"; }

pass() {
  passed=$((passed + 1))
  report ok "$1" "$2"
}

fail() {
  failed=$((failed + 1))
  report FAILED "$1" "$2"
}

leave_out() {
  left_out=$((left_out + 1))
  report skipped "$1" "$2"
}

# matches NAME PATTERN TEXT: one check; the whole text has to match the extended pattern.
matches() {
  if [[ $3 =~ ^($2)$ ]]; then
    pass "$1" "${3//$'\n'/, }"
  else
    fail "$1" "got '$3', wanted '$2'"
  fi
}

peer() {
  local role=$1
  shift
  in_ns "$role" python3 "$TESTS/nat/peer.py" "$@" 2>&1
}

# sees NAME PATTERN ROLE ARGUMENTS...: a client in ROLE; the server's line about it has to match.
sees() {
  local name=$1 pattern=$2
  shift 2
  matches "$name" "$pattern" "$(peer "$@" || echo "exit $?")"
}

# serves ROLE ARGUMENTS...: a server until the end. Returns once a client gets an answer.
serves() {
  local role=$1 port=$2 tries
  shift 2
  ip netns exec "$(ns_name "$role")" python3 "$TESTS/nat/peer.py" serve "$role" "$@" \
    >>"$WORK/servers.log" 2>&1 </dev/null &
  for ((tries = 0; tries < 50; tries++)); do
    peer "$role" tcp ::1 "$port" >/dev/null && return 0
    sleep 0.1
  done
  cat "$WORK/servers.log" >&2
  return 1
}

sctp_option() { if peer server has-sctp >/dev/null; then echo "--sctp 7000"; fi; }

start_servers() {
  # shellcheck disable=SC2046  # two words or none
  serves server 7000 --tcp 7000 7001 7003 7004 --udp 7000 $(sctp_option)
  serves a 80 --tcp 80
  serves b 80 --tcp 80 --udp 9000
}

# --- source translation -------------------------------------------------------------------------
readonly PORT='[0-9]+'

check_udp() {
  sees "UDP IPv4: source translated, port kept" "server $EXT4 5001" \
    a udp $S4 7000 --source-port 5001
  sees "UDP IPv6" "server $EXT6 5001" a udp $S6 7000 --source-port 5001
  # The first of them meets a gateway that has to cut, and IPv6 a packet too big.
  sees "UDP IPv4: 65,507 bytes in fragments, there and back" "server $EXT4 $PORT" \
    a udp $S4 7000 --bytes 65507
  sees "UDP IPv6: 65,527 bytes in fragments, there and back" "server $EXT6 $PORT" \
    a udp $S6 7000 --bytes 65527 --tries 4 --timeout 1
  sees "UDP IPv4: fragments that come last one first" "server $EXT4 $PORT" \
    a udp $S4 7000 --bytes 20000 --reversed
  sees "UDP IPv6: likewise" "server $EXT6 $PORT" a udp $S6 7000 --bytes 20000 --reversed
}

check_tcp() {
  sees "TCP IPv4: 4 MB there and back" "server $EXT4 5002" \
    a tcp $S4 7000 --bytes 4000000 --source-port 5002
  sees "TCP IPv6: 4 MB there and back" "server $EXT6 5002" \
    a tcp $S6 7000 --bytes 4000000 --source-port 5002
}

# The kernel gives an error to the socket whose packet it quotes, and to no other.
check_closed_ports() {
  local refused=".*ConnectionRefusedError.*"
  sees "UDP IPv4 to a closed port: the program is told" "$refused" a udp $S4 7999
  sees "UDP IPv6 to a closed port" "$refused" a udp $S6 7999
  sees "TCP IPv4 to a closed port" "$refused" a tcp $S4 7999
  sees "UDP IPv4 from outside, to a forwarded closed port" "$refused" server udp $EXT4 9999
  sees "UDP IPv6 from outside, to a forwarded closed port" "$refused" server udp $EXT6 9999
}

check_sctp() {
  if [[ -z $(sctp_option) ]]; then
    leave_out "SCTP" "this kernel has no SCTP"
    return
  fi
  sees "SCTP IPv4" "server $EXT4 $PORT" a sctp $S4 7000
  sees "SCTP IPv6" "server $EXT6 $PORT" a sctp $S6 7000
}

# Two hosts with one source port: the second gets another, while the first one's lives.
check_same_source_port() {
  local kind
  for kind in udp tcp; do
    same_source_port $kind IPv4 $S4 $EXT4
    same_source_port $kind IPv6 $S6 $EXT6
  done
}

# same_source_port KIND FAMILY ADDRESS EXTERNAL
same_source_port() {
  local first second
  first=$(peer a "$1" "$3" 7000 --source-port 5555 || true)
  second=$(peer b "$1" "$3" 7000 --source-port 5555 || true)
  matches "$1 $2 of two hosts from one source port" "server $4 5555, server $4 $PORT" \
    "$first, $second"
  matches "  the second has a port of its own" "yes" \
    "$([[ ${first##* } != "${second##* }" ]] && echo yes || echo no)"
}

# pings NAME COUNT ROLE ARGUMENTS...: every request is answered.
pings() {
  local name=$1 count=$2 role=$3 output
  shift 3
  output=$(in_ns "$role" ping -n -c "$count" -i 0.1 -W 2 "$@" 2>&1 || true)
  matches "$name" "$count packets transmitted, $count received" \
    "$(grep -o '.*packets transmitted, .* received' <<<"$output" || tail -n 1 <<<"$output")"
}

check_ping() {
  if ! command -v ping >/dev/null; then
    leave_out "ping" "not installed"
    return
  fi
  pings "ping IPv4" 3 a $S4
  pings "ping IPv6" 3 a $S6
  pings "ping IPv4, 20,000 bytes in fragments" 3 a -s 20000 $S4
  pings "ping IPv6, 20,000 bytes in fragments" 3 a -s 20000 $S6
  two_ping "with one id" $S4 "$EXT4 4242,$EXT4 $PORT" -e 4242
  two_ping "with one id" $S6 "$EXT6 4242,$EXT6 $PORT" -e 4242
  two_ping "with two ids for all" 192.0.2.3 "198.51.100.4 3456[78],198.51.100.4 3456[78]"
}

# two_ping NAME ADDRESS PATTERN [ARGUMENTS...]: a and b at the same time; the outside host sees two
# ids, in the pattern's words.
two_ping() {
  local name="a and b ping $2 $1" address=$2 pattern=$3 watcher other
  shift 3
  rm -f "$WORK/watch" "$WORK/ping" # of the pair before
  peer server watch-ping "$address" 2 >"$WORK/watch" &
  watcher=$!
  waits_for watching "$WORK/watch"
  in_ns b ping -n -c 8 -i 0.1 -W 2 "$@" "$address" >"$WORK/ping" 2>&1 &
  other=$!
  waits_for "bytes from" "$WORK/ping"
  pings "$name" 5 a "$@" "$address"
  wait $other $watcher || true
  matches "  and b" ".* 8 received.*" "$(grep received "$WORK/ping" || true)"
  matches "  and outside two ids are seen" "watching,$pattern" "$(paste -s -d , "$WORK/watch")"
}

# waits_for TEXT FILE: until it is there, at most two seconds; the check that follows tells.
waits_for() {
  local tries
  for ((tries = 0; tries < 20; tries++)); do
    if grep -qs "$1" "$2"; then return; fi
    sleep 0.1
  done
}

# traces NAME HOPS ROLE ARGUMENTS...: the addresses of all hops, in their order.
traces() {
  local name=$1 hops=$2 role=$3 output
  shift 3
  output=$(in_ns "$role" traceroute -n -q 1 -w 2 -m 8 "$@" 2>&1 || true)
  matches "$name" "${hops//./\\.}" \
    "$(awk 'NR > 1 { printf "%s%s", sep, $2; sep = " " }' <<<"$output")"
}

check_traceroute() {
  if ! command -v traceroute >/dev/null; then
    leave_out "traceroute" "not installed"
    return
  fi
  local inside4="$LAN4 $GW_IN4 $WAN4 $MID4 $S4" inside6="$LAN6 $GW_IN6 $WAN6 $MID6 $S6"
  traces "traceroute IPv4, UDP: every hop, the gateway one of them" "$inside4" a $S4
  traces "traceroute IPv6, UDP" "$inside6" a $S6
  traces "traceroute IPv4, ICMP" "$inside4" a -I $S4
  traces "traceroute IPv6, ICMP" "$inside6" a -I $S6
  traces "traceroute IPv4, TCP" "$inside4" a -T -p 7000 $S4
  # From outside, to a forwarded port behind which nobody listens: what is behind the port forward
  # hides behind the external address, routers too.
  traces "traceroute IPv4 from outside, through a port forward" \
    "192.0.2.1 203.0.113.1 $GW_OUT4 $EXT4 $EXT4" server -U -p 9999 $EXT4
  traces "traceroute IPv6 from outside, through a port forward" \
    "2001:db8:2::1 2001:db8:71::1 $GW_OUT6 $EXT6 $EXT6" server -U -p 9999 $EXT6
}

check_ranges() {
  sees "source from a range of ports, a" "server 198.51.100.3 3456[78]" a tcp $S4 7001
  sees "source from a range of ports, b" "server 198.51.100.3 3456[78]" b tcp $S4 7001
  sees "source from a range of ports, IPv6" "server 2001:db8:51::3 3456[78]" a tcp $S6 7001
  sees "a range of one port: the first connection has it" "server 198.51.100.5 34567" \
    a tcp $S4 7003 --source-port 5003
  sees "  and the second is refused" ".*TimeoutError.*" \
    b tcp $S4 7003 --source-port 5004 --timeout 1.2
  sees "all-zero range: address and port are kept" "server $A4 5005" \
    a tcp $S4 7004 --source-port 5005
}

# --- destination translation --------------------------------------------------------------------
check_port_forward() {
  sees "port forward TCP IPv4, 1 MB" "b $S4 $PORT" server tcp $EXT4 8080 --bytes 1000000
  sees "port forward TCP IPv6, 1 MB" "b $S6 $PORT" server tcp $EXT6 8080 --bytes 1000000
  sees "port forward UDP IPv4, 65,507 bytes from outside" "b $S4 $PORT" \
    server udp $EXT4 9000 --bytes 65507
  sees "port forward UDP IPv6, 65,527 bytes from outside" "b $S6 $PORT" \
    server udp $EXT6 9000 --bytes 65527 --tries 4 --timeout 1
  sees "what is not forwarded does not get in" ".*TimeoutError.*" \
    server tcp $EXT4 8081 --timeout 1.2
  sees "destination and source in one commit, from outside" "b $GW_IN4 $PORT" \
    server tcp 198.51.100.8 80 --bytes 100000
}

check_hairpin() {
  sees "hairpin TCP IPv4: a reaches b by its external address" "b $EXT4 $PORT" \
    a tcp $EXT4 8080 --bytes 1000000
  sees "hairpin TCP IPv6" "b $EXT6 $PORT" a tcp $EXT6 8080 --bytes 1000000
  sees "hairpin TCP: b reaches itself" "b $EXT4 $PORT" b tcp $EXT4 8080 --bytes 1000000
  sees "hairpin UDP, 65,507 bytes in fragments" "b $EXT4 $PORT" a udp $EXT4 9000 --bytes 65507
}

check_load_balancing() {
  local source
  matches "load balancing at random: both hosts serve" "a b " \
    "$(serving_hosts 198.51.100.6 --repeat 24)"
  for source in 192.0.2.11 192.0.2.12 192.0.2.13; do
    matches "load balancing by source: $source stays with one" "a |b " \
      "$(serving_hosts 198.51.100.7 --repeat 6 --from $source)"
  done
}

# serving_hosts ADDRESS ARGUMENTS...: the names that answer, each once.
serving_hosts() {
  local address=$1
  shift
  { peer server tcp "$address" 80 "$@" || true; } | cut -d ' ' -f 1 | sort -u | tr '\n' ' '
}

# --- path MTU -----------------------------------------------------------------------------------
# learned NAME ROLE DESTINATION MTU: the kernel in ROLE knows the MTU of the path.
learned() {
  matches "$1" "mtu $4" \
    "$(ip -n "$(ns_name "$2")" route get "$3" | grep -o 'mtu [0-9]*' || echo "no mtu")"
}

# The gateway's own MTUs are known by now, from the transfers before. A smaller hop behind it tells
# the external address, which the gateway translates back, within the quoted packet too.
check_path_mtu() {
  learned "the gateway's own error: a knows its outer MTU, IPv4" a $S4 $OUT_MTU
  learned "  IPv6" a $S6 $OUT_MTU
  learned "the gateway's own error: the server knows its inner MTU, IPv4" server $EXT4 $IN_MTU
  learned "  IPv6" server $EXT6 $IN_MTU
  route wan 192.0.2.0/24 via $MID4 mtu lock 1400
  route wan 2001:db8:2::/64 via $MID6 mtu lock 1400
  route lan $A4 dev l1 mtu lock 1380
  route lan $A6 dev l1 mtu lock 1380
  sees "TCP IPv4 with DF past a hop of 1,400 bytes, back past 1,380" "server $EXT4 $PORT" \
    a tcp $S4 7000 --bytes 1000000
  sees "TCP IPv6" "server $EXT6 $PORT" a tcp $S6 7000 --bytes 1000000
  learned "an error from outside reached a, IPv4" a $S4 1400
  learned "  IPv6" a $S6 1400
  learned "an error from inside reached the server, IPv4" server $EXT4 1380
  learned "  IPv6" server $EXT6 1380
  route lan $B4 dev l2 mtu lock 1360
  route lan $B6 dev l2 mtu lock 1360
  sees "TCP IPv4 through a port forward, past a hop of 1,360 bytes" "b $S4 $PORT" \
    server tcp $EXT4 8080 --bytes 1000000
  sees "TCP IPv6" "b $S6 $PORT" server tcp $EXT6 8080 --bytes 1000000
  learned "an error from behind the port forward reached the server, IPv4" server $EXT4 1360
  learned "  IPv6" server $EXT6 1360
  sees "hairpin TCP IPv4 past it" "b $EXT4 $PORT" a tcp $EXT4 8080 --bytes 1000000
  sees "hairpin TCP IPv6 past it" "b $EXT6 $PORT" a tcp $EXT6 8080 --bytes 1000000
  learned "an error about a hairpin reached a, IPv4" a $EXT4 1360
  learned "  IPv6" a $EXT6 1360
}

# --- what the gateway counted -------------------------------------------------------------------
# Nothing may be invalid but the last fragment of an IPv6 datagram whose other ones were too big: it
# alone gets as far as the tracker, which holds it. A checksum that is found wrong would mean that
# the kernel left it to hardware.
check_statistics() {
  stop_gateway || fail "the gateway ended with $?" "$(tail -n 3 "$WORK/gateway.log")"
  matches "nothing was invalid or refused but what had to be" "nothing" "$(
    grep '^reason_' "$WORK/gateway" \
      | grep -v '_\(fragment_held\|fragment_without_first\|nat_exhausted\) ' || echo nothing)"
  matches "all that was sent on was taken" "0 0" \
    "$(counted inside_write_failed) $(counted outside_write_failed)"
  matches "it cut packets into fragments on both sides" "[1-9][0-9]* [1-9][0-9]*" \
    "$(counted inside_cut) $(counted outside_cut)"
  matches "it held fragments" "[1-9][0-9]*" "$(counted inside_held)"
  matches "it refused the connection without a port, and no other" "[1-9][0-9]* 0" \
    "$(counted reason_nat_exhausted) $(counted outside_refused)"
  matches "packets sent on from inside, from outside" "[1-9][0-9]* [1-9][0-9]*" \
    "$(counted inside_sent_on) $(counted outside_sent_on)"
}

cleanup() {
  lab_down
  rm -rf "$WORK"
}

run() {
  WORK=$(mktemp -d)
  trap cleanup EXIT
  trap 'exit 130' INT TERM HUP
  make_hosts
  start_gateway
  make_routes
  start_servers
  local check
  for check in udp tcp closed_ports sctp same_source_port ping traceroute ranges port_forward \
    hairpin load_balancing path_mtu statistics; do
    "check_$check"
  done
  printf '%d passed, %d failed, %d skipped\n' $passed $failed $left_out
  if ((failed > 0)); then
    cat "$WORK/gateway" "$WORK/gateway.log" "$WORK/servers.log"
    exit 1
  fi
}

if (($# > 0)); then
  usage
  if [[ $1 == --help ]]; then exit 0; else exit 2; fi
fi
can_run
# Whatever hangs: it ends, and cleans up once the command ends that runs (LIMIT).
if [[ -z ${UCT_NAT_BOUNDED:-} ]]; then
  UCT_NAT_BOUNDED=yes exec timeout -k 30 60 "$0"
fi
# shellcheck source=tests/system/nat/network.sh
source "$TESTS/nat/network.sh"
LIMIT=15
run
