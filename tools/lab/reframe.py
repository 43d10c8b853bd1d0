#!/usr/bin/env python3
"""Rewrites an Ethernet pcap with the framing of a loopback device.

  reframe.py null IN OUT   BSD null: the family in the host's order (little-endian
                           file), 30 for IPv6 as macOS numbers it
  reframe.py loop IN OUT   OpenBSD loop: the family in network order (big-endian
                           file), 24 for IPv6

Frames that are not IPv4 or IPv6 are left out. IN is a little-endian pcap.
"""

import struct
import sys

LINKTYPE = {"null": 0, "loop": 108}
ORDER = {"null": "<", "loop": ">"}
FAMILY = {0x0800: {"null": 2, "loop": 2}, 0x86DD: {"null": 30, "loop": 24}}
MAGIC = 0xA1B2C3D4


def records(data):
    """Yields (seconds, microseconds, frame) for each record."""
    offset = 24
    while offset < len(data):
        seconds, fraction, size, _ = struct.unpack_from("<IIII", data, offset)
        offset += 16
        yield seconds, fraction, data[offset : offset + size]
        offset += size


def main():
    kind, source, target = sys.argv[1:]
    order = ORDER[kind]
    with open(source, "rb") as file:
        data = file.read()
    if struct.unpack_from("<I", data)[0] != MAGIC:
        sys.exit("reframe.py: not a little-endian pcap with microseconds: " + source)
    out = [struct.pack(order + "IHHiIII", MAGIC, 2, 4, 0, 0, 262144, LINKTYPE[kind])]
    for seconds, fraction, frame in records(data):
        ethertype = struct.unpack_from("!H", frame, 12)[0]
        if ethertype not in FAMILY:
            continue
        packet = struct.pack(order + "I", FAMILY[ethertype][kind]) + frame[14:]
        header = struct.pack(order + "IIII", seconds, fraction, len(packet), len(packet))
        out.append(header + packet)
    with open(target, "wb") as file:
        file.write(b"".join(out))


if __name__ == "__main__":
    main()
