# shellcheck shell=bash
# HTTP and HTTPS with curl, also used where a session only needs some traffic.

# web ADDRESS PORT [CERTIFICATE KEY]: our server, on the server.
web() { serve server "$2" python3 "$LAB/web.py" "$@"; }

# fetch CURL-ARGUMENTS...: curl with a fixed name and nothing from the machine.
fetch() { client curl -q -sS -o /dev/null -A lab-client --max-time 30 "$@"; }

session http \
  "curl over HTTP/1.1: three requests on one connection, a 404, a POST, an upload of 20 kB"
run_http() {
  local base=http://$SERVER4
  web "$SERVER4" 80
  fetch "$base/200" --next -sS -o /dev/null "$base/3000" --next -sS -o /dev/null "$base/40000"
  fetch "$base/missing"
  fetch -d 'name=value&other=thing' "$base/form"
  head -c 20000 /dev/zero | tr '\0' 'x' >"$WORK/upload"
  fetch --data-binary "@$WORK/upload" -H 'Expect: 100-continue' "$base/upload"
}

session http-v6 \
  "curl over HTTP/1.1 and IPv6: two requests, then three connections at once" keep=pcapng
run_http_v6() {
  local base="http://[$SERVER6]"
  web "$SERVER6" 80
  fetch "$base/100" --next -sS -o /dev/null "$base/9000"
  fetch -Z "$base/5000" --next -Z -sS -o /dev/null "$base/5001" --next -sS -o /dev/null "$base/5002"
}

session https "curl over TLS 1.3 and TLS 1.2 with a self-signed certificate"
run_https() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
    -subj /CN=www.example.test -keyout "$WORK/key" -out "$WORK/cert" 2>/dev/null
  web "$SERVER4" 443 "$WORK/cert" "$WORK/key"
  local as=(-k --resolve "www.example.test:443:$SERVER4")
  fetch "${as[@]}" https://www.example.test/3000
  fetch "${as[@]}" --tls-max 1.2 https://www.example.test/20000
}

session cooked-v1 \
  "curl and ping, captured on all devices of the client" at=client:any link=LINUX_SLL
run_cooked_v1() { some_traffic; }

session cooked-v2 \
  "curl and ping, captured on all devices of the client" at=client:any link=LINUX_SLL2 keep=pcap.gz
run_cooked_v2() { some_traffic; }

session forwarded \
  "curl and ping, captured on all devices of the router: every packet \
twice" at=router:any link=LINUX_SLL2
run_forwarded() { some_traffic; }

session null "curl and ping, framing changed afterwards to BSD null" keep=null
run_null() { some_traffic; }

session loop "curl and ping, framing changed afterwards to OpenBSD loop, big-endian" keep=loop
run_loop() { some_traffic; }

# A little of everything: TCP, UDP and ICMP over both versions of IP.
some_traffic() {
  serve server 80 python3 "$LAB/web.py" :: 80
  fetch "http://$SERVER4/3000"
  fetch "http://[$SERVER6]/3000"
  client ping -q -c 2 -i 0.2 "$SERVER4"
  client ping -q -c 2 -i 0.2 "$SERVER6"
  refused client dig +tries=1 +time=1 "@$SERVER4" www.example.test
}
