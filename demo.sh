#!/usr/bin/env bash
# Builds uct and shows it at work on real captures.
set -euo pipefail

usage() {
  cat <<'EOF'
Usage: ./demo.sh [--no-install]

Installs the Debian packages that are missing, builds uct in build/demo, tracks the captures that
come with it, and translates one.

  --no-install   stop with a list instead of installing packages
  --help         this text
EOF
}

cd "$(dirname "$0")"
install=yes
for option in "$@"; do
  case $option in
    --no-install) install='' ;;
    --help | -h)
      usage
      exit 0
      ;;
    *)
      echo "demo.sh: unknown option '$option'; see ./demo.sh --help" >&2
      exit 2
      ;;
  esac
done

log_dir=build/demo-logs
rm -rf "$log_dir"
mkdir -p "$log_dir"
# shellcheck source=tools/setup.sh
source tools/setup.sh
uct=build/demo/bin/uct

title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

# Shows a command as one would type it, then runs it.
show() {
  local word line=''
  for word; do
    if [[ $word == *' '* ]]; then word="'$word'"; fi
    line+=" $word"
  done
  printf '%s$%s%s\n' "$bold" "$line" "$plain"
  "$@"
}

build_demo() {
  cmake --preset release -B build/demo -DUCT_BUILD_TESTS=OFF \
    && cmake --build build/demo --target uct -- -j "$jobs"
}

# Tracks iperf3 as somebody would who misses its large segments: soon its acknowledgements are of
# data that was never seen. Prints the first packet that is invalid for it, and the one before.
explain_one() {
  local leave_out='not (tcp and greater 1000)' number
  # grep -m 1 closes the pipe early, which is no failure of uct.
  number=$("$uct" track --packets --filter "$leave_out" tests/captures/iperf3.pcap \
    | grep -m 1 -E '^[0-9]+: .*\binv\b' | cut -d: -f1 || true)
  if [[ -z $number ]]; then die "no packet of iperf3.pcap is invalid without its large segments"; fi
  printf '%s$ %s track --packets --explain --filter "%s" tests/captures/iperf3.pcap%s\n' \
    "$bold" "$uct" "$leave_out" "$plain"
  "$uct" track --packets --explain --filter "$leave_out" tests/captures/iperf3.pcap \
    | awk -F: -v n="$number" '$1 <= n { before = last; last = $0 } $1 == n { exit }
                              END { print before; print last }' || true
}

title "Build"
if [[ -z $install ]]; then
  mapfile -t missing < <(missing_packages "${build_packages[@]}")
  if ((${#missing[@]} > 0)); then die "Missing: apt-get install ${missing[*]}"; fi
fi
step "Debian packages" install_missing "${build_packages[@]}" || (($? == 77)) || exit 1
step "build" build_demo || exit 1

title "Real captures, tracked"
for name in http dns ftp-active ping-errors killed timeout sctp; do
  show "$uct" track "tests/captures/$name.pcap"
  echo
done

title "Why is this packet invalid?"
explain_one

title "The same through a gateway with one address and four ports"
translated=build/demo/translated.pcap
show "$uct" track --nat "src 203.0.113.1:5000-5003" --write "$translated" tests/captures/http.pcap
echo
show "$uct" track "$translated"

title "How to go on"
hint() { printf '  %-53s %s\n' "$@"; }
hint "$uct track your.pcap" "the connections of a capture of your own" \
  "$uct track --packets --explain FILE" "every packet's state, and why" \
  "$uct track --events FILE" "what opened, changed and ended, in order" \
  "$uct track --nat SPEC --write OUT FILE" "the other side of a gateway" \
  "$uct track --help" "everything else" \
  "./test.sh" "build and run all tests" \
  "examples/embed/main.cc" "the tracker in a program of your own"
