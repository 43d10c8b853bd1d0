#!/usr/bin/env python3
"""A network device in user space, for what a small kernel may not offer.

Two kinds, chosen by what follows the name:

  wire.py --name w0 --device c0 [--tag TPID:VID]... [--loss P] [--reorder P]
          [--duplicate P] [--delay SECONDS] [--seed N]
      A tap device on top of the cable c0. Frames written to it leave on c0
      with the tags in front (first one outermost) and arrive without them.
      Loss, reordering, duplication and delay meet both directions alike and
      depend only on the seed and the order of frames.

  wire.py --name t0 --tunnel gre|ipip --local A --remote B
      A tun device whose packets travel in GRE or IP-in-IP between A and B.

The namespace is the one the program is started in. Runs until it is killed.
"""

import argparse
import fcntl
import heapq
import os
import random
import select
import socket
import struct
import time

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_TAP, IFF_NO_PI = 1, 2, 0x1000
SOL_PACKET, PACKET_AUXDATA = 263, 8
PACKET_OUTGOING = 4
ETH_P_ALL = 3
STATUS_VLAN_VALID, STATUS_TPID_VALID = 1 << 4, 1 << 6
PROTOCOL = {"gre": 47, "ipip": 4}
REORDER_SECONDS = 0.03  # how long a reordered frame waits


def open_device(name, flags):
    """Makes the tun or tap device and returns its file descriptor."""
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags | IFF_NO_PI))
    return device


def parse_tag(text):
    """"8021ad:6" -> the four octets of the tag."""
    tpid, vid = text.split(":")
    return struct.pack("!HH", {"8021q": 0x8100, "8021ad": 0x88A8}[tpid], int(vid))


class Cable:
    """The packet socket on the device underneath."""

    def __init__(self, device):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.bind((device, ETH_P_ALL))
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)

    def read(self):
        """The next frame that came in, or None for one that we sent."""
        frame, control, _, address = self.socket.recvmsg(65536, 64)
        if address[2] == PACKET_OUTGOING:
            return None
        for level, kind, data in control:
            if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                return frame[:12] + self.hidden_tag(data) + frame[12:]
        return frame

    @staticmethod
    def hidden_tag(auxdata):
        """The kernel keeps the outer tag beside the frame: its four octets."""
        status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", auxdata[:20])
        if not status & STATUS_VLAN_VALID:
            return b""
        return struct.pack("!HH", tpid if status & STATUS_TPID_VALID else 0x8100, tci)

    def write(self, frame):
        self.socket.send(frame)


class Weather:
    """Decides for each frame how often and when it arrives."""

    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.queue = []  # (due, order, write, frame)
        self.order = 0

    def accept(self, write, frame):
        options = self.options
        if self.random.random() < options.loss:
            return
        copies = 2 if self.random.random() < options.duplicate else 1
        late = REORDER_SECONDS if self.random.random() < options.reorder else 0
        for _ in range(copies):
            self.order += 1
            due = time.monotonic() + options.delay + late
            heapq.heappush(self.queue, (due, self.order, write, frame))

    def deliver(self):
        """Writes all that is due; returns the seconds until the next one."""
        while self.queue:
            wait = self.queue[0][0] - time.monotonic()
            if wait > 0:
                return wait
            _, _, write, frame = heapq.heappop(self.queue)
            write(frame)
        return None


def run_tap(options):
    tap = open_device(options.name, IFF_TAP)
    cable = Cable(options.device)
    tags = b"".join(parse_tag(tag) for tag in options.tag)
    weather = Weather(options)

    def untag(frame):
        if frame[12 : 12 + len(tags)] != tags:
            return
        try:
            os.write(tap, frame[:12] + frame[12 + len(tags) :])
        except OSError:
            pass  # the device is not up yet: nobody hears the frame

    while True:
        ready, _, _ = select.select([tap, cable.socket], [], [], weather.deliver())
        if tap in ready:
            frame = os.read(tap, 65536)
            weather.accept(cable.write, frame[:12] + tags + frame[12:])
        if cable.socket in ready:
            frame = cable.read()
            if frame is not None:
                weather.accept(untag, frame)


def run_tunnel(options):
    tun = open_device(options.name, IFF_TUN)
    outer = socket.socket(socket.AF_INET, socket.SOCK_RAW, PROTOCOL[options.tunnel])
    outer.bind((options.local, 0))
    outer.connect((options.remote, 0))
    # Plain GRE: no checksum, key or sequence number; the payload is IPv4.
    header = struct.pack("!HH", 0, 0x0800) if options.tunnel == "gre" else b""
    while True:
        ready, _, _ = select.select([tun, outer], [], [])
        if tun in ready:
            outer.send(header + os.read(tun, 65536))
        if outer in ready:
            packet = outer.recv(65536)
            inner = packet[(packet[0] & 15) * 4 :]
            if inner.startswith(header):
                os.write(tun, inner[len(header) :])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    parser.add_argument("--device")
    parser.add_argument("--tag", action="append", default=[])
    for chance in ("loss", "reorder", "duplicate", "delay"):
        parser.add_argument("--" + chance, type=float, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tunnel", choices=PROTOCOL)
    parser.add_argument("--local")
    parser.add_argument("--remote")
    options = parser.parse_args()
    if options.tunnel:
        run_tunnel(options)
    else:
        run_tap(options)


if __name__ == "__main__":
    main()
