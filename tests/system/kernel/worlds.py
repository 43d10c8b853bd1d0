"""The two that are compared: the kernel of this network namespace, and libuct behind nat_pipe.

Both take packets of one side, 'i' (inside) or 'o' (outside), and give what came of them. The
namespace must be one of our own: it gets devices, routes and rules, and goes with the process.
"""
import json
import os
import socket
import struct
import subprocess
from collections import namedtuple

import packets

Result = namedtuple("Result", "out back state reason")

# The router's own addresses, and the neighbour that it sends everything to on each side.
ADDRESSES = {"i": ("10.255.0.1/24", "fd00:ff::1/64"), "o": ("203.0.113.1/24", "2001:db8:71::1/64")}
NEIGHBOURS = {"i": ("10.255.0.2", "fd00:ff::2"), "o": ("203.0.113.2", "2001:db8:71::2")}
ROUTES = {"i": ("10.0.0.0/8", "fd00::/16"), "o": ("default", "default")}
NEIGHBOUR_MAC = bytes.fromhex("020000000099")
ROUTER_MAC = {"i": bytes.fromhex("020000000011"), "o": bytes.fromhex("020000000021")}

STATES = {"new": "new", "est": "established", "rel": "related"}
MARK_PROTOCOL = 253  # for experiments (RFC 3692): what comes out behind it came of later packets
MARKS = {"i": ("10.200.0.250", "192.0.2.250"), "o": ("192.0.2.250", "10.200.0.250")}

# What any gateway has: nothing invalid passes, and from outside only what was translated opens.
RULES = """
add table inet gate
delete table inet gate
table inet gate {
  %(counters)s
  chain early { type filter hook prerouting priority raw; ip protocol %(mark)d notrack; }
  chain states { type filter hook prerouting priority mangle;
    %(count)s
  }
  chain guard {
    type filter hook forward priority filter
    ct state invalid drop
    iifname "o1" ct state new ct status & dnat == 0 drop
  }
  chain local { type filter hook input priority filter; policy drop; }
  chain destinations { type nat hook prerouting priority dstnat;
    %(destination)s
  }
  chain sources { type nat hook postrouting priority srcnat;
    %(source)s
  }
}
"""


def counter_rules():
    names, rules = [], []
    for word, state in STATES.items():
        for suffix, direction in (("", "original"), ("_rpl", "reply")):
            names.append(word + suffix)
            rules.append(f"ct state {state} ct direction {direction} counter name {names[-1]}")
    for word in ("invalid", "untracked"):
        names.append("c_" + word)
        rules.append(f"ip protocol != {MARK_PROTOCOL} ct state {word} counter name c_{word}")
        rules.append(f"meta nfproto ipv6 ct state {word} counter name c_{word}")
    return "\n".join(f"counter {name} {{ }}" for name in names), "\n".join(rules)


def write(path, value):
    with open(path, "w", encoding="ascii") as file:
        file.write(value)


