#!/usr/bin/env python3
"""Proves the scorer's own logic on fabricated captures, labels and a stand-in for uct."""
import contextlib
import gzip
import importlib.machinery
import importlib.util
import io
import json
import pathlib
import struct
import tempfile
import unittest

from score_lib import capture, references, report, rules

HERE = pathlib.Path(__file__).resolve().parent
CLIENT, SERVER, ROUTER = b"\x0a\0\0\x01", b"\x0a\0\0\x02", b"\x0a\0\0\x03"
SYN, ACK, RST, FIN, PSH = 2, 16, 4, 1, 8


def load_score():
    """tools/score has no suffix, so the import system has to be told."""
    loader = importlib.machinery.SourceFileLoader("score", str(HERE / "score"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("score", loader))
    loader.exec_module(module)
    return module


SCORE = load_score()


def ip4(source, target, protocol, payload, ident=1, offset=0):
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), ident, offset, 64, protocol,
                       0) + source + target + payload


def ip6(payload, protocol):
    return struct.pack(">IHBB", 6 << 28, len(payload), protocol, 64) + b"\1" * 16 + b"\2" * 16 \
        + payload


def tcp(flags, sequence, ports=(1000, 80), data=b""):
    return struct.pack(">HHIIBBHHH", *ports, sequence, 0, 0x50, flags, 100, 0, 0) + data


def from_client(flags, sequence=1, data=b""):
    return ip4(CLIENT, SERVER, 6, tcp(flags, sequence, data=data))


def from_server(flags, sequence=1, data=b""):
    return ip4(SERVER, CLIENT, 6, tcp(flags, sequence, (80, 1000), data))


def udp(source, target, ports):
    return ip4(source, target, 17, struct.pack(">HHHH", *ports, 8, 0))


def error_about(quoted):
    return ip4(ROUTER, CLIENT, 1, b"\3\1\0\0\0\0\0\0" + quoted[:28])


def ethernet(data, kind=0x0800):
    return b"\0" * 12 + struct.pack(">H", kind) + data


def pcap(frames, link=1, order="<"):
    header = struct.pack(order + "IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)
    return header + b"".join(struct.pack(order + "IIII", 0, 0, len(frame), len(frame)) + frame
                             for frame in frames)


def pcapng(frames):
    def block(kind, body):
        body += b"\0" * (-len(body) % 4)
        size = struct.pack("<I", len(body) + 12)
        return struct.pack("<I", kind) + size + body + size
    return block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) \
        + block(1, struct.pack("<HHI", 1, 0, 65535)) \
        + b"".join(block(6, struct.pack("<IIIII", 0, 0, 0, len(frame), len(frame)) + frame)
                   for frame in frames)


class Shared:
    """A shared folder with one fabricated scenario or capture after the other."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        (self.root / "scenarios").mkdir()
        (self.root / "captures" / "labels").mkdir(parents=True)

    def add_scenario(self, name, rows):
        """rows: (frame bytes, script, step, ovs, linux)"""
        folder = self.root / "scenarios"
        (folder / f"{name}.pcap").write_bytes(pcap([ethernet(row[0]) for row in rows]))
        labels = [f"{number}\t{row[3]}\t{row[4]}" for number, row in enumerate(rows, 1)]
        steps = [f"{number}\t1\t{row[1]}\t{row[2]}" for number, row in enumerate(rows, 1)]
        (folder / f"{name}.labels.tsv").write_text("\n".join(["packet\tovs\tlinux"] + labels))
        (folder / f"{name}.steps.tsv").write_text("\n".join(steps))

    def add_capture(self, name, frames, labels=None):
        (self.root / "captures" / f"{name}.pcap").write_bytes(pcap(frames))
        if labels is not None:
            lines = [f"{number}\t{ovs}\t{linux}" for number, (ovs, linux) in enumerate(labels, 1)]
            path = self.root / "captures" / "labels" / f"{name}.tsv"
            path.write_text("\n".join(["packet\tovs\tlinux"] + lines))


class WithShared(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "shared").mkdir()
        self.shared = Shared(self.folder / "shared")

    def judged(self, name):
        found = {item[0]: item for item in references.find_captures(self.shared.root)}
        return references.judged_packets(*found[name])

    def classes(self, name):
        """[(class, rule name or None)] of a capture's packets."""
        return [(letter, rule.name if rule else None)
                for _, letter, rule in rules.classify(self.judged(name), rules.read_rules())]

    def uct(self, verdicts, exit_code=0):
        """A program that prints these verdicts whatever it is given."""
        path = self.folder / "uct"
        lines = "".join(f"{number}: {verdict}\n" for number, verdict in enumerate(verdicts, 1))
        path.write_text(f"#!/bin/sh\ncat <<'END'\n{lines}END\nexit {exit_code}\n")
        path.chmod(0o755)
        return path

    def score(self, uct, *arguments):
        """(exit code, what was printed)"""
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = SCORE.main(["--uct", str(uct), "--shared", str(self.shared.root), *arguments])
        return code, out.getvalue()


