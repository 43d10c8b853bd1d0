#!/usr/bin/env bash
# Builds and tests everything, from a fresh clone on Debian with nothing installed.
set -euo pipefail

usage() {
  cat <<'EOF'
Usage: ./test.sh [--quick | --lint] [--fuzz SECONDS]

Installs the Debian packages that are missing, builds, and runs every test.

  --quick          release build, its tests and the style check only
  --lint           clang-format and clang-tidy over all code (slow; not part of the rest)
  --fuzz SECONDS   how long each fuzz target runs (default 20; 0 leaves them out)
  --help           this text

Each step prints one line; whole logs are in build/test-logs. The last line counts tests and steps:
N passed, M failed, K skipped. The exit code is 0 when nothing failed, 1 otherwise, 2 for a wrong
option. NO_COLOR is honoured.
EOF
}

cd "$(dirname "$0")"
mode=full
fuzz_seconds=20
while (($# > 0)); do
  case $1 in
    --quick) mode=quick ;;
    --lint) mode=lint ;;
    --fuzz)
      if [[ ! ${2:-} =~ ^[0-9]+$ ]]; then
        echo "test.sh: --fuzz needs a number of seconds, as in --fuzz 20" >&2
        exit 2
      fi
      fuzz_seconds=$2
      shift
      ;;
    --help | -h)
      usage
      exit 0
      ;;
    *)
      echo "test.sh: unknown option '$1'; see ./test.sh --help" >&2
      exit 2
      ;;
  esac
  shift
done

log_dir=build/test-logs
rm -rf "$log_dir"
mkdir -p "$log_dir"
# shellcheck source=tools/setup.sh
source tools/setup.sh

# The closing line comes whatever happens before it.
finished=''
close() {
  if [[ -z $finished ]]; then
    failed=$((failed + 1))
    printf '\n%stest.sh itself stopped early%s\n' "$red" "$plain"
  fi
  printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
  if [[ -z $finished ]] || ((failed > 0)); then exit 1; fi
}
trap close EXIT

# Sanitizers of this age need an address space that is not shuffled too widely.
fixed_addresses=()
if setarch -R true 2>/dev/null; then fixed_addresses=(setarch -R); fi

configure_and_build() {
  local preset=$1 target=$2
  shift 2
  cmake --preset "$preset" "$@" && cmake --build "build/$preset" --target "$target" -- -j "$jobs"
}

# build PRESET TARGET [CMAKE OPTION...]
build() {
  local preset=$1
  step "build $preset" configure_and_build "$@"
}

# run_ctest PRESET [CTEST OPTION...] runs the tests of a build, counts each and names what failed.
run_ctest() {
  local preset=$1 start=${EPOCHREALTIME/[.,]/} code=0
  shift
  local log=$log_dir/ctest-$preset.log results=$log_dir/ctest-$preset.xml
  if [[ -n $live ]]; then printf '  tests %s ...' "$preset"; fi
  "${fixed_addresses[@]}" ctest --test-dir "build/$preset" -j "$jobs" --output-on-failure \
    --no-tests=error --output-junit "$PWD/$results" "$@" >"$log" 2>&1 </dev/null || code=$?
  local p=0 f=0 s=0 lost='' summary='' mark=$tick colour=$green where=''
  if summary=$(python3 tools/ctest_summary.py "$results" "$log_dir/ctest-$preset.txt"); then
    read -r p f s <<<"$summary"
  fi
  # Tests that could not even start are in no result file.
  if ((code != 0 && f == 0)); then f=1 lost=yes; fi
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  if ((f > 0)); then mark=$cross colour=$red where="; the log is $log"; fi
  report "$mark" "$colour" "tests $preset" "$(seconds_since "$start")" \
    "$p passed, $f failed, $s skipped$where"
  if [[ -n $lost ]]; then show_tail "$log"; fi
  if [[ -e $log_dir/ctest-$preset.txt ]]; then sed 's/^/    /' "$log_dir/ctest-$preset.txt"; fi
}

