#!/usr/bin/env python3
"""Checks the tree against the house rules that a compiler cannot see; the ctest `tidy`.

Looks at every file that git tracks or would track. Each finding is one line,
    file:line: what: why: what to do
and the exit code is 1 when there is any. `--soft` adds hints that are not errors.

The rules are the functions marked @rule below: room ranks, sizes, banned calls, forms. What must be
excused stands in EXEMPT with its reason; an excuse that nothing needs any more is a finding too.
"""
import argparse
import pathlib
import re
import subprocess
import sys

# A room includes only rooms of a lower rank, never one of its own rank.
RANKS = {
    "include/uct": 0,
    "src/base": 1,
    "src/packet": 2,
    "src/conn": 3,
    "src/table": 4, "src/proto": 4, "src/expect": 4,
    "src/nat": 5, "src/alg": 5, "src/expiry": 5, "src/frag": 5,
    "src/tracker": 6,
    "sweeper": 7, "ports": 7, "control": 7,
    "gateway": 8, "cli": 8,
}
# These see the library as any embedder does: <uct/...> only.
USERS_OF_THE_LIBRARY = ("sweeper", "ports", "control", "gateway", "cli", "examples")
# These may look everywhere, as may *_test.cc, *_bench.cc and *_fuzz.cc of any room.
FREE = ("tests", "bench", "fuzz", "tools")
# (room, what it may include although that is free): `uct bench` runs the workloads, so that whoever
# doubts a figure measures it again with the program at hand.
PRODUCT_INCLUDES_FREE = {("cli", "bench")}

FILE_LINES_SOFT = 400
FILE_LINES_MAX = 700
PUBLIC_HEADER_LINES_MAX = 250
FUNCTION_LINES_MAX = 70
LINE_COLUMNS_MAX = 100
ROOM_README_LINES_MAX = 25
FILE_BYTES_MAX = 1_000_000

# (rule, path or path:function) -> why it is right there.
EXEMPT = {
}

CPP = (".h", ".cc")
CODE = CPP + (".py", ".sh", ".cmake", "CMakeLists.txt", ".ci/run")
RULES = {}


def rule(name):
    """Registers a check: called with a File, yields (line, what, why, what to do)."""
    def register(function):
        RULES[name] = function
        return function
    return register


class File:
    """One file of the tree, read once; `code` are its lines without comments and literals."""

    def __init__(self, root, path):
        self.path = path
        self.bytes = (root / path).read_bytes()
        self.is_code = path.endswith(CODE)
        self.is_cpp = path.endswith(CPP)
        self.is_header = path.endswith(".h")
        self.is_public_header = self.is_header and path.startswith("include/")
        self.is_companion = bool(re.search(r"_(test|bench|fuzz)\.cc$", path))
        is_text = self.is_code or path.endswith((".md", ".txt", ".json", ".scd", ".toml"))
        self.text = self.bytes.decode("utf-8", "replace") if is_text else ""
        self.lines = self.text.splitlines()
        self.code = blank_comments_and_literals(self.text).splitlines() if self.is_cpp else []

    @property
    def is_core(self):
        """The library itself, which no test or benchmark is."""
        in_core = self.path.startswith(("src/", "include/"))
        return self.is_cpp and in_core and not self.is_companion

    @property
    def room(self):
        parts = self.path.split("/")
        two = "/".join(parts[:2])
        return two if two in RANKS or parts[0] == "src" else parts[0]