class CaptureFormats(unittest.TestCase):
    FRAMES = [ethernet(from_client(SYN)), ethernet(from_server(SYN | ACK))]

    def frames_of(self, data):
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            return [frame for _, frame in capture.read_frames(pathlib.Path(file.name))]

    def test_pcap_in_both_orders_pcapng_and_gzip(self):
        for data in (pcap(self.FRAMES), pcap(self.FRAMES, order=">"), pcapng(self.FRAMES),
                     gzip.compress(pcap(self.FRAMES))):
            self.assertEqual(self.frames_of(data), self.FRAMES)

    def test_a_cut_file_gives_what_is_whole(self):
        self.assertEqual(self.frames_of(pcap(self.FRAMES)[:-1]), self.FRAMES[:1])

    def test_something_else_is_refused(self):
        with self.assertRaises(capture.CaptureError):
            self.frames_of(b"not a capture, but long enough")

    def test_link_layers(self):
        inner = from_client(SYN)
        tagged = b"\0" * 12 + b"\x88\xa8\0\1\x81\0\0\2\x08\0" + inner
        for link, frame in ((1, ethernet(inner)), (1, tagged), (101, inner), (228, inner),
                            (113, b"\0" * 14 + b"\x08\0" + inner),
                            (276, b"\x08\0" + b"\0" * 18 + inner), (0, b"\2\0\0\0" + inner)):
            self.assertEqual(capture.ip_of_frame(link, frame)[1], inner, link)
        self.assertIsNone(capture.ip_of_frame(1, ethernet(inner, 0x0806)))
        self.assertIsNone(capture.ip_of_frame(9, inner))


class Conversations(unittest.TestCase):
    def conversation(self, data):
        packet = capture.Packet()
        capture.parse_ip(packet, data)
        return packet.conversation

    def test_both_directions_are_one(self):
        self.assertEqual(self.conversation(from_client(SYN)), self.conversation(from_server(ACK)))
        self.assertNotEqual(self.conversation(udp(CLIENT, SERVER, (1, 2))),
                            self.conversation(udp(CLIENT, SERVER, (2, 1))))

    def test_ping_is_told_by_its_id(self):
        def ping(source, target, kind, ident):
            return ip4(source, target, 1, struct.pack(">BBHHH", kind, 0, 0, ident, 1))
        request = self.conversation(ping(CLIENT, SERVER, 8, 7))
        self.assertEqual(request, self.conversation(ping(SERVER, CLIENT, 0, 7)))
        self.assertNotEqual(request, self.conversation(ping(CLIENT, SERVER, 8, 8)))

    def test_an_error_belongs_to_what_it_quotes(self):
        self.assertEqual(self.conversation(error_about(from_client(SYN))),
                         self.conversation(from_client(SYN)))

    def test_extension_headers_are_skipped(self):
        hops = ip6(b"\x11\0" + b"\0" * 6 + struct.pack(">HHHH", 5, 6, 8, 0), 0)
        plain = ip6(struct.pack(">HHHH", 5, 6, 8, 0), 17)
        self.assertEqual(self.conversation(hops), self.conversation(plain))

    def test_a_later_fragment_follows_the_first_in_any_order(self):
        first = ip4(CLIENT, SERVER, 17, struct.pack(">HHHH", 5, 6, 16, 0), 9, 0x2000)
        later = ip4(CLIENT, SERVER, 17, b"12345678", 9, 1)
        with tempfile.NamedTemporaryFile() as file:
            file.write(pcap([ethernet(later), ethernet(first)]))
            file.flush()
            packets = capture.packets_of(pathlib.Path(file.name))
        self.assertEqual(packets[0].conversation, packets[1].conversation)
        self.assertEqual(packets[0].conversation[0], "ports")

    def test_damaged_packets_do_not_fail(self):
        whole = error_about(from_client(SYN))
        for data in (whole, from_client(SYN), ip6(b"\0" * 20, 58), ip6(b"\x2c" + b"\0" * 9, 44)):
            for size in range(1, len(data)):
                capture.parse_ip(capture.Packet(), data[:size])


