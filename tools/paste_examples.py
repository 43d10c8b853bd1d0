#!/usr/bin/env python3
"""Keeps the copies of examples in README.md and docs/*.md in step with their files.

A copy stands between two marks, as a code block of the file's language:

    <!-- begin examples/embed/main.cc -->
    <!-- end examples/embed/main.cc -->

Writes what differs and names the documents it wrote. With --check it writes nothing and fails when
a copy is old. Exit code 0 when all copies are in step, 1 when one was old (--check), 2 when a mark
is wrong.
"""
import argparse
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LANGUAGES = {".cc": "cpp", ".h": "cpp", ".py": "python", ".sh": "sh"}
BEGIN = re.compile(r"<!-- begin (\S+) -->\n")


class BadMark(Exception):
    """A mark that names no file, or has no end."""


def paste(text, root):
    """Gives the document with every copy renewed from its file below `root`."""
    out, place = [], 0
    for match in BEGIN.finditer(text):
        name = match.group(1)
        file = root / name
        end = f"<!-- end {name} -->"
        stop = text.find(end, match.end())
        if not file.is_file():
            raise BadMark(f"{match.group().strip()} names no file")
        if stop < 0:
            raise BadMark(f"{match.group().strip()} has no {end}")
        block = f"```{LANGUAGES.get(file.suffix, '')}\n{file.read_text().rstrip()}\n```\n"
        out += [text[place:match.end()], block]
        place = stop
    return "".join(out) + text[place:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail on an old copy")
    parser.add_argument("root", nargs="?", default=ROOT, type=pathlib.Path,
                        help="the tree (default: this one)")
    arguments = parser.parse_args()
    old = []
    for document in [arguments.root / "README.md", *sorted(arguments.root.glob("docs/*.md"))]:
        if not document.is_file():
            continue
        text = document.read_text()
        try:
            renewed = paste(text, arguments.root)
        except BadMark as error:
            print(f"{document.relative_to(arguments.root)}: {error}", file=sys.stderr)
            return 2
        if renewed != text:
            old.append(document.relative_to(arguments.root))
            if not arguments.check:
                document.write_text(renewed)
    for document in old:
        state = "has an old copy: run tools/paste_examples.py" if arguments.check else "written"
        print(f"{document}: {state}")
    return 1 if old and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
