#!/usr/bin/env bash
# Records real programs talking to each other, one small capture per session.
#
# Everything happens in network namespaces made for the purpose (lab.sh), which
# are removed at the end, also after a failure. Nothing reaches the machine's
# own network. What is recorded stands in sessions/*.sh, one subject a file.
set -euo pipefail

LAB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
OUT=$LAB/../../tests/captures

# The Debian packages behind the programs, as "program package" lines.
readonly NEEDS="ip iproute2
ethtool ethtool
tcpdump tcpdump
editcap wireshark-common
python3 python3
sysctl procps
nft nftables
ping iputils-ping
curl curl
openssl openssl
dig bind9-dnsutils
dnsmasq dnsmasq-base
ssh openssh-client
sshd openssh-server
vsftpd vsftpd
tftp tftp-hpa
in.tftpd tftpd-hpa
traceroute traceroute
iperf3 iperf3
socat socat
nc netcat-openbsd
busybox busybox
/usr/lib/usrsctp/client libusrsctp-examples"

usage() {
  cat <<'TEXT'
usage: record.sh [--out DIR] [--install] [SESSION...]
       record.sh --list | --table | --help

Records the sessions named (default: all) and prints one line for each.
  --out DIR   where captures go (default: tests/captures of this repository)
  --install   installs missing Debian packages first
  --list      the sessions and what each one runs
  --table     the Markdown table of the captures that are there
Needs root. Exit 0 all recorded or skipped, 1 a session failed, 2 usage.
TEXT
}

fail() {
  echo "record.sh: $1" >&2
  exit "${2:-1}"
}

# session NAME TEXT [key=value...]: declares a session; run_NAME records it.
#   at=ROLE:DEVICE  where tcpdump listens (default router:r0)
#   keep=CONTAINER  pcap, pcapng, pcap.gz, null or loop (default pcap)
#   link=NAME       link type asked of tcpdump, for the device "any"
#   nano=yes        timestamps in nanoseconds
#   late=yes        the session calls listen itself, once its devices are there
declare -A ABOUT=() OPTIONS=()
SESSIONS=()
session() {
  SESSIONS+=("$1")
  ABOUT[$1]=$2
  OPTIONS[$1]="${*:3}"
}

# option NAME KEY DEFAULT
option() {
  local word
  for word in ${OPTIONS[$1]}; do
    [[ $word == "$2="* ]] && printf '%s' "${word#*=}" && return 0
  done
  printf '%s' "$3"
}

missing_packages() {
  local program package
  while read -r program package; do
    command -v "$program" >/dev/null || printf '%s ' "$package"
  done <<<"$NEEDS"
}

# Debian starts a service as soon as it is installed; a policy that says "no"
# for the time of the installation keeps the machine as it was.
install_packages() {
  local policy=/usr/sbin/policy-rc.d made=no
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    made=yes
  fi
  # shellcheck disable=SC2086  # a list of names
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y \
    --no-install-recommends $1; } >&2 || INSTALL_FAILED=yes
  [[ $made == no ]] || rm -f "$policy"
  [[ -z ${INSTALL_FAILED:-} ]] || fail "could not install: $1"
}

require_packages() {
  local packages
  PATH=$PATH:/usr/sbin:/sbin
  packages=$(missing_packages)
  [[ -n $packages ]] || return 0
  [[ $INSTALL == yes ]] ||
    fail "missing Debian packages; run this, or add --install:
  apt-get install --no-install-recommends $packages"
  install_packages "$packages"
}

# Removes everything that this run made. Runs on every way out.
cleanup() {
  lab_down
  rm -rf "$WORK"
}

# listen NAME: starts the capture as the session's options say.
listen() {
  local at arguments=()
  at=$(option "$1" at router:r0)
  [[ -z $(option "$1" link "") ]] || arguments+=(-y "$(option "$1" link "")")
  [[ -z $(option "$1" nano "") ]] || arguments+=(--time-stamp-precision=nano)
  capture_start "${at%:*}" "${at#*:}" "${arguments[@]}"
}

# The body of one session. Runs in a subshell with errexit on.
record_body() {
  [[ $(option "$1" late no) == yes ]] || listen "$1"
  "run_${1//-/_}"
  capture_stop
}