class Classes(WithShared):
    def test_a_then_c_then_b(self):
        self.shared.add_scenario("s", [
            (from_client(SYN), "tcp/handshake", "c:syn", "new", "new"),
            (from_server(SYN | ACK), "tcp/handshake", "s:synack", "est|rpl", "est|rpl"),
            (from_client(PSH | ACK), "tcp/handshake", "c:left-edge-far", "inv", "est"),
            (from_client(ACK), "tcp/handshake", "c:ack", "est", "est"),
            (from_client(ACK), "tcp/handshake", "c:ack", "inv", "est"),
        ])
        self.assertEqual(self.classes("s"), [("A", None), ("A", None), ("C", "T7"), ("B", None),
                                             ("C", "history")])

    def test_another_conversation_stays_in_class_a(self):
        self.shared.add_capture("c", [ethernet(from_client(ACK)),
                                      ethernet(udp(CLIENT, SERVER, (1, 2)))],
                                [("new", "inv"), ("new", "new")])
        self.assertEqual(self.classes("c")[1], ("A", None))

    def test_invalid_and_not_judged_do_not_part(self):
        self.shared.add_capture("c", [ethernet(from_client(SYN))] * 2 + [ethernet(b"", 0x0806)],
                                [("inv", "-"), ("new", "new"), ("inv", "-")])
        self.assertEqual(self.classes("c"), [("C", "other"), ("A", None)])

    def test_no_verdict_at_all_is_not_scored(self):
        self.shared.add_capture("c", [ethernet(from_client(SYN))], [("-", "-")])
        self.assertEqual(self.classes("c"), [])

    def test_scripts_that_linux_does_not_forward(self):
        self.shared.add_scenario("s", [(from_client(SYN), "ip/options", "c:x", "new", "new")])
        self.assertEqual(self.judged("s")[0].linux, "-")
        self.assertEqual(self.classes("s"), [("C", "other")])

    def test_untracked_tcp_is_noise(self):
        self.shared.add_capture("c", [ethernet(from_client(SYN))], [("inv", "untracked")])
        self.assertEqual(self.judged("c")[0].linux, "-")

    def test_reset_without_ack_goes_against_both_and_starts_class_b(self):
        self.shared.add_scenario("s", [
            (from_client(SYN), "tcp/bare-reset-to-syn", "c:syn", "new", "new"),
            (from_server(RST), "tcp/bare-reset-to-syn", "s:rst", "est|rpl", "est|rpl"),
            (from_server(SYN | ACK), "tcp/bare-reset-to-syn", "s:synack", "inv", "inv"),
        ])
        self.assertEqual(self.classes("s"), [("A", None), ("C", "T16"), ("B", None)])

    def test_reset_of_a_live_connection_is_no_t16(self):
        self.shared.add_capture("c", [ethernet(from_client(SYN)), ethernet(from_server(SYN | ACK)),
                                      ethernet(from_server(RST))],
                                [("new", "new"), ("est|rpl", "est|rpl"), ("est|rpl", "est|rpl")])
        self.assertEqual(self.classes("c")[2], ("A", None))

    def test_error_quoting_what_was_never_sent(self):
        frames = [from_client(SYN, 5), error_about(from_client(ACK, 6)),
                  error_about(from_client(ACK, 7))]
        self.shared.add_capture("c", [ethernet(frame) for frame in frames],
                                [("new", "new"), ("rel|rpl", "rel|rpl"), ("rel|rpl", "rel|rpl")])
        self.assertEqual(self.classes("c"), [("A", None), ("A", None), ("C", "E4")])

    def test_error_about_a_picked_up_connection(self):
        frames = [from_client(ACK, 5), error_about(from_client(ACK, 900))]
        self.shared.add_capture("c", [ethernet(frame) for frame in frames],
                                [("new", "new"), ("rel|rpl", "rel|rpl")])
        self.assertEqual(self.classes("c")[1], ("A", None))

    def test_version_mismatch(self):
        self.shared.add_capture("c", [ethernet(from_client(SYN), 0x86DD)], [("new", "-")])
        self.assertEqual(self.classes("c"), [("C", "L1")])

    def test_pick_up_stays_new_only_until_the_other_side_answers(self):
        frames = [from_client(ACK), from_client(ACK), from_server(ACK), from_client(ACK)]
        self.shared.add_capture("c", [ethernet(frame) for frame in frames],
                                [("new", "new"), ("est", "new"), ("est|rpl", "est|rpl"),
                                 ("est", "new")])
        self.assertEqual([rule for _, rule in self.classes("c")], [None, "T1", None, "history"])


