"""The two references' verdicts of a capture, and what the rules may ask about each packet.

A capture is judged where SHARED holds its labels. Scenario files have steps as well: what a packet
tries, in words. A real capture has none; its packets are named by protocol and flags instead.
"""
import pathlib
import struct

from . import capture

NOT_JUDGED = "-"
# Linux keeps an entry only for packets it forwards: here its column says nothing.
WITHOUT_LINUX = ("ip/options", "ip/odd-addresses", "mix/tcp-group")
PROTOCOL_NAMES = {1: "icmp", 6: "tcp", 17: "udp", 33: "dccp", 47: "gre", 58: "icmp6", 132: "sctp",
                  136: "udplite"}
HALF_OF_SEQUENCE_SPACE = 1 << 31


class Judged:
    """One packet to score: where it stands, what the references say, and its facts."""
    __slots__ = ("file", "number", "script", "step", "ovs", "linux", "facts", "conversation")

    def __init__(self, file, number, ovs, linux, script, step, facts, conversation=None):
        self.file, self.number = file, number
        self.ovs, self.linux = ovs, linux
        self.script, self.step = script, step
        self.facts = facts
        self.conversation = conversation

    @property
    def is_agreed(self):
        return self.ovs == self.linux

    @property
    def script_kind(self):
        """tcp/handshake/old-ack/fin is of the kind tcp/handshake; a capture's name is its own."""
        return "/".join(self.script.split("/")[:2])

    @property
    def step_without_suffix(self):
        return self.step.split(".")[0] if ":" in self.step else self.step


def find_captures(shared):
    """(name, capture, labels or None, steps or None) of every capture in a shared folder."""
    scenarios, captures = shared / "scenarios", shared / "captures"
    for path in sorted(scenarios.glob("*.pcap")):
        yield path.stem, path, existing(path.with_suffix(".labels.tsv")), \
            existing(path.with_suffix(".steps.tsv"))
    for path in sorted(captures.iterdir() if captures.is_dir() else []):
        if path.suffix in (".pcap", ".cap", ".pcapng"):
            yield path.stem, path, existing(captures / "labels" / (path.stem + ".tsv")), None


def existing(path):
    return path if path.is_file() else None


def read_table(path, has_header):
    lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines[1 if has_header else 0:] if line]


def judged_packets(name, path, labels_path, steps_path):
    """The packets of one capture that can be scored, in order."""
    labels = read_table(labels_path, has_header=True)
    steps = read_table(steps_path, has_header=False) if steps_path else None
    packets = capture.packets_of(path)
    if labels and len(labels) != len(packets):
        raise capture.CaptureError(f"{len(labels)} labels for {len(packets)} packets")
    past = {}
    judged = []
    for index, (packet, label) in enumerate(zip(packets, labels)):
        if not packet.is_ip:
            continue
        script, step = (steps[index][2], steps[index][3]) if steps else (name, "")
        ovs = label[1]
        linux = linux_verdict(ovs, label[2], packet, script)
        history = past.setdefault(packet.conversation, History())
        facts = facts_of(packet, history, past)
        facts["clean"] = yes_no(not history.differed)
        if ovs != NOT_JUDGED or linux != NOT_JUDGED:
            step = step or step_name(facts)
            judged.append(Judged(name, index + 1, ovs, linux, script, step, facts,
                                 packet.conversation))
        history.differed = history.differed or have_parted(ovs, linux)
        if not {ovs, linux} <= {NOT_JUDGED, "inv"}:
            history.add(packet)
    return judged


def linux_verdict(ovs, word, packet, script):
    if script.startswith(WITHOUT_LINUX):
        return NOT_JUDGED
    if word == "untracked" and packet.protocol != capture.ICMP6:
        return NOT_JUDGED  # The namespace's own neighbour discovery, logged at that moment.
    if ovs != word and (is_martian(packet.source) or is_martian(packet.target)):
        return NOT_JUDGED  # Linux forwards none of these, so that it keeps no entry for them.
    return word


def is_martian(address):
    """Whether no router forwards this IPv4 address: multicast, class E, loopback, 0/8."""
    if address is None or len(address) != 4:
        return False
    return address[0] in (0, 127) or address[0] >= 224


