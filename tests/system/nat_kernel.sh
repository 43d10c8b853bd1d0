#!/usr/bin/env bash
# Translation by libuct against translation by the Linux kernel: the same packets for both, the same
# verdicts and the same bytes out, but for the differences that docs/differences.md lists.
#
# The kernel is that of a network namespace without a name, which goes with the process; nothing
# leaves it, and nothing outside is changed.
set -euo pipefail

TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
UCT=${UCT:-$TESTS/../../build/release/bin/uct}
FILTER=$(dirname "$UCT")/nat_pipe

usage() {
  cat <<'TEXT'
usage: nat_kernel.sh [--verbose] [--only TEXT]
Sends packets through the kernel's translation (nft) and through nat_pipe, and compares. UCT names
the program uct, beside which nat_pipe is. Needs root. Exit 0 all as listed, 1 a case failed, 77
skipped, for the reason in the last line.

  --verbose    what both said of each packet
  --only TEXT  cases with TEXT in their name
TEXT
}

skip_all() {
  echo "$1"
  exit 77
}

# A rule of each kind that the cases need, tried in a namespace that is gone at once.
translates() {
  unshare --net nft -f - <<'RULES'
table inet probe {
  chain c {
    type nat hook postrouting priority srcnat
    ct state new ct direction original meta l4proto udp snat ip to 192.0.2.1:1-2
    ct status & dnat == 0 masquerade
  }
}
RULES
}

can_run() {
  ((EUID == 0)) || skip_all "needs root"
  if [[ ! -x $FILTER ]]; then
    echo "no nat_pipe beside $UCT: cmake --build build/release --target nat_pipe" >&2
    exit 1
  fi
  command -v ip python3 unshare >/dev/null || skip_all "needs ip, python3 and unshare"
  command -v nft >/dev/null || skip_all "needs nft"
  unshare --net true 2>/dev/null || skip_all "unshare --net does not work here"
  translates || skip_all "this kernel or this nft has no translation for inet tables"
}

if [[ ${1:-} == --help ]]; then
  usage
  exit 0
fi
can_run
# Bounded in time, whatever hangs; a namespace without processes is gone.
exec timeout -k 5 60 unshare --net env PYTHONDONTWRITEBYTECODE=1 \
  python3 "$TESTS/kernel/run.py" "$FILTER" "$TESTS/../../docs/differences.md" "$@"