class RuleTable(unittest.TestCase):
    def packet(self, script, step, ovs, linux, **facts):
        return references.Judged("f", 1, ovs, linux, script, step, {"clean": "yes", **facts})

    def rule(self, *arguments, **facts):
        packet = self.packet(*arguments, **facts)
        rule = next(rule for rule in rules.read_rules() if rule.fits(packet))
        return rule.name, rule.allowed(packet)

    def test_every_row_can_be_read_and_the_last_fits_all(self):
        table = rules.read_rules()
        self.assertTrue(all(rule.ours for rule in table))
        self.assertTrue(table[-1].fits(self.packet("any", "any", "new", "inv")))

    def test_a_row_of_another_width_is_refused(self):
        with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
            file.write("T1\tonly\tfour\tcells\n")
            file.flush()
            with self.assertRaises(rules.RuleError):
                rules.read_rules(pathlib.Path(file.name))

    def test_rules_by_step(self):
        for arguments, expected in (
                (("tcp/x/y", "c:rst-minus-1", "est", "inv"), ("T12", {"inv"})),
                (("tcp/x", "c:ack-unsent-1000", "est", "inv"), ("T8", {"est"})),
                (("tcp/x", "s:synack-on-established-far", "inv", "est|rpl"), ("T5", {"est|rpl"})),
                (("tcp/x", "s:syn-on-established-inside", "est|rpl", "inv"),
                 ("T24-26", {"est|rpl"})),
                (("tcp/x", "s:reuse-syn", "new", "inv"), ("T27-28", {"new"})),
                (("udp/land", "c:again", "new", "est|rpl"), ("U3", {"new"}))):
            self.assertEqual(self.rule(*arguments), expected)

    def test_rules_by_fact(self):
        found = self.rule("x", "icmp6.135", "inv", "untracked", protocol="icmp6", type="135")
        self.assertEqual(found, ("I4", {"untracked"}))
        found = self.rule("x", "tcp.R", "new", "inv", protocol="tcp", first="yes")
        self.assertEqual(found, ("T2", {"inv"}))

    def test_one_column_only(self):
        self.assertEqual(self.rule("x", "udp", "-", "est"), ("other", {"est"}))
        self.assertEqual(self.rule("x", "udp", "inv", "-"), ("other", {"inv"}))