def have_parted(ovs, linux):
    """Whether the references carry different histories from here on.

    A packet that one never judged and the other called invalid changed nothing in either.
    """
    return ovs != linux and {ovs, linux} != {NOT_JUDGED, "inv"}


def yes_no(value):
    return "yes" if value else "no"


def step_name(facts):
    """A name for a packet of a capture without steps: protocol and TCP flags or ICMP type."""
    detail = facts.get("flags") or facts.get("type")
    return facts["protocol"] + ("." + detail if detail else "")


class History:
    """What a conversation showed before the packet at hand, as far as a reference accepted it."""

    def __init__(self):
        self.differed = False
        self.opener = None
        self.is_answered = False
        self.has_only_opening_syns = True
        self.starts_with_syn = False
        self.sent = {}

    def add(self, packet):
        if packet.is_icmp_error:
            return
        if self.opener is None:
            self.opener = end_of(packet)
        self.is_answered = self.is_answered or end_of(packet) != self.opener
        tcp = tcp_numbers(packet)
        if tcp is None:
            return
        flags, first, after = tcp
        if not self.sent:
            self.starts_with_syn = "S" in flags
        if not ("S" in flags and "A" not in flags and end_of(packet) == self.opener):
            self.has_only_opening_syns = False
        low, high = self.sent.get(end_of(packet), (first, after))
        self.sent[end_of(packet)] = (low if is_before(low, first) else first,
                                     high if is_before(after, high) else after)


def end_of(packet):
    """Address and, where the protocol has ports, port of the sender."""
    if packet.protocol in capture.WITH_PORTS and len(packet.payload) >= 2:
        return packet.source, packet.payload[:2]
    return packet.source


def is_before(a, b):
    """a <= b on the circle of sequence numbers."""
    return (b - a) % (1 << 32) < HALF_OF_SEQUENCE_SPACE


def tcp_numbers(packet):
    """(flags, sequence number, the number after the segment), or None when there is no header."""
    if packet.protocol != capture.TCP or len(packet.payload) < 20 or packet.fragment:
        return None
    first = struct.unpack_from(">I", packet.payload, 4)[0]
    flags = flag_letters(packet.payload[13])
    data = max(0, len(packet.payload) - (packet.payload[12] >> 4) * 4)
    return flags, first, (first + data + ("S" in flags) + ("F" in flags)) % (1 << 32)


def flag_letters(bits):
    return "".join(letter for bit, letter in enumerate("FSRPAU") if bits >> bit & 1) or "none"


def facts_of(packet, history, past):
    """What the rule table may ask about a packet; every value is a word."""
    protocol = PROTOCOL_NAMES.get(packet.protocol, str(packet.protocol))
    is_answer = history.opener is not None and end_of(packet) != history.opener
    facts = {
        "protocol": protocol,
        "first": yes_no(history.opener is None),
        "one-sided": yes_no(not history.is_answered and not is_answer),
        "opening": yes_no(is_answer and history.starts_with_syn and history.has_only_opening_syns),
        "version": "mismatch" if packet.has_version_mismatch else str(packet.version),
        "fragment": yes_no(packet.fragment),
    }
    if protocol == "tcp" and len(packet.payload) >= 14:
        facts["flags"] = flag_letters(packet.payload[13])
    if protocol in ("icmp", "icmp6") and packet.payload:
        facts["type"] = str(packet.payload[0])
    if packet.is_icmp_error:
        facts["quoted"] = quoted_sequence(packet, past.get(packet.conversation))
    return facts


def quoted_sequence(packet, history):
    """Whether the TCP number that an ICMP error quotes was sent: inside, outside or unknown."""
    inner = capture.Packet()
    if len(packet.payload) > 8:
        capture.parse_ip(inner, packet.payload[8:], is_quoted=True)
    if history is None or not history.starts_with_syn or len(inner.payload) < 8:
        return "unknown"
    if inner.protocol != capture.TCP or end_of(inner) not in history.sent:
        return "unknown"
    low, high = history.sent[end_of(inner)]
    number = struct.unpack_from(">I", inner.payload, 4)[0]
    return "inside" if is_before(low, number) and is_before(number, high) else "outside"
