# shellcheck shell=bash
# One tcpdump for one session, and the change of container afterwards.
# Sourced by record.sh; REQUIRES: lab.sh sourced, $WORK and $OUT are set.

# capture_start ROLE DEVICE [tcpdump options...]: returns once it listens.
capture_start() {
  local role=$1 device=$2 tries
  shift 2
  # A small snapshot length makes room for many frames in the buffer; no frame is longer.
  # Not through in_ns: the pid has to be that of timeout, which passes signals on.
  timeout -k 2 150 ip netns exec "$(ns_name "$role")" tcpdump -Z root \
    -n -U --immediate-mode -s 4096 -B 8192 \
    -i "$device" -w "$WORK/$SESSION.pcap" "$@" 2>"$WORK/$SESSION.tcpdump" &
  CAPTURE_PID=$!
  for ((tries = 0; tries < 50; tries++)); do
    grep -qs 'listening on' "$WORK/$SESSION.tcpdump" && return 0
    sleep 0.1
  done
  cat "$WORK/$SESSION.tcpdump" >&2
  return 1
}

# Ends tcpdump (SIGTERM: a background job of a script ignores SIGINT) and fails if the kernel lost
# packets on the way to it.
capture_stop() {
  sleep 0.4 # the last packets of the session
  kill -TERM "$CAPTURE_PID" 2>/dev/null || true
  wait "$CAPTURE_PID" || true
  grep -q '^0 packets dropped by kernel' "$WORK/$SESSION.tcpdump" && return 0
  cat "$WORK/$SESSION.tcpdump" >&2
  return 1
}

# capture_keep CONTAINER: brings the recording to $OUT in the wanted container.
capture_keep() {
  local from="$WORK/$SESSION.pcap"
  case $1 in
    pcap) cp "$from" "$OUT/$SESSION.pcap" ;;
    pcap.gz) gzip -9 -n -c "$from" >"$OUT/$SESSION.pcap.gz" ;;
    pcapng) editcap -F pcapng "$from" "$OUT/$SESSION.pcapng" ;;
    null | loop) python3 "$LAB/reframe.py" "$1" "$from" "$OUT/$SESSION.pcap" ;;
    *)
      echo "no such container: $1" >&2
      return 1
      ;;
  esac
}

# The session's file in $OUT, whatever its container; empty if there is none.
capture_file() {
  local ending
  for ending in pcap pcapng pcap.gz; do
    [[ -f $OUT/$1.$ending ]] && printf '%s' "$OUT/$1.$ending" && return 0
  done
  return 0
}

# tcpdump_read FILE ARGS...: reads through gzip where that is needed.
tcpdump_read() {
  local file=$1
  shift
  if [[ $file == *.gz ]]; then
    gzip -dc "$file" | tcpdump -n -r - "$@"
  else
    tcpdump -n -r "$file" "$@"
  fi
}

capture_packets() { tcpdump_read "$1" -t 2>/dev/null | grep -c '^[^[:space:]]' || true; }
capture_bytes() { stat -c %s "$1"; }
capture_date() { tcpdump_read "$1" -c 1 -tttt 2>/dev/null | head -n 1 | cut -d ' ' -f 1; }

# The link type's name as tcpdump prints it: EN10MB, LINUX_SLL2, RAW, ...
capture_link() {
  tcpdump_read "$1" -c 1 2>&1 >/dev/null | sed -n 's/.*link-type \([A-Z0-9_]*\).*/\1/p' | head -n 1
}
