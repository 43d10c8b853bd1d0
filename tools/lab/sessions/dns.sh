# shellcheck shell=bash
# DNS and DHCP: dnsmasq and its clients.

# ask ADDRESS DIG-ARGUMENTS...
ask() { client dig +tries=1 +time=3 "@$1" "${@:2}"; }

dns_server() {
  local filler
  filler=$(printf 'x%.0s' {1..200})
  serve server 53/udp dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root \
    --no-resolv --no-hosts --pid-file= --log-facility=- --local=/example.test/ \
    --host-record="www.example.test,$SERVER4,$SERVER6" \
    --cname=web.example.test,www.example.test --mx-host=example.test,www.example.test,10 \
    --txt-record="big.example.test,$filler,$filler,$filler,$filler,$filler,$filler,$filler"
}

session dns \
  "dig over UDP and TCP, IPv4 and IPv6: A, AAAA, CNAME, MX, NXDOMAIN, a truncated answer \
asked again over TCP"
run_dns() {
  local address
  dns_server
  for address in $SERVER4 $SERVER6; do
    ask "$address" www.example.test A
    ask "$address" www.example.test AAAA
    ask "$address" web.example.test A
    ask "$address" example.test MX
    ask "$address" missing.example.test A
    ask "$address" +tcp www.example.test A
    ask "$address" +bufsize=512 big.example.test TXT
  done
}

session dns-burst "dig: twelve questions at once from as many ports" nano=yes
run_dns_burst() {
  local turn pids=()
  dns_server
  for turn in {1..12}; do
    ask "$SERVER4" "host$turn.example.test" A &
    pids+=($!)
  done
  wait "${pids[@]}"
}

session dhcp \
  "busybox udhcpc gets an address from dnsmasq on the router, renews it and gives it back"
run_dhcp() {
  # What udhcpc calls at each step: takes the address, gives it up again.
  cat >"$WORK/lease" <<'TEXT'
#!/bin/sh
case $1 in
  bound | renew) ip address replace "$ip/24" dev "$interface" ;;
  deconfig) ip -4 address flush dev "$interface" ;;
esac
TEXT
  chmod 755 "$WORK/lease"
  serve router 67/udp dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root --port=0 \
    --pid-file= --log-facility=- --interface=r0 --dhcp-range=192.0.2.100,192.0.2.110,120s \
    --dhcp-leasefile="$WORK/leases" --dhcp-authoritative --no-ping
  client ip address flush dev c0 scope global
  launch client busybox udhcpc -f -R -i c0 -s "$WORK/lease" -x hostname:lab
  sleep 2
  signal_client USR1 # renew
  sleep 1
  signal_client USR2 # release
  sleep 1
}

# signal_client SIGNAL: to the udhcpc in the client's namespace, by its pid.
signal_client() {
  local pid
  for pid in $(ip netns pids "$(ns_name client)"); do
    [[ $(tr '\0' ' ' <"/proc/$pid/cmdline") == "busybox udhcpc"* ]] && kill -s "$1" "$pid"
  done
  return 0
}
