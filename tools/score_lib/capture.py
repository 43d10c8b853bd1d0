"""Reads captures for the scorer: which frames are IP, and which conversation each belongs to.

Written apart from the tracker on purpose: a parser shared with it would share its mistakes. It
reads pcap (both byte orders, micro- and nanoseconds, the "modified" header), pcapng, and gzip.

A conversation is a hashable key that is the same for both directions:
    ports      TCP, UDP, UDP-Lite, SCTP, DCCP: the two (address, port) ends and the protocol
    id         ICMP queries: the two addresses and the id
    addresses  everything else: the two addresses and the protocol
An ICMP error belongs to the conversation that it quotes, a later fragment to that of its first one.
"""
import gzip
import struct

ETHERTYPE_IP = {0x0800: 4, 0x86DD: 6}
ETHERTYPE_TAG = (0x8100, 0x88A8, 0x9100)
LINK_NULL, LINK_ETHERNET, LINK_SLL, LINK_SLL2 = (0, 108), (1,), (113,), (276,)
LINK_RAW = (12, 14, 101, 228, 229)
TCP, UDP, ICMP, ICMP6, DCCP, SCTP, UDPLITE = 6, 17, 1, 58, 33, 132, 136
WITH_PORTS = (TCP, UDP, DCCP, SCTP, UDPLITE)
ICMP_QUERIES = {ICMP: (0, 8, 9, 10, 13, 14, 15, 16, 17, 18), ICMP6: (128, 129, 139, 140)}
ICMP_ERRORS = {ICMP: (3, 4, 5, 11, 12), ICMP6: tuple(range(0, 128))}
EXTENSIONS = (0, 43, 51, 60, 135, 139, 140)
FRAGMENT = 44


class CaptureError(Exception):
    """The file is not a capture, or its header cannot be read."""


def read_frames(path):
    """[(link type, bytes)] of the frames, in order, as far as the file can be read."""
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        return list(pcapng_frames(data))
    return list(pcap_frames(data))