LITERAL = re.compile(
    r'//[^\n]*|/\*.*?\*/'
    r'|R"(?P<raw>[^(\s]*)\(.*?\)(?P=raw)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.DOTALL)


def blank_comments_and_literals(text):
    """Replaces comments by blanks and literals by empty ones, keeping every line break."""
    def blank(match):
        piece = match.group()
        lines = "\n" * piece.count("\n")
        return lines if piece.startswith("/") else piece[-1] * 2 + lines
    return LITERAL.sub(blank, text)


# --- rooms --------------------------------------------------------------------------------------

INCLUDE = re.compile(r'^\s*#\s*include\s*(<([^>]+)>|"([^"]+)")')


def room_of_include(name):
    """The room that an include in quotes names, or None."""
    parts = name.split("/")
    if parts[0] in FREE + USERS_OF_THE_LIBRARY:
        return parts[0]
    return "src/" + parts[0] if len(parts) > 1 and "src/" + parts[0] in RANKS else None


@rule("include-form")
def include_form(file):
    for number, line in enumerate(file.lines if file.is_cpp else [], 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        system, own = match.group(2), match.group(3)
        if own and own.startswith(("uct/", "include/")):
            yield (number, f'"{own}" in quotes', "public headers read as an embedder writes them",
                   "include <uct/...>")
        elif own and "/" not in own and file.room in FREE:
            continue  # a neighbour
        elif own and room_of_include(own) is None:
            yield (number, f'"{own}" names no room', "a reader sees from the line where a file is",
                   'write "room/file.h", relative to src/ or to the top, with the room in RANKS')
        elif system and room_of_include(system):
            yield (number, f"<{system}> in angle brackets", "these are for what is installed",
                   "include it in quotes")


@rule("room-rank")
def room_rank(file):
    if not file.is_cpp or file.is_companion or file.room in FREE:
        return
    if file.room not in RANKS and file.room != "examples":
        yield (1, f"folder {file.room} has no rank", "every room knows what it may include",
               "add it to RANKS in tools/tidy.py")
        return
    own_rank = RANKS.get(file.room, 9)
    for number, line in enumerate(file.lines, 1):
        match = INCLUDE.match(line)
        room = room_of_include(match.group(3)) if match and match.group(3) else None
        if room is None or room == file.room:
            continue
        if file.room in USERS_OF_THE_LIBRARY and room.startswith("src/"):
            yield (number, f"{file.room} includes {room}", "it must work with the public headers",
                   "use <uct/...>, or add to the public interface what is missing")
        elif (file.room, room) in PRODUCT_INCLUDES_FREE:
            continue
        elif room in FREE:
            yield (number, f"{file.room} includes {room}", "product code stands without its tests",
                   "move what is shared into a room")
        elif RANKS.get(room, 9) >= own_rank:
            yield (number, f"{file.room} (rank {own_rank}) includes {room} "
                   f"(rank {RANKS.get(room, 9)})", "a room includes only lower ranks",
                   "pass the value in from above, or move the code to the lower room")


@rule("room-readme")
def room_readme(file):
    if re.fullmatch(r"src/[^/]+/README\.md", file.path) and len(file.lines) > ROOM_README_LINES_MAX:
        yield (ROOM_README_LINES_MAX + 1, f"{len(file.lines)} lines",
               f"a room is explained in {ROOM_README_LINES_MAX}", "move detail to docs/")


def missing_readmes(files):
    """Rooms without a README; a check of the tree, not of one file."""
    paths = {file.path for file in files}
    rooms = {"/".join(path.split("/")[:2]) for path in paths if re.match(r"src/[^/]+/", path)}
    for room in sorted(rooms):
        if room + "/README.md" not in paths:
            yield (room + "/README.md", "missing", "every room says what comes in and goes out",
                   f"write it, in at most {ROOM_README_LINES_MAX} lines")


# --- sizes --------------------------------------------------------------------------------------

@rule("file-lines")
def file_lines(file):
    count = len(file.lines)
    if file.is_public_header and count > PUBLIC_HEADER_LINES_MAX:
        yield (PUBLIC_HEADER_LINES_MAX + 1, f"{count} lines in a public header",
               f"an embedder reads at most {PUBLIC_HEADER_LINES_MAX}", "split it by subject")
    elif file.is_code and count > FILE_LINES_MAX:
        yield (FILE_LINES_MAX + 1, f"{count} lines", f"the limit is {FILE_LINES_MAX}",
               "split it by subject")


@rule("file-bytes")
def file_bytes(file):
    if len(file.bytes) > FILE_BYTES_MAX:
        yield (1, f"{len(file.bytes)} bytes", "clones stay small for ever",
               "cut it down, or let a script make it")


@rule("long-line")
def long_line(file):
    for number, line in enumerate(file.lines if file.is_code else [], 1):
        if len(line) > LINE_COLUMNS_MAX:
            yield (number, f"{len(line)} columns", f"the limit is {LINE_COLUMNS_MAX}", "break it")


NOT_A_FUNCTION = re.compile(r"(namespace|class|struct|union|enum|extern)\b")
CONTROL = re.compile(r"(if|for|while|switch|do|else|try|catch|return)\b")


def functions(file):
    """Yields (name, first line, line count) of each function, by the braces of formatted code.

    A brace opens a block when a blank stands before it and what precedes is no initialiser; a block
    is a function when its head has parentheses and does not begin as a type or namespace does.
    """
    text = "\n".join("" if re.match(r"\s*#|.*\\$", line) else line for line in file.code)
    head, head_line, line = "", 1, 1
    blocks = []  # of each open brace: (kind, name, first line)
    for position, char in enumerate(text):
        if char == "\n":
            line += 1
        in_function = any(kind == "function" for kind, _, _ in blocks)
        in_initialiser = bool(blocks) and blocks[-1][0] == "initialiser"
        if char == "{":
            before = text[max(0, position - 80):position]
            opens = before[-1:].isspace() and not re.search(r"(=|\(|,|\breturn)\s*$", before)
            kind = "block" if opens and not in_initialiser else "initialiser"
            plain_head = re.sub(r"template\s*<.*?>\s*(?=\w)", "", head.strip(), flags=re.DOTALL)
            plain_head = re.sub(r"^((public|private|protected):\s*)+", "", plain_head)
            if (kind == "block" and not in_function and "(" in plain_head
                    and not NOT_A_FUNCTION.match(plain_head) and not CONTROL.match(plain_head)):
                kind = "function"
            blocks.append((kind, function_name(plain_head), head_line))
            if kind != "initialiser":
                head = ""
        elif char == "}" and blocks:
            kind, name, first = blocks.pop()
            if kind == "function":
                yield name, first, line - first + 1
            if kind != "initialiser":
                head = ""
        elif char == ";" and not in_initialiser:
            head = ""
        elif not in_initialiser:
            if not head.strip():
                head_line = line
            head += char


def function_name(head):
    match = re.search(r"(operator\s*\S+?|[~\w]+(?:::[~\w]+)*)\s*\(([^)]*)", head)
    if not match:
        return "?"
    is_test = re.fullmatch(r"TEST(_F|_P)?|RC_GTEST\w*|TYPED_TEST(_P)?", match.group(1))
    return re.sub(r"\s*,\s*", ".", match.group(2).strip()) if is_test else match.group(1)


@rule("function-lines")
def function_lines(file):
    for name, first, count in functions(file) if file.is_cpp else []:
        if count > FUNCTION_LINES_MAX:
            yield (first, f"{name} has {count} lines", f"the tripwire is {FUNCTION_LINES_MAX}",
                   "split it, or number its steps and excuse it in EXEMPT", name)


# --- banned -------------------------------------------------------------------------------------

CORE_BANS = [
    (r"\b(std::)?(cout|cerr|clog)\b|\b(std::)?(f|v|vf)?(printf|puts|putchar)\s*\(",
     "prints", "return a value or report through the sink that the embedder gave"),
    (r"\w*_clock::now\b|\bgettimeofday\b|\bclock_gettime\b|\b__?rdtscp?\b"
     r"|(?<![\w.>])time\s*\(\s*(nullptr|NULL|0|&)",
     "asks a clock", "take `now` as a parameter"),
    (r"\bstd::(jthread|thread|async)\b|\bpthread_create\b|\bsleep_(for|until)\b",
     "starts or stops a thread", "leave threads to the embedder or to sweeper/"),
    (r"\bfopen\b|\b[io]?fstream\b|\bstd::filesystem\b", "opens a file", "leave files to ports/"),
    (r"(?<![\w.>:])(::)?(socket|connect|sendto|recvfrom)\s*\(\s*(AF_|PF_|\w*(sock|fd))",
     "opens a socket", "leave sockets to ports/"),
    (r"\bgetenv\b", "reads the environment", "take a Config"),
    (r"\bstd::random_device\b", "draws randomness", "take the seed from Config"),
    (r"\b(std::)?exit\s*\(", "ends the process", "return an error"),
]
BANS = [
    (r"\busing namespace\b", "pulls in a namespace", "names stay traceable in headers",
     "write the names out", "header"),
    (r"(?<![\w.>])s?rand\s*\(", "uses rand()", "it is neither random nor the same everywhere",
     "use a seeded generator", "all"),
]


@rule("core-ban")
def core_ban(file):
    for number, line in enumerate(file.code if file.is_core else [], 1):
        for pattern, what, fix in CORE_BANS:
            if re.search(pattern, line):
                yield (number, f"the core {what}", "time, chance and output come in from outside",
                       fix)


@rule("ban")
def ban(file):
    for number, line in enumerate(file.code, 1):
        for pattern, what, why, fix, where in BANS:
            if (where == "all" or file.is_header) and re.search(pattern, line):
                yield number, what, why, fix


@rule("open-end")
def open_end(file):
    words = r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b"
    for number, line in enumerate(file.lines, 1):
        match = re.search(words, line)
        if match and (file.is_code or file.path.endswith(".md")):
            yield (number, match.group(), "the tree holds what is done", "open an issue instead")


# --- forms --------------------------------------------------------------------------------------

@rule("ascii")
def ascii_only(file):
    for number, line in enumerate(file.lines if file.is_code else [], 1):
        if not line.isascii():
            char = next(c for c in line if not c.isascii())
            yield (number, f"character U+{ord(char):04X}", "code is ASCII everywhere",
                   "spell it, or write it as an escape")


@rule("blank-end")
def blank_end(file):
    for number, line in enumerate(file.lines if file.is_code else [], 1):
        if line != line.rstrip() or "\t" in line:
            yield number, "blank at the end or tab", "diffs show only what changed", "remove it"
    if file.is_code and file.text and not file.text.endswith("\n"):
        yield len(file.lines), "no line end at the end", "diffs show only what changed", "add it"


@rule("pragma-once")
def pragma_once(file):
    if file.is_header and not any(line.strip() == "#pragma once" for line in file.lines):
        yield 1, "no #pragma once", "a header may be included twice", "add it below the card"


@rule("header-card")
def header_card(file):
    if file.is_header and not (file.lines and re.match(r"///? \w", file.lines[0])):
        yield (1, "no comment card", "a header opens with what it is and who includes it",
               "begin the file with `/// ` and a sentence")


CODE_IN_COMMENT = re.compile(
    r"^\s*//(?!/)\s*("
    r"[\w:.>*&\[\] -]*\w\(.*\);|[\w:.>\[\] -]+ [-+|&^]?= .*;|(if|for|while) \(.*\{|return\b.*;|[{}]"
    r")\s*$")


@rule("dead-code")
def dead_code(file):
    for number, line in enumerate(file.lines if file.is_cpp else [], 1):
        if CODE_IN_COMMENT.match(line):
            yield (number, "code in a comment", "git keeps what was",
                   "delete it, or write a sentence")


# --- the run ------------------------------------------------------------------------------------

def list_files(root):
    """The files that git tracks or would track; without git, all but hidden and build folders."""
    try:
        names = subprocess.run(
            ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            check=True, capture_output=True).stdout.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):
        names = [str(path.relative_to(root)) for path in root.rglob("*")]
        names = [name for name in names
                 if not re.match(r"(build|out|\.git)/|.*__pycache__/", name)]
    return sorted({name for name in names if name and (root / name).is_file()})


def check(root, exempt=None):
    """Gives the findings of the tree below `root`, as lines, sorted by file and line."""
    excuses = dict(EXEMPT if exempt is None else exempt)
    used, found = set(), []
    files = [File(root, path) for path in list_files(root)]
    for file in files:
        for name, function in RULES.items():
            for line, what, why, fix, *inner in function(file):
                key = (name, ":".join([file.path, *inner]))
                if key in excuses:
                    used.add(key)
                else:
                    found.append((file.path, line, what, why, fix))
    found += [(path, 1, what, why, fix) for path, what, why, fix in missing_readmes(files)]
    if exempt is not None or (root / "tools/tidy.py").exists():
        for name, target in set(excuses) - used:
            found.append(("tools/tidy.py", 1, f"EXEMPT ({name}, {target}) excuses nothing",
                          "excuses end with their reason", "delete it"))
    return [f"{path}:{line}: {what}: {why}: {fix}" for path, line, what, why, fix in sorted(found)]


def hints(root):
    for file in (File(root, path) for path in list_files(root)):
        if file.is_code and FILE_LINES_SOFT < len(file.lines) <= FILE_LINES_MAX:
            yield f"{file.path}: {len(file.lines)} lines, more than {FILE_LINES_SOFT}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--soft", action="store_true", help="also print hints, which are no errors")
    parser.add_argument("root", nargs="?", default=pathlib.Path(__file__).resolve().parent.parent,
                        type=pathlib.Path, help="the tree to check (default: this one)")
    arguments = parser.parse_args()
    for hint in hints(arguments.root) if arguments.soft else []:
        print("hint:", hint)
    findings = check(arguments.root)
    print("\n".join(findings) if findings else "tidy: no findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
