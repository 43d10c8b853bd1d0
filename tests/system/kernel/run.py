#!/usr/bin/env python3
"""Plays every case on the kernel of this network namespace and on nat_pipe, and compares.

usage: run.py NAT_PIPE DIFFERENCES.md [--verbose] [--only TEXT]
Called by ../nat_kernel.sh in a namespace of its own. One line a case; exit 1 when one failed or
when a difference that the page knows did not show.
"""
import argparse
import re
import sys

from cases import cases
from play import Failure, Play
from worlds import Kernel, Uct


# How a row says that other kernels may not show the difference.
VARIES = "depends on the kernel"


def listed(page):
    """The names of the differences in the page's table, and those that need not show."""
    with open(page, encoding="utf-8") as file:
        rows = re.findall(r"^\| (K\d+) \|(.*)", file.read(), re.MULTILINE)
    return {name for name, _ in rows}, {name for name, row in rows if VARIES in row}


def play_one(case, worlds, known, verbose):
    """Gives     the lines that tell what is wrong, and how many steps were played."""
    lines = []
    play = Play(case, worlds, known, lines.append)
    for world in worlds:
        world.start(case)
    try:
        case.play(play)
    except (Failure, KeyError, TimeoutError) as error:
        return lines + [f"    {type(error).__name__}: {error}"], play.steps
    finally:
        for world in worlds:
            world.stop()
    if verbose:
        print("\n".join(lines))
    return [], play.steps


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("nat_pipe")
    parser.add_argument("page")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    worlds = (Kernel(), Uct(options.nat_pipe))
    passed = failed = steps = 0
    known = set()
    for case in cases():
        if options.only not in case.name:
            continue
        wrong, count = play_one(case, worlds, known, options.verbose)
        steps += count
        print(f"{'FAILED' if wrong else 'ok':7} {case.name:40} {count} packets", *wrong, sep="\n"
              if wrong else "")
        passed, failed = passed + (not wrong), failed + bool(wrong)
    names, vary = listed(options.page)
    if not options.only and known | vary != names:
        failed += 1
        print(f"FAILED  differences listed but not seen: {sorted(names - known - vary)}; "
              f"seen but not listed: {sorted(known - names)}")
    print(f"{passed} passed, {failed} failed; {steps} packets on both sides, "
          f"{len(known)} known differences")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
