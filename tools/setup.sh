# shellcheck shell=bash disable=SC2034  # the variables are the callers'
# What test.sh and demo.sh share: the Debian packages they need, and steps that print one line each.
# Sourced, never run. The caller has set -euo pipefail, stands at the top of the tree and has named
# the folder for logs.
: "${log_dir:?}"

# Needed to build; then, besides, to test.
build_packages=(g++ cmake ninja-build pkg-config libpcap-dev zlib1g-dev libfmt-dev libcli11-dev
  nlohmann-json3-dev)
test_packages=("${build_packages[@]}" git python3 libgtest-dev librapidcheck-dev libbenchmark-dev
  clang-14 libclang-rt-14-dev scdoc shellcheck iproute2 nftables iputils-ping traceroute
  gnuplot-nox librsvg2-bin)
lint_packages=("${test_packages[@]}" clang-format-14 clang-tidy-14)

jobs=$(nproc)

green='' red='' yellow='' bold='' plain='' live=''
if [[ -t 1 ]]; then
  live=yes
  if [[ -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
    green=$'\e[32m' red=$'\e[31m' yellow=$'\e[33m' bold=$'\e[1m' plain=$'\e[0m'
  fi
fi
# UTF-8 of a tick, a cross and a dash, written as bytes so that any locale prints them.
tick=$'\xe2\x9c\x93' cross=$'\xe2\x9c\x97' dash=$'\xe2\x80\x93'

passed=0 failed=0 skipped=0
step_number=0

die() {
  printf '%s%s%s\n' "$red" "$*" "$plain" >&2
  exit 1
}

missing_packages() {
  local package
  for package in "$@"; do
    if [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
      printf '%s\n' "$package"
    fi
  done
}

# Installs the packages that are missing; without any it needs neither root nor a network.
install_missing() {
  command -v dpkg-query >/dev/null || {
    echo "This is not Debian or one of its children: install by hand what $* are called here."
    return 77
  }
  local missing=()
  mapfile -t missing < <(missing_packages "$@")
  if ((${#missing[@]} == 0)); then
    echo "all there: $*"
    return 0
  fi
  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || {
      echo "Missing: ${missing[*]}. As root: apt-get install ${missing[*]}"
      return 1
    }
    as_root=(sudo)
  fi
  echo "installing ${missing[*]}"
  "${as_root[@]}" apt-get update -q \
    && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -q --no-install-recommends "${missing[@]}"
}

seconds_since() {
  local microseconds=$((${EPOCHREALTIME/[.,]/} - $1))
  printf '%d.%d' $((microseconds / 1000000)) $((microseconds / 100000 % 10))
}

# One line for a finished step: mark, name, time, and what there is to say.
report() {
  local mark=$1 colour=$2 name=$3 time=$4 text=${5:-}
  printf '%s%s%s%s %-46s %8s s%s\n' "${live:+$'\r\e[K'}" \
    "$colour" "$mark" "$plain" "$name" "$time" "${text:+  $text}"
}

# step NAME COMMAND... runs the command with its output in a log, prints one line and counts it.
# Exit code 77 means skipped, for the reason in the last line. Gives the command's exit code, and
# in step_log the log's name.
step() {
  local name=$1 start=${EPOCHREALTIME/[.,]/} code=0
  shift
  step_number=$((step_number + 1))
  step_log=$log_dir/$(printf '%02d' "$step_number")-${name//[^a-zA-Z0-9]/_}.log
  if [[ -n $live ]]; then printf '  %s ...' "$name"; fi
  "$@" >"$step_log" 2>&1 </dev/null || code=$?
  local time
  time=$(seconds_since "$start")
  if ((code == 0)); then
    passed=$((passed + 1))
    report "$tick" "$green" "$name" "$time"
  elif ((code == 77)); then
    skipped=$((skipped + 1))
    report "$dash" "$yellow" "$name" "$time" "skipped: $(tail -n 1 "$step_log")"
  else
    failed=$((failed + 1))
    report "$cross" "$red" "$name" "$time" "failed with $code; the log is $step_log, its end:"
    show_tail "$step_log"
  fi
  return "$code"
}

show_tail() { tail -n 40 "$1" | sed 's/^/    /'; }

# Counts a step that has nothing to run on.
skip() {
  skipped=$((skipped + 1))
  report "$dash" "$yellow" "$1" 0.0 "skipped: $2"
}
