#!/usr/bin/env python3
"""Reads a result file of ctest: counts for test.sh, and names for people.

Usage: ctest_summary.py RESULTS.xml REPORT.txt
Prints "passed failed skipped". The report has one line for each failed test, and one for each
reason to skip, with how many tests it kept from running.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree

LINES_OF_A_FAILURE = 25


def skip_reason(case):
    """The last line that a skipped test printed before its framework said so."""
    output = case.findtext("system-out") or ""
    lines = [line.strip() for line in output.splitlines()]
    reason = ""
    for line in lines:
        if line.startswith("[  SKIPPED ]"):
            break
        if line and not re.match(r"^(\[[-= A-Z]+\]|Note: |Running main\(\)|.*: Skipped$)", line):
            reason = line
    return reason or case.find("skipped").get("message", "") or "no reason printed"


def failure_lines(case):
    """The end of what a failed test printed, without what the framework says around it."""
    output = case.findtext("system-out") or ""
    lines = [line for line in output.splitlines()
             if line.strip() and not re.match(r"^(\[[-=]+\]|Note: |Running main\(\))", line)]
    return lines[-LINES_OF_A_FAILURE:]


def summarize(root):
    """Gives (passed, failed, skipped, report lines)."""
    passed, failures, reasons = 0, [], {}
    for case in root.iter("testcase"):
        status = case.get("status")
        if status == "run":
            passed += 1
        elif status == "fail":
            failures.append(case)
        else:
            reason = "disabled" if status == "disabled" else skip_reason(case)
            reasons.setdefault(reason, []).append(case.get("name"))
    report = []
    for case in failures:
        report.append(f"failed: {case.get('name')}")
        report += [f"    {line}" for line in failure_lines(case)]
    for reason, names in reasons.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        report.append(f"skipped: {names[0]}{more}: {reason}")
    return passed, len(failures), sum(map(len, reasons.values())), report


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        root = ElementTree.parse(sys.argv[1]).getroot()
    except (OSError, ElementTree.ParseError) as error:
        sys.exit(f"ctest_summary.py: {sys.argv[1]}: {error}")
    passed, failed, skipped, report = summarize(root)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in report)
    print(passed, failed, skipped)


if __name__ == "__main__":
    main()
