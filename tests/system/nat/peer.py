#!/usr/bin/env python3
"""The two ends of tests/system/nat_programs.sh: an echo server that says whom it sees, and clients.

  peer.py serve NAME [--tcp PORT...] [--udp PORT...] [--sctp PORT...]
  peer.py tcp|udp|sctp ADDRESS PORT [--bytes N] [--from ADDRESS] [--source-port PORT]
              [--tries N] [--repeat N] [--hold SECONDS] [--timeout SECONDS] [--reversed]
  peer.py watch-ping ADDRESS COUNT [--timeout SECONDS]
  peer.py has-sctp

With --reversed, a datagram leaves in fragments, the last one first, as no kernel would send it.

A connection gets one line, "NAME PEER-ADDRESS PEER-PORT", and then all that it sends. A datagram
`who` gets that line, any other comes back as it is. A client prints the line that it got, and fails
when what came back is not what it sent. watch-ping prints "PEER-ADDRESS ID" of each new one among
the echo requests to ADDRESS, until it has COUNT. Exit 0 all right, 1 not, 2 usage.
"""

import argparse
import random
import selectors
import socket
import struct
import sys
import threading
import time

IPPROTO_SCTP = 132  # not in Python's socket module where the system headers lack it
WHO = b"who"


def stream_socket(family, kind):
    if kind == "sctp":
        return socket.socket(family, socket.SOCK_STREAM, IPPROTO_SCTP)
    return socket.socket(family, socket.SOCK_STREAM)


def bound(family, kind, port):
    """A socket that receives on `port`, of one family only."""
    if kind == "udp":
        made = socket.socket(family, socket.SOCK_DGRAM)
    else:
        made = stream_socket(family, kind)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if kind != "sctp":
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("", port))
    if kind != "udp":
        made.listen(32)
    return made


def line_about(name, peer):
    return f"{name} {peer[0]} {peer[1]}\n".encode()


def answer_stream(name, connection, peer):
    with connection:
        connection.settimeout(20)
        try:
            connection.sendall(line_about(name, peer))
            while data := connection.recv(65536):
                connection.sendall(data)
        except OSError:
            pass  # the client went away; it says itself whether that was wrong


def answer_datagram(name, receiver):
    data, peer = receiver.recvfrom(65536)
    receiver.sendto(line_about(name, peer) if data == WHO else data, peer)


def serve(options):
    selector = selectors.DefaultSelector()
    for kind in ("tcp", "udp", "sctp"):
        for port in getattr(options, kind):
            for family in (socket.AF_INET, socket.AF_INET6):
                selector.register(bound(family, kind, port), selectors.EVENT_READ, kind)
    while True:
        for key, _ in selector.select():
            if key.data == "udp":
                answer_datagram(options.name, key.fileobj)
            else:
                arguments = (options.name, *key.fileobj.accept())
                threading.Thread(target=answer_stream, args=arguments, daemon=True).start()


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def prepare(made, options):
    made.settimeout(options.timeout)
    if options.source_port:  # it was used for another address, maybe of the other family
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if made.family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if options.source or options.source_port:
        made.bind((options.source, options.source_port))
    made.connect((options.address, options.port))


def content(options):
    """Bytes that are hard to mix up: of no two places the same."""
    return random.Random(options.bytes).randbytes(options.bytes)


def exchange(connection, data):
    """Sends while it receives, so that neither end waits for the other's buffer."""
    def send():
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    sender.join()
    return b"".join(parts)


def run_stream(options):
    with stream_socket(family_of(options.address), options.action) as connection:
        prepare(connection, options)
        line = b""
        while not line.endswith(b"\n"):
            part = connection.recv(1)
            if not part:
                raise ConnectionError("the server closed before it said anything")
            line += part
        print(line.decode(), end="", flush=True)
        if options.hold:
            time.sleep(options.hold)
        if options.action == "tcp":  # SCTP cannot close one half
            data = content(options)
            if exchange(connection, data) != data:
                raise ValueError("what came back is not what was sent")


