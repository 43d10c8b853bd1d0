# shellcheck shell=bash
# ICMP and the path: ping, traceroute, unreachable places, small MTUs, fragments.

session ping "ping over IPv4 and IPv6, five each, and two pings at once"
run_ping() {
  local pid
  client ping -q -c 5 -i 0.2 "$SERVER4"
  client ping -q -c 5 -i 0.2 "$SERVER6"
  client ping -q -c 3 -i 0.2 "$SERVER4" &
  pid=$!
  client ping -q -c 3 -i 0.2 "$SERVER4"
  wait $pid
}

session ping-fragments "ping -s 4000 over IPv4 and IPv6: three fragments each way"
run_ping_fragments() {
  client ping -q -c 3 -i 0.2 -s 4000 "$SERVER4"
  client ping -q -c 3 -i 0.2 -s 4000 "$SERVER6"
}

session ping-options "ping with IPv4 options: record route, timestamps"
run_ping_options() {
  client ping -q -c 2 -i 0.2 -R "$SERVER4"
  client ping -q -c 2 -i 0.2 -T tsonly "$SERVER4"
  client ping -q -c 2 -i 0.2 -T tsandaddr "$SERVER4"
}

session ping-errors \
  "ping to no network, to an absent host and with a too small TTL: the router answers with errors"
run_ping_errors() {
  refused client ping -q -c 2 -i 0.2 -W 1 203.0.113.9
  refused client ping -q -c 2 -i 0.2 -W 1 2001:db8:3::9
  refused client ping -q -c 1 -W 5 198.51.100.99
  refused client ping -q -c 1 -W 5 2001:db8:2::99
  refused client ping -q -c 2 -i 0.2 -W 1 -t 1 "$SERVER4"
  refused client ping -q -c 2 -i 0.2 -W 1 -t 1 "$SERVER6"
}

session traceroute "traceroute over IPv4: UDP, ICMP and TCP probes"
run_traceroute() { traces "$SERVER4"; }

session traceroute-v6 "traceroute over IPv6: UDP, ICMP and TCP probes"
run_traceroute_v6() { traces "$SERVER6"; }

traces() {
  serve server 80 python3 "$LAB/web.py" :: 80
  client traceroute -n -w 1 -U "$1"
  client traceroute -n -w 1 "$1"
  client traceroute -n -w 1 -I "$1"
  client traceroute -n -w 1 -T -p 80 "$1"
  client traceroute -n -w 1 -T -p 81 "$1"
}

session pmtu "curl uploads through an MTU of 1400: fragmentation needed and packet too big"
run_pmtu() {
  router ip link set r1 mtu 1400
  serve server 80 python3 "$LAB/web.py" :: 80
  head -c 12000 /dev/zero | tr '\0' 'x' >"$WORK/upload"
  fetch --data-binary "@$WORK/upload" -H 'Expect:' "http://$SERVER4/upload"
  fetch --data-binary "@$WORK/upload" -H 'Expect:' "http://[$SERVER6]/upload"
}

session udp-fragments "socat sends and gets back 5000 octets in one UDP datagram, IPv4 and IPv6"
run_udp_fragments() {
  serve server 7/udp socat UDP6-RECVFROM:7,fork,ipv6only=0 EXEC:cat
  head -c 5000 /dev/zero | client socat -b 8000 -t 1 - "UDP4:$SERVER4:7" >/dev/null
  head -c 5000 /dev/zero | client socat -b 8000 -t 1 - "UDP6:[$SERVER6]:7" >/dev/null
}

session multicast "socat joins and leaves a group, the router sends to it: IGMP and MLD"
run_multicast() {
  launch client socat -u UDP4-RECVFROM:5000,ip-add-membership=233.252.0.1:c0,fork -
  launch client python3 "$LAB/peers.py" join6 ff0e::db8:1 5001 c0 3
  sleep 0.5
  echo hello | router socat -u - "UDP4-DATAGRAM:233.252.0.1:5000,ip-multicast-if=$ROUTER4"
  echo hello | router socat -u - "UDP6-DATAGRAM:[ff0e::db8:1]:5001,so-bindtodevice=r0"
  end_processes_of client
  sleep 0.5
}

# end_processes_of ROLE: as end_processes, but in one namespace only.
end_processes_of() {
  local pids
  pids=$(ip netns pids "$(ns_name "$1")")
  # shellcheck disable=SC2086  # a list of numbers
  kill $pids 2>/dev/null || true
}
