# shellcheck shell=bash
# iperf3, and a transfer over a cable that loses and reorders.

session iperf3 "iperf3 over TCP: 200 kB up, then 100 kB down over IPv6"
run_iperf3() {
  serve server 5201 iperf3 -s
  client iperf3 -c "$SERVER4" -n 200K
  client iperf3 -c "$SERVER6" -R -n 100K
}

session iperf3-udp "iperf3 over UDP: 60 kB at 1 Mbit/s, 1200 octets each" nano=yes
run_iperf3_udp() {
  serve server 5201 iperf3 -s
  client iperf3 -c "$SERVER4" -u -b 1M -n 60K -l 1200
}

session lossy "curl both ways over a cable that loses 4 %, reorders 5 % and doubles 2 % of frames"
run_lossy() {
  bad_cable --loss 0.04 --reorder 0.05 --duplicate 0.02 --delay 0.002 --seed 11
  serve server 80 python3 "$LAB/web.py" :: 80
  head -c 60000 /dev/zero | tr '\0' 'x' >"$WORK/upload"
  fetch "http://$SERVER4/90000"
  fetch --data-binary "@$WORK/upload" "http://[$SERVER6]/upload"
}

# bad_cable WIRE-ARGUMENTS...: the server's end of its cable goes through wire.py.
bad_cable() {
  retire server s0
  wire server w0 --device s0 "$@"
  configure server w0 02:00:00:00:02:03 "$SERVER4/24" "$SERVER6/64"
  default_routes server 198.51.100.1 2001:db8:2::1
}
