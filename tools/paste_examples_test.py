#!/usr/bin/env python3
"""Proves that paste_examples.py renews copies, finds old ones and refuses wrong marks."""
import pathlib
import tempfile
import unittest

import paste_examples


class PasteExamples(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "x.cc").write_text("int x;\n")

    def test_a_copy_is_renewed_and_the_rest_stays(self):
        text = "a\n<!-- begin x.cc -->\nold\n<!-- end x.cc -->\nb\n"
        renewed = paste_examples.paste(text, self.root)
        self.assertEqual(
            renewed, "a\n<!-- begin x.cc -->\n```cpp\nint x;\n```\n<!-- end x.cc -->\nb\n")
        self.assertEqual(paste_examples.paste(renewed, self.root), renewed)

    def test_a_mark_without_file_or_end_is_refused(self):
        for text in ("<!-- begin y.cc -->\n<!-- end y.cc -->\n", "<!-- begin x.cc -->\nold\n"):
            with self.assertRaises(paste_examples.BadMark):
                paste_examples.paste(text, self.root)

    def test_this_tree_is_in_step(self):
        readme = paste_examples.ROOT / "README.md"
        if readme.is_file():
            text = readme.read_text()
            self.assertEqual(paste_examples.paste(text, paste_examples.ROOT), text)


if __name__ == "__main__":
    unittest.main()
