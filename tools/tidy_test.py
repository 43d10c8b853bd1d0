#!/usr/bin/env python3
"""Proves of each check in tidy.py that it can fail, and that clean code passes."""
import pathlib
import tempfile
import unittest

import tidy

CARD = "/// A sentence about this header.\n#pragma once\n"
README = {"src/table/README.md": "# table\n", "src/conn/README.md": "# conn\n",
          "src/packet/README.md": "# packet\n", "src/tracker/README.md": "# tracker\n"}


def function_of(lines, head="int f(int x) {"):
    return head + "\n" + "  g();\n" * (lines - 2) + "}\n"


# rule -> trees that break it, each one file of that path with that text.
BROKEN = {
    "include-form": [
        ("src/table/a.cc", '#include "uct/key.h"\n'),
        ("src/table/a.cc", '#include "index.h"\n'),
        ("src/table/a.cc", '#include "nowhere/index.h"\n'),
        ("cli/a.cc", '#include "main.h"\n'),
        ("src/table/a.cc", "#include <conn/key.h>\n"),
    ],
    "room-rank": [
        ("src/conn/a.cc", '#include "table/index.h"\n'),
        ("src/table/a.cc", '#include "proto/tcp.h"\n'),
        ("src/table/a.cc", '#include "tests/support/packets.h"\n'),
        ("include/uct/a.h", CARD + '#include "conn/key.h"\n'),
        ("cli/a.cc", '#include "tracker/pipeline.h"\n'),
        ("cli/a.cc", '#include "gateway/config.h"\n'),
        ("ports/capture/a.cc", '#include "packet/parse.h"\n'),
        ("sweeper/a.cc", '#include "ports/capture/reader.h"\n'),
        ("examples/embed/main.cc", '#include "tracker/pipeline.h"\n'),
        ("src/attic/a.cc", "int x;\n"),
    ],
    "room-readme": [("src/table/README.md", "line\n" * 26)],
    "file-lines": [
        ("src/table/a.cc", "int x;\n" * 701),
        ("tools/a.py", "x = 1\n" * 701),
        ("include/uct/a.h", CARD + "int f();\n" * 249),
    ],
    "file-bytes": [("tests/captures/a.pcap", "x" * 1_000_001)],
    "long-line": [("src/table/a.cc", "// long" * 15 + "\n"), ("a.sh", "#" * 101 + "\n")],
    "function-lines": [
        ("src/table/a.cc", function_of(71)),
        ("src/table/a.cc", function_of(71, "TEST(Table, IsLong) {")),
        ("src/table/a.cc", "namespace x {\n" + function_of(71, "A::A() : a_{1}, b_(2) {") + "}\n"),
        ("src/table/a.cc", "class A : public B {\n public:\n" + function_of(71, "int f() const {")
         + "};\n"),
        ("src/table/a.cc", function_of(71, "template <typename T>\nX<T> f(T x) noexcept {")),
        ("src/table/a.cc", function_of(71, "constexpr auto f = [](int x) {")),
        ("src/table/a.cc", 'const char* x = "{";  // {\n' + function_of(71)),
        ("src/table/a.cc", "void f(\n    int x) {\n" + "  if (x) {\n  }\n" * 34 + "}\n"),
    ],
    "core-ban": [("src/table/a.cc", line + "\n") for line in (
        "void f() { std::cout << 1; }", "void f() { std::printf(x); }", "void f() { fprintf(x); }",
        "auto x = std::chrono::steady_clock::now();", "auto x = std::time(nullptr);",
        "auto x = time(&y);", "int x = clock_gettime(0, &y);", "int x = gettimeofday(&y);",
        "std::thread x;", "std::jthread x;", "auto x = std::async(f);", "auto x = fopen(y, z);",
        "std::ifstream x;", "int x = socket(AF_INET, y);", "auto x = std::getenv(y);",
        "std::random_device x;", "void f() { std::exit(1); }")]
    + [("include/uct/a.h", CARD + "inline void f() { puts(x); }\n")],
    "ban": [
        ("ports/a.h", CARD + "using namespace std;\n"),
        ("cli/a.cc", "int x = rand();\n"),
        ("cli/a.cc", "void f() { srand(1); }\n"),
    ],
    "open-end": [("src/table/a.cc", "// TO" "DO: more\n"), ("docs/a.md", "FIX" "ME\n"),
                 ("a.sh", "# XX" "X\n")],
    "ascii": [("src/table/a.cc", "// caf\u00e9\n"), ("tools/a.py", "x = '\u2713'\n")],
    "blank-end": [("src/table/a.cc", "int x; \n"), ("src/table/a.cc", "\tint x;\n"),
                  ("src/table/a.cc", "int x;")],
    "pragma-once": [("src/table/a.h", "/// A sentence.\nint f();\n")],
    "header-card": [("src/table/a.h", "#pragma once\nint f();\n"), ("src/table/a.h", "")],
    "dead-code": [("src/table/a.cc", line + "\n") for line in (
        "// table.insert(key);", "//  x = y + 1;", "// if (x) {", "// return x;", "// }")],
}