sanitized() {
  local preset=$1 target=$2
  shift 2
  if build "$preset" "$target"; then
    run_ctest "$preset" "$@"
  else
    skip "tests $preset" "the build failed"
  fi
}

# --- fuzz targets -------------------------------------------------------------------------------
fuzz_one() {
  local name=$1 folder options=() folders=("build/fuzz/work/$1")
  mkdir -p "build/fuzz/work/$name" build/fuzz/findings
  for folder in "fuzz/corpus/$name" "fuzz/regressions/$name"; do
    if [[ -d $folder ]]; then folders+=("$folder"); fi
  done
  if [[ -e fuzz/$name.dict ]]; then options+=("-dict=fuzz/$name.dict"); fi
  # A finding's own exit code is 77, which step() takes for a skipped step.
  options+=(-max_total_time="$fuzz_seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
    -error_exitcode=1 -artifact_prefix="build/fuzz/findings/$name-")
  "${fixed_addresses[@]}" "build/fuzz/bin/${name}_fuzz" "${options[@]}" "${folders[@]}"
}

run_fuzz() {
  local targets=() target
  mapfile -t targets < <(find . -name '*_fuzz.cc' -not -path './build/*' | sort)
  if ((fuzz_seconds == 0)); then
    skip fuzz "--fuzz 0"
  elif ((${#targets[@]} == 0)); then
    skip fuzz "no *_fuzz.cc in the tree"
  elif build fuzz all; then
    for target in "${targets[@]}"; do
      target=$(basename "$target" _fuzz.cc)
      step "fuzz $target, $fuzz_seconds s" fuzz_one "$target" || true
    done
  else
    skip fuzz "the build failed"
  fi
}

# --- steps that need more than the tree ---------------------------------------------------------
run_score() {
  if [[ ! -d ../shared ]]; then
    skip score "no ../shared with captures to score against"
  elif [[ ! -x tools/score ]]; then
    skip score "no tools/score"
  else
    step "score on ../shared" env UCT="$PWD/build/release/bin/uct" tools/score || true
  fi
}

run_lab() {
  local script
  for script in tests/system/*.sh; do
    if [[ ! -e $script ]]; then
      skip "lab tests" "no tests/system/*.sh"
    elif ((EUID != 0)); then
      skip "lab $(basename "$script" .sh)" "needs root"
    else
      step "lab $(basename "$script" .sh)" env UCT="$PWD/build/release/bin/uct" "$script" || true
    fi
  done
}

check_shell_scripts() {
  local scripts=()
  mapfile -t scripts < <(git ls-files -co --exclude-standard -- '*.sh' .ci/run)
  shellcheck -x "${scripts[@]}"
}

lint_format() {
  git ls-files -co --exclude-standard -- '*.h' '*.cc' \
    | xargs -r clang-format-14 --dry-run -Werror
}

lint_tidy() {
  cmake --preset dev -DCMAKE_CXX_COMPILER=clang++-14 -B build/lint \
    && git ls-files -co --exclude-standard -- '*.cc' \
      ':!examples' ':!tests/install' ':!tests/misuse' \
    | xargs -r -n 1 -P "$jobs" clang-tidy-14 -p build/lint --quiet
}

# --- the run ------------------------------------------------------------------------------------
if [[ $mode == lint ]]; then
  step "Debian packages" install_missing "${lint_packages[@]}" || true
  step "clang-format" lint_format || true
  step "clang-tidy" lint_tidy || true
  finished=yes
  exit 0
fi

step "Debian packages" install_missing "${test_packages[@]}" || true
if build release all -DUCT_BUILD_TESTS=ON -DUCT_BUILD_BENCH=ON; then
  left_out=()
  if [[ $mode == quick ]]; then left_out=(-LE "full-long|install"); fi
  run_ctest release "${left_out[@]}"
else
  skip "tests release" "the build failed"
fi
if [[ $mode == full ]]; then
  step "shell scripts" check_shell_scripts || true
  run_score
  run_lab
  sanitized asan all -LE "full-long|tools|install"
  sanitized tsan uct_tests -L threads -LE full-long
  run_fuzz
fi
finished=yes
