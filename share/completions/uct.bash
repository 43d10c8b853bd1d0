# Completion of uct for bash.

_uct_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

_uct_timeouts() {
  local name names=()
  for name in tcp.{first,opening,established,closing,fin_wait,closed} \
    other.{first,multiple,bidir} icmp.{first,reply} sctp.{opening,established,closing}; do
    names+=("$name=")
  done
  _uct_words "${names[*]}" "$1"
  [[ ${COMPREPLY[*]} == *= ]] && compopt -o nospace
}

_uct_track() {
  local word=$1 before=$2
  case $before in
    -o | --output) _uct_words "table wide json conntrack ovs" "$word" ;;
    --clock) _uct_words "capture frozen" "$word" ;;
    --color) _uct_words "auto always never" "$word" ;;
    --timeout) _uct_timeouts "$word" ;;
    --filter | --from | --to | --zone | --max-connections | --nat) ;;
    --write)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      ;;
    *)
      if [[ $word == -* ]]; then
        _uct_words "--packets --explain --events -o --output --color --filter --from --to --clock
          --timeout --zone --max-connections --no-commit --strict --no-seq-check --nat
          --write -h --help" "$word"
      else
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
      fi
      ;;
  esac
}

_uct_bench_compare() {
  local word=$1 before=$2
  case $before in
    --only) _uct_words "size setup crr scaling latency single memory flood collide nat" "$word" ;;
    --output)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -d -- "$word")
      ;;
    --rounds) ;;
    *) _uct_words "--output --rounds --quick --only -h --help" "$word" ;;
  esac
}

_uct_bench() {
  local word=$1 before=$2
  case $before in
    --target) _uct_words "uct 2016" "$word" ;;
    --connections) _uct_words "10k 100k 1M 4M" "$word" ;;
    --packets | --threads | --runs | --shards) ;;
    *)
      if [[ $word == -* ]]; then
        _uct_words "--connections --packets --threads --runs --target --ipv6 --udp --zipf --single
          --unsteered --exclusive --shards --json -h --help" "$word"
      elif ((COMP_CWORD == 2)); then
        _uct_words "established setup crr mixed sweep grow memory flood collide nat replay floor
          compare list" "$word"
      elif [[ ${COMP_WORDS[2]} == replay ]]; then
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
      fi
      ;;
  esac
}

_uct() {
  local word=${COMP_WORDS[COMP_CWORD]}
  local before=${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    _uct_words "track bench help version --help --version" "$word"
    return
  fi
  case ${COMP_WORDS[1]} in
    track) _uct_track "$word" "$before" ;;
    bench)
      if ((COMP_CWORD > 2)) && [[ ${COMP_WORDS[2]} == compare ]]; then
        _uct_bench_compare "$word" "$before"
      else
        _uct_bench "$word" "$before"
      fi
      ;;
    help) _uct_words "track bench help version" "$word" ;;
  esac
}

complete -F _uct uct