def internet_sum(data):
    total = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def udp_packet(client, data):
    """Source, destination and the UDP packet that the connected `client` would send."""
    ends = [end[:2] for end in (client.getsockname(), client.getpeername())]
    source, target = (socket.inet_pton(client.family, address) for address, _ in ends)
    head = struct.pack(">HHH", ends[0][1], ends[1][1], 8 + len(data))
    pseudo = source + target + struct.pack(">IxxxB", 8 + len(data), socket.IPPROTO_UDP)
    checksum = internet_sum(pseudo + head + bytes(2) + data) or 0xffff
    return source, target, head + struct.pack(">H", checksum) + data


def send_reversed(client, data, size=1200):
    source, target, packet = udp_packet(client, data)
    identification = random.getrandbits(15) + 1
    with socket.socket(client.family, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        for at in reversed(range(0, len(packet), size)):
            piece, more = packet[at:at + size], at + size < len(packet)
            if client.family == socket.AF_INET6:
                piece = struct.pack(">BxHI", socket.IPPROTO_UDP, at | more, identification) + piece
                head = struct.pack(">IHBB", 6 << 28, len(piece), 44, 64)
            else:  # the kernel puts length and checksum in
                head = struct.pack(">BBHHHBBH", 0x45, 0, 0, identification, more << 13 | at >> 3,
                                   64, socket.IPPROTO_UDP, 0)
            raw.sendto(head + source + target + piece, (client.getpeername()[0], 0))


def ask(client, data, options):
    for left in reversed(range(options.tries)):
        try:
            if options.reversed and data != WHO:
                send_reversed(client, data)
            else:
                client.send(data)
            return client.recv(65536)
        except (TimeoutError, OSError):
            if left == 0:
                raise


def run_datagrams(options):
    with socket.socket(family_of(options.address), socket.SOCK_DGRAM) as client:
        prepare(client, options)
        print(ask(client, WHO, options).decode(), end="", flush=True)
        data = content(options)
        if data and ask(client, data, options) != data:
            raise ValueError("what came back is not what was sent")


def run_client(options):
    run = run_datagrams if options.action == "udp" else run_stream
    try:
        for _ in range(options.repeat):
            run(options)
    except (OSError, ValueError) as error:
        sys.exit(f"{options.action} {options.address} {options.port}: {error!r}")


def watch_ping(options):
    v6 = family_of(options.address) == socket.AF_INET6
    protocol = socket.IPPROTO_ICMPV6 if v6 else socket.IPPROTO_ICMP
    with socket.socket(family_of(options.address), socket.SOCK_RAW, protocol) as watcher:
        watcher.bind((options.address, 0))
        watcher.settimeout(options.timeout)
        seen = set()
        print("watching", flush=True)
        while len(seen) < options.count:
            data, peer = watcher.recvfrom(65536)
            message = data if v6 else data[(data[0] & 15) * 4:]  # IPv4 comes with its header
            identity = (peer[0], int.from_bytes(message[4:6], "big"))
            if message[0] == (128 if v6 else 8) and identity not in seen:
                seen.add(identity)
                print(*identity, flush=True)


def has_sctp():
    try:
        stream_socket(socket.AF_INET, "sctp").close()
    except OSError as error:
        sys.exit(str(error))


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", required=True)
    server = actions.add_parser("serve")
    server.add_argument("name")
    for kind in ("tcp", "udp", "sctp"):
        server.add_argument("--" + kind, type=int, nargs="+", default=[])
        client = actions.add_parser(kind)
        client.add_argument("address")
        client.add_argument("port", type=int)
        client.add_argument("--bytes", type=int, default=0)
        client.add_argument("--from", dest="source", default="")
        client.add_argument("--source-port", type=int, default=0)
        client.add_argument("--tries", type=int, default=1)
        client.add_argument("--repeat", type=int, default=1)
        client.add_argument("--hold", type=float, default=0)
        client.add_argument("--timeout", type=float, default=5)
        client.add_argument("--reversed", action="store_true")
    watcher = actions.add_parser("watch-ping")
    watcher.add_argument("address")
    watcher.add_argument("count", type=int)
    watcher.add_argument("--timeout", type=float, default=5)
    actions.add_parser("has-sctp")
    return parser.parse_args()


def main():
    options = parse()
    if options.action == "serve":
        serve(options)
    elif options.action == "watch-ping":
        watch_ping(options)
    elif options.action == "has-sctp":
        has_sctp()
    else:
        run_client(options)


if __name__ == "__main__":
    main()