class Kernel:
    name = "linux"

    def __init__(self):
        # One processor: what goes in is worked off in its order, before what goes in later.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        self.make_devices()
        self.sockets = {}
        for side in "io":
            made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            made.bind((side + "0", 3))
            made.settimeout(2)
            self.sockets[side] = made
        self.mark = 0

    @staticmethod
    def make_devices():
        lines = []
        for side in "io":
            device = side + "1"
            lines += [f"link add {side}0 type veth peer name {device}",
                      f"link set {device} address {ROUTER_MAC[side].hex(':')}"]
        run(["ip", "-batch", "-"], "\n".join(lines))
        settings = {"ipv4/ip_forward": 1, "ipv6/conf/all/forwarding": 1,
                    "ipv4/conf/all/rp_filter": 0, "ipv4/conf/all/send_redirects": 0,
                    "ipv4/conf/i1/send_redirects": 0, "ipv6/conf/i0/disable_ipv6": 1,
                    "ipv6/conf/o0/disable_ipv6": 1, "ipv6/conf/i1/accept_dad": 0,
                    "ipv6/conf/o1/accept_dad": 0, "ipv4/conf/i1/rp_filter": 0,
                    "ipv4/conf/o1/rp_filter": 0, "netfilter/nf_conntrack_checksum": 1}
        for name, value in settings.items():
            write("/proc/sys/net/" + name, str(value))
        lines = ["link set lo up"]
        for side in "io":
            device = side + "1"
            lines += [f"link set {side}0 arp off up", f"link set {device} up"]
            for address, neighbour, route in zip(ADDRESSES[side], NEIGHBOURS[side], ROUTES[side]):
                lines += [f"address add {address} dev {device}" + " nodad" * (":" in address),
                          f"neighbour add {neighbour} lladdr {NEIGHBOUR_MAC.hex(':')} "
                          f"dev {device} nud permanent",
                          f"-6 route add {route} via {neighbour} dev {device}" if ":" in neighbour
                          else f"route add {route} via {neighbour} dev {device}"]
        for line in lines:
            run(["ip", *line.split()])

    def start(self, case):
        """Empties the table and takes the case's rules."""
        counters, count = counter_rules()
        run(["nft", "-f", "-"], RULES % {
            "counters": counters, "count": count, "mark": MARK_PROTOCOL,
            "destination": "\n".join(case.nft_destination), "source": "\n".join(case.nft_source)})
        flush_connections()
        self.seen, self.names, self.tuples = {}, {}, set()

    def stop(self):
        pass

    def send(self, side, group):
        for packet in group:
            self.send_frame(side, packet)
        self.mark += 1
        mine, other = self.until_mark(side), self.until_mark("o" if side == "i" else "i")
        return Result(other, mine, self.state(), "")

    def send_frame(self, side, packet):
        kind = b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd"
        self.sockets[side].send(ROUTER_MAC[side] + NEIGHBOUR_MAC + kind + packet)

    def until_mark(self, side):
        """What came out at `side` before a mark that is sent behind it."""
        text = struct.pack(">I", self.mark)
        sender = "o" if side == "i" else "i"
        self.send_frame(sender, packets.ip(*MARKS[sender], MARK_PROTOCOL, text))
        came = []
        while True:
            frame, address = self.sockets[side].recvfrom(65536)
            if address[2] == socket.PACKET_OUTGOING or frame[12:14] not in (b"\x08\0", b"\x86\xdd"):
                continue
            packet = frame[14:]
            view = packets.read(packet)
            if view.protocol == MARK_PROTOCOL:
                if view.body[:4] == text:
                    return came
            elif not is_own_chatter(view):
                came.append(packet[:view.transport + len(view.body)])

    @staticmethod
    def state():
        """The words of the packets since the last call."""
        words = []
        for item in json.loads(run(["nft", "-j", "reset", "counters"]))["nftables"]:
            counter = item.get("counter")
            if counter and counter["packets"]:
                word = counter["name"].replace("c_invalid", "inv").replace("c_", "")
                words.append(word.replace("_", "|"))
        return ",".join(sorted(words)) or "-"


def is_own_chatter(view):
    """Neighbour discovery and membership reports of the router itself."""
    return view.source.startswith("fe80:") or view.destination.startswith("ff02:") or (
        view.protocol == 2 or view.source == "::")


def run(command, text=""):
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def flush_connections():
    """Empties the table: ctnetlink's delete without a tuple."""
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
    netlink.bind((0, 0))
    # Length, IPCTNL_MSG_CT_DELETE of NFNL_SUBSYS_CTNETLINK, request with acknowledgement.
    netlink.send(struct.pack("=IHHIIBBH", 20, 1 << 8 | 2, 5, 1, 0, 0, 0, 0))
    error = struct.unpack("=i", netlink.recv(4096)[16:20])[0]
    netlink.close()
    if error:
        raise OSError(-error, "the table cannot be emptied")


class Uct:
    name = "uct"

    def __init__(self, program):
        self.program = program
        self.pipe = None

    def start(self, case):
        self.pipe = subprocess.Popen([self.program, *case.uct], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE)
        self.seen, self.names, self.tuples = {}, {}, set()

    def stop(self):
        if self.pipe is None:
            return
        self.pipe.stdin.close()
        self.pipe.stdout.close()
        self.pipe.wait(10)
        self.pipe = None

    def send(self, side, group):
        out, states, reasons = [], set(), set()
        for packet in group:
            self.pipe.stdin.write(side.encode() + struct.pack(">H", len(packet)) + packet)
            self.pipe.stdin.flush()
            word = "held-"
            while word.startswith("held-"):
                word, state, reason, answer = self.answer()
                if word == "hold":
                    continue  # it has no state yet
                words = (w for w in state.split("|") if w not in ("trk", "snat", "dnat"))
                states.add("|".join(words))
                if reason != "none":
                    reasons.add(reason)
                if word.endswith("pass"):
                    out.append(packets.take_hop(answer))
        return Result(out, [], ",".join(sorted(states)), ",".join(sorted(reasons)))

    def answer(self):
        line = self.pipe.stdout.readline().decode().split()
        if len(line) != 4:
            raise RuntimeError("nat_pipe ended")
        return *line[:3], self.pipe.stdout.read(int(line[3]))
