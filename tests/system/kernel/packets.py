"""Packets as bytes, each beginning with its IP header: made, read and compared.

Addresses are texts, their family is the packet's. What is made has right checksums unless asked.
"""
import ipaddress
import struct
from collections import namedtuple

ICMP, TCP, UDP, DCCP, GRE, ICMPV6, SCTP, UDPLITE = 1, 6, 17, 33, 47, 58, 132, 136
FRAGMENT = 44
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CHECKSUM_AT = {TCP: 16, UDP: 6, UDPLITE: 6, DCCP: 6, ICMP: 2, ICMPV6: 2}

View = namedtuple("View", "source destination protocol source_port destination_port transport body")


# --- checksums ----------------------------------------------------------------------------------

def ones_sum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return struct.pack("<I", crc ^ 0xffffffff)


def packed(address):
    return ipaddress.ip_address(address).packed


def transport_sum(source, destination, protocol, data):
    """The checksum over a pseudo header and `data`, whose own field is zero."""
    pseudo = packed(source) + packed(destination) + struct.pack(">II", len(data), protocol)
    return 0xffff - ones_sum(pseudo + data)


def put_sum(source, destination, protocol, data, wrong=0):
    """`data` with its checksum; `wrong` is added to it."""
    at = CHECKSUM_AT[protocol]
    if protocol == ICMP:
        value = 0xffff - ones_sum(data)
    else:
        value = transport_sum(source, destination, protocol, data)
    if protocol in (UDP, UDPLITE):
        value = value or 0xffff  # zero says that there is none
    return data[:at] + struct.pack(">H", (value + wrong) & 0xffff) + data[at + 2:]


# --- making -------------------------------------------------------------------------------------

def ip(source, destination, protocol, data, ident=1, fragment=0, hops=64):
    """`fragment` is IPv4's flags and offset."""
    if ":" in source:
        head = struct.pack(">IHBB", 6 << 28, len(data), protocol, hops)
        return head + packed(source) + packed(destination) + data
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(data), ident, fragment, hops, protocol, 0)
    head += packed(source) + packed(destination)
    return head[:10] + struct.pack(">H", 0xffff - ones_sum(head)) + head[12:] + data


def udp(source, destination, data=b"data", wrong=0, checksum=True):
    """`source` and `destination` are (address, port)."""
    segment = struct.pack(">HHHH", source[1], destination[1], 8 + len(data), 0) + data
    if checksum:
        segment = put_sum(source[0], destination[0], UDP, segment, wrong)
    return ip(source[0], destination[0], UDP, segment)


def udplite(source, destination, data=b"data"):
    segment = struct.pack(">HHHH", source[1], destination[1], 0, 0) + data
    return ip(source[0], destination[0], UDPLITE,
              put_sum(source[0], destination[0], UDPLITE, segment))


def tcp(source, destination, flags, seq, ack=0, data=b"", wrong=0):
    segment = struct.pack(">HHIIBBHHH", source[1], destination[1], seq, ack, 0x50, flags, 65535,
                          0, 0) + data
    return ip(source[0], destination[0], TCP,
              put_sum(source[0], destination[0], TCP, segment, wrong))


def dccp(source, destination, kind, number, ack=None):
    """With 48-bit sequence numbers; a request or response has a service code."""
    body = (b"" if ack is None else struct.pack(">HHI", 0, 0, ack))
    body += struct.pack(">I", 1) if kind in (0, 1) else b""
    words = (16 + len(body)) // 4
    segment = struct.pack(">HHBBHBBHI", source[1], destination[1], words, 0, 0, kind << 1 | 1, 0,
                          0, number) + body
    return ip(source[0], destination[0], DCCP, put_sum(source[0], destination[0], DCCP, segment))


def sctp(source, destination, tag, chunks):
    head = struct.pack(">HHI", source[1], destination[1], tag)
    return ip(source[0], destination[0], SCTP, head + crc32c(head + bytes(4) + chunks) + chunks)


def chunk(kind, body=b""):
    return struct.pack(">BBH", kind, 0, 4 + len(body)) + body + bytes(-len(body) % 4)


def init(kind, tag):
    """INIT (1) or INIT ACK (2), this one with a cookie."""
    cookie = struct.pack(">HH", 7, 8) + b"bake" if kind == 2 else b""
    return chunk(kind, struct.pack(">IIHHI", tag, 65535, 1, 1, 1000) + cookie)


def icmp(source, destination, kind, code, rest, data, wrong=0):
    protocol = ICMPV6 if ":" in source else ICMP
    message = struct.pack(">BBHI", kind, code, 0, rest) + data
    return ip(source, destination, protocol,
              put_sum(source, destination, protocol, message, wrong))


def echo(source, destination, ident, number=1, answer=False, wrong=0, data=b"abcdefgh"):
    kind = (129 if answer else 128) if ":" in source else (0 if answer else 8)
    return icmp(source, destination, kind, 0, ident << 16 | number, data, wrong)