PCAP_MAGIC = {b"\xa1\xb2\xc3\xd4": ">", b"\xa1\xb2\x3c\x4d": ">", b"\xa1\xb2\xcd\x34": ">",
              b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<", b"\x34\xcd\xb2\xa1": "<"}


def pcap_frames(data):
    order = PCAP_MAGIC.get(data[:4])
    if order is None or len(data) < 24:
        raise CaptureError("not a pcap or pcapng file")
    record_header = 24 if data[:4] in (b"\xa1\xb2\xcd\x34", b"\x34\xcd\xb2\xa1") else 16
    link = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
    at = 24
    while at + record_header <= len(data):
        size = struct.unpack_from(order + "I", data, at + 8)[0]
        at += record_header
        if at + size > len(data):
            return
        yield link, data[at:at + size]
        at += size


def pcapng_frames(data):
    order, links, at = "<", [], 0
    while at + 12 <= len(data):
        if data[at:at + 4] == b"\x0a\x0d\x0d\x0a":
            order = ">" if data[at + 8:at + 12] == b"\x1a\x2b\x3c\x4d" else "<"
            links = []
        kind, size = struct.unpack_from(order + "II", data, at)
        if size < 12 or at + size > len(data):
            return
        body = data[at + 8:at + size - 4]
        if kind == 1:
            links.append(struct.unpack_from(order + "H", body)[0])
        elif kind == 6:
            interface, _, _, captured = struct.unpack_from(order + "IIII", body)
            yield links[interface], body[20:20 + captured]
        elif kind == 3 and links:
            yield links[0], body[4:4 + struct.unpack_from(order + "I", body)[0]]
        elif kind == 2:
            interface, captured = struct.unpack_from(order + "H10xI", body)
            yield links[interface], body[20:20 + captured]
        at += size


def ip_of_frame(link, frame):
    """The IP bytes of a frame and the version its link layer announced (0: not told), or None."""
    if link in LINK_ETHERNET and len(frame) >= 14:
        kind, at = struct.unpack_from(">H", frame, 12)[0], 14
        while kind in ETHERTYPE_TAG and len(frame) >= at + 4:
            kind, at = struct.unpack_from(">H", frame, at + 2)[0], at + 4
    elif link in LINK_SLL and len(frame) >= 16:
        kind, at = struct.unpack_from(">H", frame, 14)[0], 16
        while kind in ETHERTYPE_TAG and len(frame) >= at + 4:
            kind, at = struct.unpack_from(">H", frame, at + 2)[0], at + 4
    elif link in LINK_SLL2 and len(frame) >= 20:
        kind, at = struct.unpack_from(">H", frame)[0], 20
    elif link in LINK_NULL and len(frame) >= 4:
        family = frame[0] or frame[3]
        kind, at = {2: 0x0800, 10: 0x86DD, 24: 0x86DD, 28: 0x86DD, 30: 0x86DD}.get(family, 0), 4
    elif link in LINK_RAW and frame and frame[0] >> 4 in (4, 6):
        return 0, frame
    else:
        return None
    return (ETHERTYPE_IP[kind], frame[at:]) if kind in ETHERTYPE_IP else None


class Packet:
    """What the scorer knows of one frame; `conversation` is None where nothing can be read."""
    __slots__ = ("is_ip", "version", "protocol", "source", "target", "conversation", "payload",
                 "fragment", "is_icmp_error", "has_version_mismatch")

    def __init__(self):
        self.is_ip = self.is_icmp_error = self.has_version_mismatch = False
        self.version = self.protocol = 0
        self.source = self.target = self.conversation = self.fragment = None
        self.payload = b""


def packets_of(path):
    """All frames of a capture as Packets, conversations resolved."""
    packets, first_fragments = [], {}
    for link, frame in read_frames(path):
        found = ip_of_frame(link, frame)
        packet = Packet()
        packets.append(packet)
        if found is None:
            continue
        packet.is_ip = True
        announced, data = found
        if data:
            packet.has_version_mismatch = announced not in (0, data[0] >> 4)
            parse_ip(packet, data)
            key = packet.fragment and packet.fragment[0]
            if key and packet.fragment[1] == 0 and packet.conversation:
                first_fragments.setdefault(key, packet.conversation)
    for packet in packets:
        if packet.fragment and packet.fragment[1] != 0:
            packet.conversation = first_fragments.get(packet.fragment[0], packet.conversation)
    return packets


def parse_ip(packet, data, is_quoted=False):
    """Fills a Packet from IP bytes; leaves what cannot be read."""
    packet.version = data[0] >> 4
    if packet.version == 4 and len(data) >= 20:
        parse_ip4(packet, data)
    elif packet.version == 6 and len(data) >= 40:
        parse_ip6(packet, data)
    else:
        return
    set_conversation(packet, is_quoted)


def parse_ip4(packet, data):
    header = max(20, (data[0] & 15) * 4)
    total, ident, offset = struct.unpack_from(">HHH", data, 2)
    packet.protocol = data[9]
    packet.source, packet.target = data[12:16], data[16:20]
    packet.payload = data[header:total] if header <= total <= len(data) else data[header:]
    if offset & 0x3FFF:
        key = (packet.source, packet.target, ident, packet.protocol)
        packet.fragment = (key, offset & 0x1FFF)


def parse_ip6(packet, data):
    packet.source, packet.target = data[8:24], data[24:40]
    length = struct.unpack_from(">H", data, 4)[0]
    if 0 < length <= len(data) - 40:
        data = data[:40 + length]
    kind, at = data[6], 40
    while len(data) >= at + 8:
        if kind == FRAGMENT:
            following, offset, ident = struct.unpack_from(">BxHI", data, at)
            if offset & 0xFFF9:
                key = (packet.source, packet.target, ident, 6)
                packet.fragment = (key, offset >> 3)
            kind, at = following, at + 8
            if offset >> 3:
                break
        elif kind in EXTENSIONS:
            size = (data[at + 1] + 2) * 4 if kind == 51 else (data[at + 1] + 1) * 8
            kind, at = data[at], at + size
        else:
            break
    packet.protocol, packet.payload = kind, data[at:]


def set_conversation(packet, is_quoted):
    pair = frozenset((packet.source, packet.target))
    packet.conversation = ("addresses", packet.protocol, pair)
    if packet.fragment and packet.fragment[1] != 0:
        return
    if packet.protocol in WITH_PORTS and len(packet.payload) >= 4:
        ports = struct.unpack_from(">HH", packet.payload)
        ends = tuple(sorted(((packet.source, ports[0]), (packet.target, ports[1]))))
        packet.conversation = ("ports", packet.protocol, ends)
    elif packet.protocol in ICMP_QUERIES and packet.payload:
        set_icmp_conversation(packet, pair, is_quoted)


def set_icmp_conversation(packet, pair, is_quoted):
    kind = packet.payload[0]
    if kind in ICMP_QUERIES[packet.protocol]:
        if len(packet.payload) >= 6:
            ident = struct.unpack_from(">H", packet.payload, 4)[0]
            packet.conversation = ("id", packet.protocol, pair, ident)
    elif kind in ICMP_ERRORS[packet.protocol]:
        packet.is_icmp_error = True
        inner = Packet()
        if not is_quoted and len(packet.payload) > 8:
            parse_ip(inner, packet.payload[8:], is_quoted=True)
        packet.conversation = inner.conversation or packet.conversation
    else:
        packet.conversation = ("type", packet.protocol, pair, kind)
