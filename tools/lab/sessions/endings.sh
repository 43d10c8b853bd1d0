# shellcheck shell=bash
# Connections that do not begin or do not end as they should.

session refused \
  "curl to a closed port and dig to a closed port, IPv4 and IPv6: RST and port unreachable"
run_refused() {
  refused fetch "http://$SERVER4:81/"
  refused fetch "http://[$SERVER6]:81/"
  refused client dig +tries=1 +time=1 "@$SERVER4" www.example.test
  refused client dig +tries=1 +time=1 "@$SERVER6" www.example.test
}

session scan "nc tries eleven ports of which one is open"
run_scan() {
  web "$SERVER4" 80
  client nc -n -z -w 1 "$SERVER4" 75-85 || true
}

session rejected "nft on the router rejects: RST, port unreachable, administratively prohibited"
run_rejected() {
  router nft -f - <<'TEXT'
table inet lab {
  chain forward {
    type filter hook forward priority 0;
    tcp dport 81 reject with tcp reset
    tcp dport 82 reject with icmpx admin-prohibited
    udp dport 53 reject
  }
}
TEXT
  local address
  for address in $SERVER4 "[$SERVER6]"; do
    refused fetch "http://$address:81/"
    refused fetch --max-time 3 "http://$address:82/"
  done
  refused client dig +tries=1 +time=1 "@$SERVER4" www.example.test
  refused client dig +tries=1 +time=1 "@$SERVER6" www.example.test
}

session killed "a server is killed (SIGKILL) with unread data while the client still sends"
run_killed() {
  serve server 7000 python3 "$LAB/peers.py" hold "$SERVER4" 7000
  client python3 "$LAB/peers.py" pour "$SERVER4" 7000 40 &
  local pourer=$! pid
  sleep 1
  for pid in $(ip netns pids "$(ns_name server)"); do kill -KILL "$pid"; done
  wait $pourer
}

session aborted "a server closes with SO_LINGER 0 after reading a little, IPv4 and IPv6"
run_aborted() {
  serve server 7000 python3 "$LAB/peers.py" abort "$SERVER4" 7000
  serve server 7001 python3 "$LAB/peers.py" abort "$SERVER6" 7001
  client python3 "$LAB/peers.py" pour "$SERVER4" 7000 5
  client python3 "$LAB/peers.py" pour "$SERVER6" 7001 5
}

session slow "a line a second for five seconds, then silence with keep-alive probes"
run_slow() {
  serve server 7000 python3 "$LAB/peers.py" drip "$SERVER4" 7000
  serve server 7001 python3 "$LAB/peers.py" hold "$SERVER4" 7001
  client nc -n -d "$SERVER4" 7000
  client python3 "$LAB/peers.py" keepalive "$SERVER4" 7001 5
}

session timeout \
  "the path turns into a black hole: SYNs without answer, then a connection that retransmits \
and gives up"
run_timeout() {
  client sysctl -q -w net.ipv4.tcp_syn_retries=2 net.ipv4.tcp_retries2=5
  serve server 7000 python3 "$LAB/peers.py" hold "$SERVER4" 7000
  client python3 "$LAB/peers.py" pour "$SERVER4" 7000 40 &
  local pourer=$!
  sleep 1
  router ip route add blackhole "$SERVER4/32"
  refused fetch --max-time 9 "http://$SERVER4/"
  wait $pourer
}

session half-close "nc sends a list and its FIN, sort answers afterwards; IPv4 and IPv6"
run_half_close() {
  serve server 7000 socat TCP6-LISTEN:7000,fork,reuseaddr,ipv6only=0 EXEC:sort
  printf 'c\nb\na\n' | client nc -n -N "$SERVER4" 7000
  printf 'c\nb\na\n' | client nc -n -N "$SERVER6" 7000
}

session port-reuse \
  "nc five times from one source port: the server closes first, each SYN meets its TIME_WAIT"
run_port_reuse() {
  local turn
  serve server 7000 socat TCP4-LISTEN:7000,fork,reuseaddr EXEC:'echo hello'
  for turn in 1 2 3 4 5; do
    client nc -n -d -p 40000 "$SERVER4" 7000
    sleep "0.$turn"
  done
}

session simultaneous "two sides connect to each other at one moment, and two close at one moment"
run_simultaneous() {
  local moment first second
  bad_cable --delay 0.06
  client ping -q -c 1 "$SERVER4" # so that no side waits for an address
  moment=$(($(date +%s) + 2))
  client python3 "$LAB/peers.py" cross "$CLIENT4" "$SERVER4" 7000 $moment &
  first=$!
  server python3 "$LAB/peers.py" cross "$SERVER4" "$CLIENT4" 7000 $moment &
  second=$!
  wait $first && wait $second
  moment=$(($(date +%s) + 3))
  serve server 7001 python3 "$LAB/peers.py" part-listen "$SERVER4" 7001 $moment
  client python3 "$LAB/peers.py" part-connect "$SERVER4" 7001 $moment
  sleep 0.5
}
