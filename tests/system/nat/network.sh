# shellcheck shell=bash
# The network of ../nat_programs.sh: two inside hosts, three routers, one outside host, each a
# network namespace, and the gateway between two TAP devices.
#
#     a a0 --- l1 \              gateway                                              server
#                  lan in0 === tap_gateway === out0 wan w1 ------ m0 mid m1 ------ s0
#     b b0 --- l2 /
#
#     a 10.1.1.2, fd00:1:1::2       lan's in0 10.0.0.2        gateway's outside 198.51.100.1
#     b 10.1.2.2, fd00:1:2::2       gateway's inside 10.0.0.1 wan's out0 198.51.100.254
#     wan-mid 203.0.113.1, .2       mid-server 192.0.2.1, .2  IPv6 likewise, below
#
# Sourced by nat_programs.sh; REQUIRES: $GATEWAY is the program, $WORK is a directory.

LAB_NAMESPACES="a b lan gw wan mid server"
# shellcheck source=tools/lab/lab.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../../tools/lab/lab.sh"

readonly A4=10.1.1.2 B4=10.1.2.2 A6=fd00:1:1::2 B6=fd00:1:2::2
readonly GW_IN4=10.0.0.1 GW_IN6=fd00::1 GW_OUT4=198.51.100.1 GW_OUT6=2001:db8:51::1
readonly LAN4=10.1.1.1 LAN6=fd00:1:1::1
readonly WAN4=198.51.100.254 WAN6=2001:db8:51::fe MID4=203.0.113.2 MID6=2001:db8:71::2
readonly S4=192.0.2.2 S6=2001:db8:2::2
readonly EXT4=198.51.100.2 EXT6=2001:db8:51::2 # what inside hosts hide behind

# The gateway's rules. Ports and addresses of the destination tell the cases apart.
readonly RULES=(
  # Ranges: of ports, of ICMP ids, of one port; addresses kept.
  "inside tcp dst $S4:7001 = src 198.51.100.3:34567-34568"
  "inside tcp dst [$S6]:7001 = src [2001:db8:51::3]:34567-34568"
  "inside icmp dst 192.0.2.3 = src 198.51.100.4:34567-34568"
  "inside tcp dst $S4:7003 = src 198.51.100.5:34567"
  "inside tcp dst $S4:7004 = src any"
  # Hairpin: an inside host by its external address, from inside.
  "inside tcp dst $EXT4:8080 = src $EXT4:1024-65535, dst $B4:80"
  "inside tcp dst [$EXT6]:8080 = src [$EXT6]:1024-65535, dst [$B6]:80"
  "inside udp dst $EXT4:9000 = src $EXT4:1024-65535, dst $B4:9000"
  # Port forwards; behind 9999 nobody listens.
  "outside tcp dst $EXT4:8080 = dst $B4:80"
  "outside tcp dst [$EXT6]:8080 = dst [$B6]:80"
  "outside udp dst $EXT4:9000 = dst $B4:9000"
  "outside udp dst [$EXT6]:9000 = dst [$B6]:9000"
  "outside udp dst $EXT4:9999 = dst $B4:9999"
  "outside udp dst [$EXT6]:9999 = dst [$B6]:9999"
  # Load balancing over service addresses of a and b; and both sides in one commit, from outside.
  "outside tcp dst 198.51.100.6:80 = dst 10.1.9.2-10.1.9.3:80, random"
  "outside tcp dst 198.51.100.7:80 = dst 10.1.9.2-10.1.9.3:80, persistent"
  "outside tcp dst 198.51.100.8:80 = src $GW_IN4, dst $B4:80"
  # Everything else from inside.
  "inside = src $EXT4:1024-65535"
  "inside = src [$EXT6]:1024-65535"
)
# Smaller than the devices' 1500, so that the gateway has errors of its own to send and fragments to
# cut.
readonly IN_MTU=1450 OUT_MTU=1480

# set_kernel ROLE NAME=VALUE...: as sysctl, which may not be installed.
set_kernel() {
  local role=$1
  shift
  # shellcheck disable=SC2016  # expands inside
  in_ns "$role" sh -c 'for s; do echo "${s#*=}" >"/proc/sys/net/${s%%=*}" || exit; done' - "$@"
}

