# shellcheck shell=bash
# Other transports, tunnels, tags and link types.

readonly SCTP=/usr/lib/usrsctp

session sctp \
  "SCTP in user space (usrsctp): a client talks to the discard and the daytime server, and \
to no server"
run_sctp() {
  launch server $SCTP/discard_server
  launch server $SCTP/daytime_server 0
  sleep 1
  { echo first && sleep 0.3 && echo second && sleep 0.3 && head -c 3000 /dev/zero | tr '\0' 'x' &&
    echo && sleep 0.5; } | LIMIT=15 client $SCTP/client "$SERVER4" 9 || true
  LIMIT=6 client $SCTP/client "$SERVER4" 13 </dev/null || true
  LIMIT=4 client $SCTP/client "$SERVER4" 99 </dev/null || true
}

session udplite \
  "UDP-Lite messages echoed, checksum over all, over the header alone and over 20 octets; \
IPv4 and IPv6"
run_udplite() {
  python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 136)' ||
    skip "this kernel has no UDP-Lite"
  launch server python3 "$LAB/peers.py" lite-echo "$SERVER4" 7000
  launch server python3 "$LAB/peers.py" lite-echo "$SERVER6" 7000
  sleep 0.5
  client python3 "$LAB/peers.py" lite-send "$SERVER4" 7000
  client python3 "$LAB/peers.py" lite-send "$SERVER6" 7000
}

# tunnel KIND: between client and server, 203.0.113.1 and .2 inside.
tunnel() {
  wire client t0 --tunnel "$1" --local "$CLIENT4" --remote "$SERVER4"
  wire server t0 --tunnel "$1" --local "$SERVER4" --remote "$CLIENT4"
  tunnel_end client 203.0.113.1 203.0.113.2
  tunnel_end server 203.0.113.2 203.0.113.1
}

# tunnel_end ROLE LOCAL REMOTE
tunnel_end() {
  in_ns "$1" sysctl -q -w net.ipv6.conf.t0.disable_ipv6=1
  in_ns "$1" ip address add "$2" peer "$3" dev t0
  in_ns "$1" ip link set t0 mtu 1400 up
}

tunnel_traffic() {
  client ping -q -c 3 -i 0.2 203.0.113.2
  serve server 80 python3 "$LAB/web.py" 203.0.113.2 80
  fetch http://203.0.113.2/3000
}

session gre "ping and curl inside a GRE tunnel"
run_gre() { tunnel gre && tunnel_traffic; }

session ipip "ping and curl inside an IP-in-IP tunnel"
run_ipip() { tunnel ipip && tunnel_traffic; }

session raw \
  "ping and curl, captured on a tun device: packets without a link header" at=server:t0 late=yes
run_raw() {
  tunnel ipip
  listen raw
  tunnel_traffic
}

# tagged TAG...: both ends of the client's cable carry the tags.
tagged() {
  local tag arguments=()
  for tag in "$@"; do arguments+=(--tag "$tag"); done
  client ip link set c0 mtu 1600
  router ip link set r0 mtu 1600
  retire client c0
  retire router r0
  wire client w0 --device c0 "${arguments[@]}"
  wire router w0 --device r0 "${arguments[@]}"
  configure router w0 02:00:00:00:01:03 "$ROUTER4/24" "$ROUTER6/64"
  configure client w0 02:00:00:00:01:04 "$CLIENT4/24" "$CLIENT6/64"
  default_routes client "$ROUTER4" "$ROUTER6"
}

session vlan "curl and ping in an 802.1Q VLAN" late=yes
run_vlan() {
  tagged 8021q:42
  listen vlan
  some_traffic
}

session qinq "curl and ping in an 802.1Q VLAN inside an 802.1ad VLAN" late=yes
run_qinq() {
  tagged 8021ad:100 8021q:42
  listen qinq
  some_traffic
}