class WholeRun(WithShared):
    ROWS = [
        (from_client(SYN), "tcp/handshake", "c:syn", "new", "new"),
        (from_server(SYN | ACK), "tcp/handshake", "s:synack", "est|rpl", "est|rpl"),
        (from_client(RST, 2), "tcp/handshake", "c:rst-beyond", "inv", "est"),
    ]

    def setUp(self):
        super().setUp()
        self.shared.add_scenario("s", self.ROWS)

    def test_all_right(self):
        code, text = self.score(self.uct(["new|trk", "est|rpl|trk", "inv|trk"]))
        self.assertEqual(code, 0)
        self.assertEqual(text.splitlines()[-1], "score: A 2/2 B 0/0 C 1/1 "
                         "(of B 0 forced apart by T16 or T27-28)")

    def test_a_reference_but_not_the_rule(self):
        code, text = self.score(self.uct(["new|trk", "est|rpl|trk", "est|trk"]))
        self.assertEqual(code, 1)
        self.assertIn("C 0/1", text.splitlines()[-1])
        code, text = self.score(self.uct(["new|trk", "est|rpl|trk", "est|trk"]), "--list",
                                "against-rule")
        self.assertEqual(text.split("\t")[:5], ["s", "3", "C", "T11", "tcp/handshake"])

    def test_a_missing_line_is_wrong(self):
        code, text = self.score(self.uct(["new|trk"]), "--list", "A")
        self.assertEqual(code, 1)
        self.assertIn("ours (none)", text)

    def test_explanations_behind_the_flags_are_ignored(self):
        lines = "1: new|trk tcp 10.0.0.1:1\n   detail\n2: untracked\n3: trk|est|rpl"
        self.assertEqual(SCORE.verdicts_of(lines), {1: "new", 2: "untracked", 3: "est|rpl"})

    def test_json(self):
        code, text = self.score(self.uct(["new|trk", "new|trk", "inv|trk"]), "--json")
        document = json.loads(text)
        self.assertEqual((code, document["passed"]), (1, False))
        self.assertEqual(document["total"]["A"], {"ok": 1, "all": 2})
        self.assertEqual(document["classes"][0]["examples"], ["s:2"])

    def test_a_crash_fails_even_without_labels(self):
        self.shared.add_capture("plain", [ethernet(from_client(SYN))])
        code, text = self.score(self.uct([], exit_code=3), "plain")
        self.assertEqual(code, 1)
        self.assertIn("failed: plain: exit 3", text)
        code, text = self.score(self.uct([], exit_code=5), "plain.pcap")
        self.assertEqual(code, 0)
        self.assertIn("note: plain: exit 5", text)

    def test_labels_of_another_capture_are_reported(self):
        self.shared.add_capture("odd", [ethernet(from_client(SYN))], [("new", "new")] * 2)
        code, text = self.score(self.uct(["new|trk"]), "odd")
        self.assertEqual(code, 1)
        self.assertIn("2 labels for 1 packets", text)

    def test_nothing_to_compare_with(self):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = SCORE.main(["--shared", str(self.folder / "nowhere")])
        self.assertEqual(code, 77)
        self.assertIn("skipped: no SHARED", out.getvalue())

    def test_wrong_calls(self):
        self.assertEqual(self.score(self.folder / "no-uct")[0], 2)
        self.assertEqual(self.score(self.uct([]), "no-such-capture")[0], 2)


class Passing(unittest.TestCase):
    def test_class_b_may_miss_one_in_a_hundred(self):
        def results(wrong):
            packet = references.Judged("f", 1, "new", "new", "x", "udp", {})
            return [report.FileScore("f", [report.Result(packet, "inv" if number < wrong else "new",
                                                         "B", None) for number in range(100)])]
        self.assertTrue(report.has_passed(results(1)))
        self.assertFalse(report.has_passed(results(2)))


if __name__ == "__main__":
    unittest.main()
