#!/usr/bin/env bash
# Checks recorded captures with tshark: verify.sh [DIR]
#
# Every checksum right, no frame cut short, no address or hardware address from
# outside the lab, and no trace of this machine's name. Prints what it finds.
set -euo pipefail

LAB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
DIR=${1:-$LAB/../../tests/captures}

# Checks are off in tshark unless asked for. Reassembly stays off, so that
# each packet is judged alone.
readonly CHECKS=(-o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE
  -o udp.check_checksum:TRUE -o udplite.check_checksum:TRUE
  -o udplite.ignore_checksum_coverage:FALSE -o sctp.checksum:CRC-32C)
readonly BAD_TRANSPORT="tcp.checksum.status==0 || udp.checksum.status==0 || sctp.checksum.status==0"
readonly BAD_OTHER="ip.checksum.status==0 || icmp.checksum.status==0
  || icmpv6.checksum.status==0 || igmp.checksum.status==0"
# An ICMP error quotes a packet that may be cut, whose checksum tells nothing.
readonly QUOTES="icmp.type in {3,4,5,11,12} || icmpv6.type in {1..4}"
readonly BAD="($BAD_OTHER) || (($BAD_TRANSPORT) && !($QUOTES))"

# Documentation ranges, multicast, link-local and "no address yet".
OWN4='^(192\.0\.2|198\.51\.100|203\.0\.113|233\.252\.0|224\.0\.0)\.'
readonly OWN4+='|^0\.0\.0\.0$|^255\.255\.255\.255$'
readonly OWN6='^2001:db8:|^ff0|^fe80:|^::$'

command -v tshark >/dev/null || {
  echo "verify.sh: missing; run: apt-get install --no-install-recommends tshark" >&2
  exit 1
}

# matches FILE FILTER: how many frames the filter selects.
matches() { tshark -n -r "$1" "${CHECKS[@]}" -Y "$2" 2>/dev/null | wc -l; }

# values FILE FIELD...: every value of these fields, one a line.
values() {
  local file=$1 field arguments=()
  shift
  for field in "$@"; do arguments+=(-e "$field"); done
  tshark -n -r "$file" -T fields "${arguments[@]}" 2>/dev/null | tr -s ',\t' '\n' | sort -u |
    sed '/^$/d'
}

# foreign FILE: addresses that are not the lab's.
foreign() {
  values "$1" ip.src ip.dst ipv6.src ipv6.dst arp.src.proto_ipv4 arp.dst.proto_ipv4 |
    grep -Ev "$OWN4|$OWN6" || true
  values "$1" eth.src sll.src.eth | grep -v '^02:00:00:00:0' || true
}

# names FILE: traces of the machine that made the recording.
names() {
  local text
  text=$(if [[ $1 == *.gz ]]; then gzip -dc "$1"; else cat "$1"; fi | strings -n 4)
  grep -iwF -e "$(uname -r)" -e "$LAB" -e /tmp/tmp <<<"$text" || true
  [[ $(hostname) == lab ]] || grep -wF "$(hostname)" <<<"$text" || true
}

shopt -s nullglob
failed=0
for file in "$DIR"/*.pcap "$DIR"/*.pcapng "$DIR"/*.gz; do
  bad=$(matches "$file" "$BAD")
  cut=$(matches "$file" "frame.cap_len < frame.len")
  strange="$(foreign "$file")$(names "$file")"
  [[ $bad == 0 && $cut == 0 && -z $strange ]] && continue
  failed=1
  echo "${file##*/}: $bad wrong checksums, $cut cut short, foreign: ${strange:-none}"
done
[[ $failed != 0 ]] || echo "all captures are right"
exit $failed