# record NAME: prints its line; sets FAILED when the session failed.
# Must not be called where errexit is off ("if record", "record ||"): the
# subshell would not have it either, and go on after a failed command.
record() {
  local status file packets
  SESSION=$1
  lab_up
  set +e
  (
    set -e
    record_body "$1"
  ) >"$WORK/$SESSION.log" 2>&1
  status=$?
  set -e
  lab_down
  if [[ $status == 77 ]]; then
    printf '%-18s skipped: %s\n' "$1" "$(<"$WORK/$SESSION.skip")"
    return 0
  fi
  packets=$(capture_packets "$WORK/$SESSION.pcap")
  if [[ $status != 0 || $packets == 0 ]]; then
    FAILED=yes
    printf '%-18s FAILED (status %d, %d packets)\n' "$1" "$status" "$packets"
    tail -n 10 "$WORK/$SESSION"{.server,}.log >&2 || true
    return 0
  fi
  capture_keep "$(option "$1" keep pcap)"
  file=$(capture_file "$1")
  printf '%-18s %5d packets %7d bytes  %s\n' "$1" "$(capture_packets "$file")" \
    "$(capture_bytes "$file")" "${file##*/}"
}

print_list() {
  local name
  for name in "${SESSIONS[@]}"; do printf '%-18s %s\n' "$name" "${ABOUT[$name]}"; done
}

# container_words FILE: what the file is, in words.
container_words() {
  case $1 in
    *.pcapng) echo pcapng ;;
    *.gz) echo "pcap, gzip" ;;
    *) container_of_magic "$(od -An -N4 -tx1 "$1" | tr -d ' ')" ;;
  esac
}

container_of_magic() {
  case $1 in
    4d3cb2a1) echo "pcap, nanoseconds" ;;
    a1b2c3d4) echo "pcap, big-endian" ;;
    *) echo "pcap" ;;
  esac
}

print_table() {
  local name file
  echo "| file | container | link type | what was run | packets | bytes | recorded |"
  echo "|---|---|---|---|---:|---:|---|"
  for name in "${SESSIONS[@]}"; do
    file=$(capture_file "$name")
    [[ -n $file ]] || continue
    printf '| %s | %s | %s | %s | %d | %d | %s |\n' "\`${file##*/}\`" \
      "$(container_words "$file")" "$(capture_link "$file")" "${ABOUT[$name]}" \
      "$(capture_packets "$file")" "$(capture_bytes "$file")" "$(capture_date "$file")"
  done
}

parse_arguments() {
  INSTALL=no ACTION=record CHOSEN=()
  while (($# > 0)); do
    case $1 in
      --help) usage && exit 0 ;;
      --install) INSTALL=yes ;;
      --list) ACTION=list ;;
      --table) ACTION=table ;;
      --out)
        (($# > 1)) || fail "--out needs a directory" 2
        OUT=$2
        shift
        ;;
      -*) fail "unknown option $1 (see --help)" 2 ;;
      *)
        [[ -v ABOUT[$1] ]] || fail "no such session: $1 (see --list)" 2
        CHOSEN+=("$1")
        ;;
    esac
    shift
  done
  ((${#CHOSEN[@]} > 0)) || CHOSEN=("${SESSIONS[@]}")
}

record_chosen() {
  local name
  FAILED=no
  [[ $(id -u) == 0 ]] || fail "must run as root: it makes network namespaces"
  WORK=$(mktemp -d)
  trap cleanup EXIT
  trap 'exit 130' INT TERM HUP
  mkdir -p "$OUT"
  for name in "${CHOSEN[@]}"; do record "$name"; done
  [[ $FAILED == no ]]
}

# shellcheck source=tools/lab/lab.sh
source "$LAB/lab.sh"
# shellcheck source=tools/lab/capture.sh
source "$LAB/capture.sh"
for file in "$LAB"/sessions/*.sh; do
  # shellcheck source=/dev/null
  source "$file"
done

parse_arguments "$@"
case $ACTION in
  list) print_list && exit 0 ;;
  table) print_table && exit 0 ;;
esac
require_packages

# A host name of its own, so that no program can tell this machine's in a packet.
if [[ ${UCT_LAB_HOST:-} != lab ]]; then
  UCT_LAB_HOST=lab exec unshare --uts -- "$LAB/record.sh" "$@"
fi
hostname lab
record_chosen
