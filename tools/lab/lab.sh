# shellcheck shell=bash
# The lab: three network namespaces in a row, made new for every session.
#
#     client c0 ------- r0 router r1 ------- s0 server
#     192.0.2.2         .1        .1         198.51.100.2
#     2001:db8:1::2     ::1       ::1        2001:db8:2::2
#
# 203.0.113.0/24 and 2001:db8:3::/48 have no route on the router unless a
# session adds one: they serve as "unreachable" and as tunnel addresses.
# Names end in the pid of the script, so two recordings can run side by side.
# Sourced by record.sh; REQUIRES: $WORK is a directory, $SESSION is set. What needs neither of them
# serves tests/system too, whose namespaces are others.

readonly CLIENT4=192.0.2.2 CLIENT6=2001:db8:1::2
readonly ROUTER4=192.0.2.1 ROUTER6=2001:db8:1::1
readonly SERVER4=198.51.100.2 SERVER6=2001:db8:2::2
readonly LAB_NAMESPACES=${LAB_NAMESPACES:-client router server}

# The namespace's name for a role (client, router, server).
ns_name() { printf 'uct-%s-%d' "$1" "$$"; }

# in_ns ROLE CMD...: runs CMD there, ended after $LIMIT seconds (default 60).
in_ns() {
  local role=$1
  shift
  timeout -k 2 "${LIMIT:-60}" ip netns exec "$(ns_name "$role")" "$@"
}

client() { in_ns client "$@"; }
router() { in_ns router "$@"; }
server() { in_ns server "$@"; }

# Turns off everything that would let a frame leave larger than the MTU or with
# its checksum left to hardware that does not exist.
offloads_off() {
  in_ns "$1" ethtool -K "$2" tx off rx off gro off gso off tso off >/dev/null 2>&1
}

# configure ROLE DEVICE MAC V4/LEN V6/LEN: one end of a cable, ready to use.
configure() {
  local role=$1 device=$2 mac=$3 v4=$4 v6=$5
  in_ns "$role" ip link set "$device" address "$mac"
  offloads_off "$role" "$device"
  in_ns "$role" ip address add "$v4" dev "$device"
  in_ns "$role" ip address add "$v6" dev "$device" nodad
  in_ns "$role" ip link set "$device" up
}

# Kernel settings that keep captures short: no address detection, no router
# solicitations, membership reports at once, every ICMP error answered.
quiet_kernel() {
  local role=$1
  in_ns "$role" sysctl -q -w \
    net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
    net.ipv4.conf.default.igmpv3_unsolicited_report_interval=10 \
    net.ipv6.conf.default.mldv2_unsolicited_report_interval=10 \
    net.ipv6.conf.default.accept_dad=0 \
    net.ipv6.conf.default.router_solicitations=0 \
    net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_msgs_per_sec=10000 \
    net.ipv6.icmp.ratelimit=0
  in_ns "$role" ip link set lo up
}

# cable ROLE DEVICE ROLE DEVICE: a veth pair between two namespaces.
cable() {
  ip link add "$2" netns "$(ns_name "$1")" type veth \
    peer name "$4" netns "$(ns_name "$3")"
}

lab_up() {
  local role
  for role in $LAB_NAMESPACES; do
    ip netns add "$(ns_name "$role")"
    quiet_kernel "$role"
  done
  router sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  cable client c0 router r0
  cable router r1 server s0
  configure router r0 02:00:00:00:01:01 $ROUTER4/24 $ROUTER6/64
  configure router r1 02:00:00:00:02:01 198.51.100.1/24 2001:db8:2::1/64
  configure client c0 02:00:00:00:01:02 $CLIENT4/24 $CLIENT6/64
  configure server s0 02:00:00:00:02:02 $SERVER4/24 $SERVER6/64
  default_routes client $ROUTER4 $ROUTER6
  default_routes server 198.51.100.1 2001:db8:2::1
  sleep 0.4 # membership reports of the new addresses go out before we listen
}

# default_routes ROLE V4 V6
default_routes() {
  in_ns "$1" ip route replace default via "$2"
  in_ns "$1" ip -6 route replace default via "$3"
}

# Ends every process inside our namespaces, by pid: first asked, then forced.
end_processes() {
  local role signal pids
  for signal in TERM KILL; do
    pids=""
    for role in $LAB_NAMESPACES; do
      pids+=" $(ip netns pids "$(ns_name "$role")" 2>/dev/null | tr '\n' ' ' || true)"
    done
    [[ -n ${pids// /} ]] || return 0
    # shellcheck disable=SC2086  # a list of numbers
    kill -s "$signal" $pids 2>/dev/null || true
    sleep 0.2
  done
}

# Safe to call at any time, also half way through lab_up and twice.
lab_down() {
  local role
  end_processes
  for role in $LAB_NAMESPACES; do
    ip netns delete "$(ns_name "$role")" 2>/dev/null || true
  done
}

# launch ROLE CMD...: a program in the background until the session ends.
launch() {
  local role=$1
  shift
  LIMIT=150 in_ns "$role" "$@" >>"$WORK/$SESSION.server.log" 2>&1 </dev/null &
  disown
}

# serve ROLE PORT[/udp] CMD...: launch, then wait until the port is open.
serve() {
  local role=$1 port=${2%/*} kind=-t tries
  [[ $2 == */udp ]] && kind=-u
  shift 2
  launch "$role" "$@"
  for ((tries = 0; tries < 50; tries++)); do
    [[ -n $(in_ns "$role" ss -Hln $kind "sport = :$port") ]] && return 0
    sleep 0.1
  done
  echo "nothing listens on port $port in $role: $*" >&2
  return 1
}

# wire ROLE DEVICE ARGS...: wire.py makes DEVICE in ROLE; waits for it.
wire() {
  local role=$1 device=$2 tries
  shift 2
  launch "$role" python3 "$LAB/wire.py" --name "$device" "$@"
  for ((tries = 0; tries < 50; tries++)); do
    in_ns "$role" ip link show "$device" >/dev/null 2>&1 && return 0
    sleep 0.1
  done
  echo "wire.py made no device $device in $role" >&2
  return 1
}

# retire ROLE DEVICE: the device stays a cable, but has no addresses any more,
# so that a wire.py device on top of it can take them over.
retire() {
  in_ns "$1" sysctl -q -w "net.ipv4.conf.$2.arp_ignore=1" \
    "net.ipv6.conf.$2.disable_ipv6=1"
  in_ns "$1" ip address flush dev "$2"
}

# refused CMD...: the command has to fail; that is what the session shows.
refused() {
  if "$@"; then
    echo "expected to fail: $*" >&2
    return 1
  fi
}

# skip REASON: leaves the session; record.sh prints the reason.
skip() {
  printf '%s' "$*" >"$WORK/$SESSION.skip"
  exit 77
}
