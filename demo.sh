#!/usr/bin/env bash
# Builds uct and shows it at work on real captures.
set -euo pipefail

usage() {
  cat <<'EOF'
Usage: ./demo.sh [--no-install]

Installs the Debian packages that are missing, builds uct in build/demo, and tracks the captures
that come with it.

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
  printf '%s$ %s%s\n' "$bold" "$*" "$plain"
  "$@"
}

build_demo() {
  cmake --preset release -B build/demo -DUCT_BUILD_TESTS=OFF \
    && cmake --build build/demo --target uct -- -j "$jobs"
}

# Prints the first invalid packet of the captures with its explanation.
explain_one() {
  local capture line number
  for capture in "${captures[@]}"; do
    # grep -m 1 closes the pipe early, which is no failure of uct.
    line=$("$uct" track --packets "$capture" 2>/dev/null \
      | grep -m 1 -E '^[0-9]+: .*\binv\b' || true)
    if [[ -n $line ]]; then
      number=${line%%:*}
      printf '%s$ %s track --packets --explain %s%s\n' "$bold" "$uct" "$capture" "$plain"
      "$uct" track --packets --explain "$capture" 2>/dev/null \
        | awk -v n="$number:" '$1 == n { print; shown = 1; next }
                               /^[0-9]+:/ { if (shown) exit }
                               shown { print }' || true
      return
    fi
  done
  echo "No packet of the captures is invalid."
}

title "Build"
if [[ -z $install ]]; then
  mapfile -t missing < <(missing_packages "${build_packages[@]}")
  if ((${#missing[@]} > 0)); then die "Missing: apt-get install ${missing[*]}"; fi
fi
step "Debian packages" install_missing "${build_packages[@]}" || (($? == 77)) || exit 1
step "build" build_demo || exit 1

shopt -s nullglob
captures=(tests/captures/*.pcap*)
if ((${#captures[@]} == 0)); then die "tests/captures holds no capture"; fi

title "Real captures, tracked"
show "$uct" track "${captures[@]}"

title "Why is this packet invalid?"
explain_one

title "How to go on"
hint() { printf '  %-50s %s\n' "$@"; }
hint "$uct track your.pcap" "the connections of a capture of your own" \
  "$uct track --packets --explain FILE" "every packet's state, and why" \
  "$uct track --events FILE" "what opened, changed and ended, in order" \
  "$uct track --help" "everything else" \
  "./test.sh" "build and run all tests" \
  "examples/embed/main.cc" "the tracker in a program of your own"