def fragments(packet, size, ident=1):
    """The packet in fragments of `size` bytes of payload; what lingers has another `ident`."""
    view = read(packet)
    data, made = view.body, []
    for at in range(0, len(data), size):
        more = at + size < len(data)
        piece = data[at:at + size]
        if packet[0] >> 4 == 4:
            made.append(ip(view.source, view.destination, view.protocol, piece, ident,
                           more << 13 | at // 8))
        else:
            extra = struct.pack(">BBHI", view.protocol, 0, at | more, ident)
            made.append(ip(view.source, view.destination, FRAGMENT, extra + piece))
    return made


# --- reading ------------------------------------------------------------------------------------

def read(packet):
    """Ports of ICMP are its id, for what has one."""
    if packet[0] >> 4 == 4:
        at, protocol = (packet[0] & 15) * 4, packet[9]
        source, destination = packet[12:16], packet[16:20]
        total = struct.unpack(">H", packet[2:4])[0]
    else:
        at, protocol, total = 40, packet[6], 40 + struct.unpack(">H", packet[4:6])[0]
        source, destination = packet[8:24], packet[24:40]
    body = packet[at:total]
    ports = (0, 0)
    if protocol in (TCP, UDP, UDPLITE, DCCP, SCTP) and len(body) >= 4:
        ports = struct.unpack(">HH", body[:4])
    elif protocol in (ICMP, ICMPV6) and len(body) >= 8 and not is_error(protocol, body):
        ports = struct.unpack(">H", body[4:6]) * 2
    return View(str(ipaddress.ip_address(source)), str(ipaddress.ip_address(destination)), protocol,
                *ports, at, body)


def is_error(protocol, body):
    if protocol == ICMP:
        return body[0] in (3, 4, 5, 11, 12)
    return protocol == ICMPV6 and body[0] < 128


def ends(packet):
    """(address, port) of source and destination."""
    view = read(packet)
    return (view.source, view.source_port), (view.destination, view.destination_port)


def whole(packets):
    """One packet made of all fragments, or None when some lack; of others the first."""
    pieces, first = {}, packets[0]
    for packet in packets:
        view = read(packet)
        if packet[0] >> 4 == 4:
            word, data, protocol = struct.unpack(">H", packet[6:8])[0], view.body, view.protocol
            at, more = (word & 0x1fff) * 8, word & 0x2000
            if not at and not more:
                return first
        elif view.protocol == FRAGMENT:
            protocol, word = view.body[0], struct.unpack(">H", view.body[2:4])[0]
            at, more, data = word & 0xfff8, word & 1, view.body[8:]
        else:
            return first
        pieces[at] = (data, more)
    data = b""
    while len(data) in pieces:
        piece, more = pieces[len(data)]
        data += piece
        if not more:
            view = read(first)
            ident = struct.unpack(">H", first[4:6])[0] if first[0] >> 4 == 4 else 0
            hops = first[8] if first[0] >> 4 == 4 else first[7]
            return ip(view.source, view.destination, protocol, data, ident, hops=hops)
    return None


# --- comparing ----------------------------------------------------------------------------------

def patched(data, at, old, new):
    """A checksum at `at` that follows a 16-bit change (RFC 1624); 0 of UDP stays 0."""
    value = struct.unpack(">H", data[at:at + 2])[0]
    value = 0xffff - ones_sum(struct.pack(">HHH", 0xffff - value, 0xffff - old, new))
    data[at:at + 2] = struct.pack(">H", value)


def rename(data, start, names):
    """Puts a name in the place of each drawn port. Gives the changes, as pairs."""
    view = read(bytes(data[start:]))
    at, changes = start + view.transport, []
    if view.protocol in (ICMP, ICMPV6):
        key = [k for k in ((view.source, view.source_port), (view.destination, view.source_port))
               if k in names and view.source_port]
        places = [(at + 4, key[0])] if key else []
    else:
        places = [(at, (view.source, view.source_port)),
                  (at + 2, (view.destination, view.destination_port))]
    field = at + CHECKSUM_AT.get(view.protocol, 0xffff)
    for place, key in places:
        if key not in names:
            continue
        changes.append((key[1], names[key]))
        data[place:place + 2] = struct.pack(">H", names[key])
        if field + 2 <= len(data) and (view.protocol != UDP or any(data[field:field + 2])):
            before = struct.unpack(">H", data[field:field + 2])[0]
            patched(data, field, *changes[-1])
            changes.append((before, struct.unpack(">H", data[field:field + 2])[0]))
    return changes


def comparable(packet, names):
    """The packet with a name for each drawn port; `names` has it by (address, port)."""
    data = bytearray(packet)
    view = read(packet)
    rename(data, 0, names)
    if is_error(view.protocol, view.body) and len(view.body) > 28:
        for old, new in rename(data, view.transport + 8, names):
            patched(data, view.transport + 2, old, new)
    return bytes(data)


def take_hop(packet):
    """What any router does: one hop less; an IPv4 header's checksum follows (RFC 1624)."""
    data = bytearray(packet)
    if packet[0] >> 4 == 4:
        old = struct.unpack(">H", packet[8:10])[0]
        data[8] -= 1
        patched(data, 10, old, old - 256)
    else:
        data[7] -= 1
    return bytes(data)


def differing(left, right):
    """Names the fields in which two packets differ."""
    if len(left) != len(right):
        return f"length {len(left)} and {len(right)}"
    view, fields = read(left), []
    checksum = CHECKSUM_AT.get(view.protocol, 8 if view.protocol == SCTP else 0xffff)
    size = 4 if view.protocol == SCTP else 2
    for at in range(len(left)):
        if left[at] == right[at]:
            continue
        inner = at - view.transport
        if inner < 0:
            field = "IP header"
        elif checksum <= inner < checksum + size:
            field = "checksum"
        elif inner < 4 and view.protocol not in (ICMP, ICMPV6):
            field = "source port" if inner < 2 else "destination port"
        else:
            field = "data" if view.protocol not in (ICMP, ICMPV6) or inner >= 8 else "message"
        if field not in fields:
            fields.append(field)
    return ", ".join(fields)
