#!/usr/bin/env bash
# Installs a build into a scratch prefix and uses the package as an embedder would: the examples
# with find_package, then with pkg-config, from a prefix that was moved after installing.
# Usage: tests/install/run.sh BUILD_DIR
set -euo pipefail

source_dir=$(cd "$(dirname "$0")/../.." && pwd)
build_dir=$(cd "${1:?usage: run.sh BUILD_DIR}" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
compiler=${CXX:-c++}

say() { printf -- '-- %s\n' "$*"; }
die() {
  printf 'install test: %s\n' "$*" >&2
  exit 1
}

cmake --install "$build_dir" --prefix "$scratch/installed" >"$scratch/install.log"
mv "$scratch/installed" "$scratch/prefix"
prefix=$scratch/prefix

say "headers of the public folder, and no others"
diff <(cd "$source_dir/include" && find uct -name '*.h' | sort) \
     <(cd "$prefix/include" && find uct -type f | sort)

examples=(embed translate)

say "find_package(uct)"
for example in "${examples[@]}"; do
  cmake -S "$source_dir/examples/$example" -B "$scratch/$example" -G Ninja \
        -DCMAKE_PREFIX_PATH="$prefix" >>"$scratch/configure.log"
  cmake --build "$scratch/$example" >"$scratch/build.log" || { cat "$scratch/build.log"; exit 1; }
  "$scratch/$example/$example"
done

say "pkg-config uct"
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name uct.pc)")
LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")
export PKG_CONFIG_PATH LD_LIBRARY_PATH
read -ra flags <<<"$(pkg-config --cflags --libs uct)"
for example in "${examples[@]}"; do
  "$compiler" -std=c++20 "$source_dir/examples/$example/main.cc" "${flags[@]}" \
              -o "$scratch/${example}_pc"
  "$scratch/${example}_pc"
done

if [[ -e $PKG_CONFIG_PATH/uct-sweeper.pc ]]; then
  say "uct::sweeper and pkg-config uct-sweeper"
  cmake -S "$source_dir/tests/install/sweeper" -B "$scratch/sweeper" -G Ninja \
        -DCMAKE_PREFIX_PATH="$prefix" >>"$scratch/configure.log"
  cmake --build "$scratch/sweeper" >"$scratch/build.log" || { cat "$scratch/build.log"; exit 1; }
  "$scratch/sweeper/sweeper"
  read -ra flags <<<"$(pkg-config --cflags --libs uct-sweeper)"
  "$compiler" -std=c++20 "$source_dir/tests/install/sweeper/main.cc" "${flags[@]}" \
              -o "$scratch/sweeper_pc"
  "$scratch/sweeper_pc"
fi

if [[ -e $build_dir/bin/uct ]]; then
  say "the installed program"
  "$prefix/bin/uct" --version || die "the installed program does not start"
fi
say "the installed package works"
