#!/usr/bin/env python3
"""Tests of ctest_summary.py: every test of a result file is counted once, by its own status."""
import unittest
import xml.etree.ElementTree as ElementTree

import ctest_summary

RESULTS = """<testsuite tests="5" failures="1" disabled="1" skipped="2">
<testcase name="A.Passes" status="run"><system-out>fine</system-out></testcase>
<testcase name="B.Fails" status="fail"><failure message="Failed"/><system-out>
Running main() from gtest_main.cc
[----------] 1 test
Value of: x
[  FAILED  ] B.Fails
</system-out></testcase>
<testcase name="C.NeedsRoot" status="notrun"><skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>
<system-out>Note: Google Test filter = C.NeedsRoot
[ RUN      ] C.NeedsRoot
a_test.cc:12: Skipped
needs root

[  SKIPPED ] C.NeedsRoot (0 ms)
</system-out></testcase>
<testcase name="D.Script" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/>
<system-out></system-out></testcase>
<testcase name="E.Off" status="disabled"/>
</testsuite>"""


class Summary(unittest.TestCase):
    def setUp(self):
        self.passed, self.failed, self.skipped, self.report = ctest_summary.summarize(
            ElementTree.fromstring(RESULTS))

    def test_each_test_counts_once(self):
        self.assertEqual((self.passed, self.failed, self.skipped), (1, 1, 3))

    def test_failed_test_is_named_with_what_it_printed(self):
        start = self.report.index("failed: B.Fails")
        self.assertEqual(self.report[start + 1], "    Value of: x")

    def test_skipped_test_says_why(self):
        self.assertIn("skipped: C.NeedsRoot: needs root", self.report)
        self.assertIn("skipped: D.Script: SKIP_RETURN_CODE=77", self.report)
        self.assertIn("skipped: E.Off: disabled", self.report)


if __name__ == "__main__":
    unittest.main()
