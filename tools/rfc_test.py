#!/usr/bin/env python3
"""Checks the tables of docs/rfc.md: what they name exists, and what they promise has a test.

The test of a row is a scenario file or a case of a C++ test; the name of a public thing stands in
include/uct. Whoever says yes, set or partly names a test. No MUST is answered with no.
"""
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
ANSWERS = ("yes", "set", "partly", "no", "gateway")
PROVEN = ("yes", "set", "partly")
TITLES = ["requirement", "level", "in short", "answer", "where", "proof"]
CASE = re.compile(r"^(?:TEST|TEST_F|TEST_P|PROP)\(\s*(\w+),\s*(\w+)\)", re.MULTILINE)


def rows_of(text):
    """The rows of tables with the six titles: (line, cells)."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells == TITLES:
            inside = True
        elif inside and not set(line) <= set("|- "):
            yield number, cells


def complaints(text, scenarios, cases, public_words):
    """What is wrong with the tables of a page, one sentence each."""
    found = []
    for number, cells in rows_of(text):
        def say(what, number=number):
            found.append(f"line {number}: {what}")
        if len(cells) != len(TITLES):
            say(f"{len(cells)} cells, not {len(TITLES)}")
            continue
        name, level, _, answer, where, proof = cells
        word = re.match(r"\w*", answer).group()
        names = re.findall(r"`([^`]+)`", proof)
        if word not in ANSWERS:
            say(f"'{word}' is none of the answers")
        if word in PROVEN and not names:
            say(f"{name} says {word} and names no test")
        if word == "no" and level.startswith("MUST"):
            say(f"{name} is a MUST and answered with no")
        for test in names:
            if test not in scenarios and test not in cases:
                say(f"there is no test {test}")
        for public in re.findall(r"`([^`]+)`", where):
            if not set(public.split("::")) <= public_words:
                say(f"{public} is in no public header")
    return found


def scenarios_of(root):
    folder = root / "tests" / "scenario"
    return {str(path.relative_to(folder)) for path in folder.rglob("*.scenario")}


def cases_of(root):
    files = [path for top in ("src", "ports", "sweeper", "cli", "tests", "tools", "bench")
             for path in (root / top).rglob("*_test.cc")]
    return {f"{suite}.{case}" for path in files
            for suite, case in CASE.findall(path.read_text(encoding="utf-8"))}


def public_words_of(root):
    text = "".join(path.read_text(encoding="utf-8")
                   for path in (root / "include" / "uct").glob("*.h"))
    return set(re.findall(r"\w+", text))


HEAD = "| " + " | ".join(TITLES) + " |\n|---|---|---|---|---|---|\n"
GOOD = "| REQ-1 | MUST | short | yes: so | `Tracker` | `a/b.scenario` `Suite.Case` |\n"


class Tables(unittest.TestCase):
    def check(self, row):
        return complaints(HEAD + row, {"a/b.scenario"}, {"Suite.Case"}, {"Tracker", "process"})

    def test_what_is_right_passes(self):
        self.assertEqual(self.check(GOOD), [])
        self.assertEqual(self.check(GOOD.replace("`Tracker`", "`Tracker::process`")), [])

    def test_each_mistake_is_found(self):
        for old, new in (("a/b", "a/c"), ("Suite.Case", "Suite.Other"), ("Tracker", "Nothing"),
                         ("yes", "perhaps"), ("yes", "no"), (" `a/b.scenario` `Suite.Case`", ""),
                         ("| short ", "")):
            self.assertEqual(len(self.check(GOOD.replace(old, new))), 1, new)

    def test_cases_are_found_over_several_lines(self):
        self.assertEqual(CASE.findall("TEST_F(One,\n       Two) {"), [("One", "Two")])


class Page(unittest.TestCase):
    def test_names_what_exists(self):
        text = (ROOT / "docs" / "rfc.md").read_text(encoding="utf-8")
        self.assertGreater(len(list(rows_of(text))), 110, "the tables are not understood")
        self.assertEqual(complaints(text, scenarios_of(ROOT), cases_of(ROOT),
                                    public_words_of(ROOT)), [])


if __name__ == "__main__":
    unittest.main()