make_host() {
  ip netns add "$(ns_name "$1")"
  set_kernel "$1" ipv4/conf/all/rp_filter=0 ipv4/conf/default/rp_filter=0 \
    ipv6/conf/default/accept_dad=0 ipv6/conf/default/router_solicitations=0 \
    ipv4/icmp_ratelimit=0 ipv4/icmp_msgs_per_sec=10000 ipv6/icmp/ratelimit=0
  ip -n "$(ns_name "$1")" link set lo up
}

# address ROLE DEVICE ADDRESS/LENGTH...: and the device is up.
address() {
  local role=$1 device=$2 each
  shift 2
  for each; do
    # Duplicate address detection is off (accept_dad), so that an address serves at once.
    ip -n "$(ns_name "$role")" address add "$each" dev "$device"
  done
  ip -n "$(ns_name "$role")" link set "$device" up
}

# route ROLE DESTINATION via ADDRESS...
route() {
  local role=$1
  shift
  ip -n "$(ns_name "$role")" route replace "$@"
}

make_hosts() {
  local role
  for role in $LAB_NAMESPACES; do make_host "$role"; done
  for role in lan wan mid; do set_kernel "$role" ipv4/ip_forward=1 ipv6/conf/all/forwarding=1; done
  cable a a0 lan l1
  cable b b0 lan l2
  cable wan w1 mid m0
  cable mid m1 server s0
  address lan l1 $LAN4/24 $LAN6/64
  address lan l2 10.1.2.1/24 fd00:1:2::1/64
  address a a0 $A4/24 $A6/64
  address b b0 $B4/24 $B6/64
  address a lo 10.1.9.2/32
  address b lo 10.1.9.3/32
  address wan w1 203.0.113.1/24 2001:db8:71::1/64
  address mid m0 $MID4/24 $MID6/64
  address mid m1 192.0.2.1/24 2001:db8:2::1/64
  address server s0 $S4/24 192.0.2.3/24 192.0.2.11/24 192.0.2.12/24 192.0.2.13/24 $S6/64
}

make_routes() {
  default_routes a $LAN4 $LAN6
  default_routes b 10.1.2.1 fd00:1:2::1
  route lan 10.1.9.2 via $A4
  route lan 10.1.9.3 via $B4
  default_routes lan $GW_IN4 $GW_IN6
  route wan 10.0.0.0/8 via $GW_OUT4 # for what is not translated
  default_routes wan $MID4 $MID6
  default_routes mid 203.0.113.1 2001:db8:71::1
  default_routes server 192.0.2.1 2001:db8:2::1
}

# Starts the gateway in a namespace of its own; its two devices then move to the routers.
start_gateway() {
  local rule arguments=() tries
  for rule in "${RULES[@]}"; do arguments+=(--rule "$rule"); done
  # Not through in_ns: the pid has to be the gateway's.
  ip netns exec "$(ns_name gw)" "$GATEWAY" --inside in0 --outside out0 \
    --inside-mtu $IN_MTU --outside-mtu $OUT_MTU --inside-address $GW_IN4 $GW_IN6 \
    --outside-address $GW_OUT4 $GW_OUT6 "${arguments[@]}" >"$WORK/gateway" 2>"$WORK/gateway.log" &
  GATEWAY_PID=$!
  for ((tries = 0; tries < 50; tries++)); do
    if grep -qs '^ready$' "$WORK/gateway"; then
      ip -n "$(ns_name gw)" link set in0 netns "$(ns_name lan)"
      ip -n "$(ns_name gw)" link set out0 netns "$(ns_name wan)"
      address lan in0 10.0.0.2/24 fd00::2/64
      address wan out0 $WAN4/24 $WAN6/64
      return 0
    fi
    sleep 0.1
  done
  cat "$WORK/gateway.log" >&2
  return 1
}

# Ends the gateway; its statistics are in $WORK/gateway then.
stop_gateway() {
  kill -s TERM "$GATEWAY_PID" && wait "$GATEWAY_PID"
}

# counted NAME: what the gateway counted; 0 for a reason that never was.
counted() {
  local value
  value=$(sed -n "s/^$1 //p" "$WORK/gateway")
  printf '%s' "${value:-0}"
}