CLEAN = {
    "include/uct/a.h": CARD + "#include <uct/key.h>\nint time();\n",
    "include/uct/b.h": "/// Asks no std::chrono::steady_clock::now().\n#pragma once\n",
    "src/table/index.h": CARD + '#include <array>\n#include <uct/key.h>\n#include "conn/key.h"\n'
                         '#include "table/pool.h"\n',
    "src/table/index.cc": "// Reads { and \" and ' in comments.\nconst char x = '\"';\n"
                          "constexpr int kTable[] = {\n" + "    1,\n" * 80 + "};\n"
                          "enum class X {\n" + "  a,\n" * 80 + "};\n"
                          "struct Y {\n" + "  int a();\n" * 80 + "};\n" + function_of(70)
                          + 'auto y = "std::cout";\nauto z = 1\'000\'000;\nvoid f() {}\n',
    "src/table/index_test.cc": '#include "tests/support/packets.h"\n#include "tracker/pipeline.h"\n'
                               "std::thread worker;\n",
    "sweeper/sweeper.cc": "#include <uct/sweeper.h>\nauto x = std::chrono::steady_clock::now();\n",
    "cli/main.cc": '#include "cli/track.h"\n#include "ports/capture/reader.h"\nstd::ifstream x;\n',
    "bench/peers/lists.cc": '#include "lists.h"\n#include "expiry/wheel.h"\n',
    "docs/wide.md": "x" * 300 + "\n",
}


class Tidy(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)

    def findings(self, tree, exempt=None):
        for path, text in tree.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(text, encoding="utf-8")
        found = tidy.check(self.root, {} if exempt is None else exempt)
        for path in tree:
            (self.root / path).unlink()
        return found

    def test_clean_tree_has_no_finding(self):
        self.assertEqual(self.findings(CLEAN | README), [])

    def test_every_rule_has_a_sample_that_breaks_it(self):
        self.assertEqual(set(BROKEN), set(tidy.RULES))

    def test_each_sample_is_found_by_its_rule(self):
        for rule, samples in BROKEN.items():
            for path, text in samples:
                with self.subTest(rule=rule, path=path, text=text[:60]):
                    (self.root / path).parent.mkdir(parents=True, exist_ok=True)
                    (self.root / path).write_text(text, encoding="utf-8")
                    found = list(tidy.RULES[rule](tidy.File(self.root, path)))
                    (self.root / path).unlink()
                    self.assertTrue(found)

    def test_finding_says_where_what_why_and_what_to_do(self):
        found = self.findings(README | {"src/conn/a.cc": '\n#include "table/index.h"\n'})
        self.assertEqual(found, [
            "src/conn/a.cc:2: src/conn (rank 3) includes src/table (rank 4): a room includes only "
            "lower ranks: pass the value in from above, or move the code to the lower room"])

    def test_room_without_readme_is_found(self):
        found = self.findings({"src/table/a.cc": "int x;\n"})
        self.assertEqual([line.split(": ")[0] for line in found], ["src/table/README.md:1"])

    def test_function_is_measured_from_its_first_line_to_its_last(self):
        (self.root / "a.cc").write_text("int y;\n\n" + function_of(12, "int\nf(int x) {"))
        self.assertEqual(list(tidy.functions(tidy.File(self.root, "a.cc"))), [("f", 3, 13)])

    def test_excuse_silences_one_rule_in_one_place(self):
        tree = README | {"src/table/a.cc": function_of(80) + function_of(80, "int h(int x) {")}
        found = self.findings(tree, {("function-lines", "src/table/a.cc:f"): "a story"})
        self.assertEqual(len(found), 1)
        self.assertIn("h has 80 lines", found[0])

    def test_excuse_without_use_is_found(self):
        found = self.findings(README, {("long-line", "src/table/gone.cc"): "was a table"})
        self.assertEqual(len(found), 1)
        self.assertIn("excuses nothing", found[0])


if __name__ == "__main__":
    unittest.main()
