#!/usr/bin/env python3
"""Tracks the project's own captures and compares with what is written down for them.

usage: tools/golden.py [--uct PROGRAM] [--update] [NAME...]

tests/golden/NAME.txt holds, for the capture tests/captures/NAME.*, every packet's verdict with its
reason and states (clock frozen), and the connections left at the end (clock of the capture). A
difference is shown as a diff; --update writes what the program says now, to be read before it is
committed. The verdicts were compared once with the Linux kernel's own (docs/differences.md).

exit code: 0 all the same, 1 a difference, 2 a wrong call
"""
import argparse
import difflib
import os
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
CAPTURES = TOP / "tests/captures"
GOLDEN = TOP / "tests/golden"
SUFFIXES = (".pcap", ".pcapng", ".pcap.gz")
RUNS = (
    ("packets", ["--packets", "--explain", "--clock", "frozen"]),
    ("connections", ["-o", "ovs", "--clock", "capture"]),
)
DIFF_LINES = 40


def captures():
    found = {}
    for path in sorted(CAPTURES.iterdir()):
        if path.name.endswith(SUFFIXES):
            found[path.name.split(".")[0]] = path
    return found


def tracked(uct, path):
    """The text that stands for one capture."""
    parts = []
    for title, options in RUNS:
        done = subprocess.run([uct, "track", *options, path], capture_output=True, text=True,
                              check=False, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"{path.name}: exit code {done.returncode}: {done.stderr.strip()}")
        parts.append(f"[{title}: uct track {' '.join(options)}]\n{done.stdout}")
    return "\n".join(parts)


def is_same(name, text, update):
    golden = GOLDEN / f"{name}.txt"
    if update:
        GOLDEN.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
        return True
    if not golden.exists():
        print(f"{name}: no {golden.relative_to(TOP)}: "
              f"write it with tools/golden.py --update {name}")
        return False
    wanted = golden.read_text(encoding="utf-8")
    if wanted == text:
        return True
    lines = difflib.unified_diff(wanted.splitlines(), text.splitlines(), f"golden/{name}.txt",
                                 "this program", lineterm="", n=1)
    for number, line in enumerate(lines):
        if number == DIFF_LINES:
            print("  ... more differs")
            break
        print(line)
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uct", default=os.environ.get("UCT", TOP / "build/release/bin/uct"))
    parser.add_argument("--update", action="store_true")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    found = captures()
    unknown = [name for name in options.names if name not in found]
    if unknown:
        print(f"tools/golden.py: no capture named {', '.join(unknown)}", file=sys.stderr)
        return 2
    names = options.names or list(found)
    same = [is_same(name, tracked(options.uct, found[name]), options.update) for name in names]
    print(f"golden: {sum(same)} of {len(same)} captures as written down")
    return 0 if all(same) else 1


if __name__ == "__main__":
    sys.exit(main())
