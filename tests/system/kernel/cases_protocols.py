"""Cases: SCTP, UDP-Lite and DCCP by port, all others by address."""
import struct

import packets as p
from families import answer, snat

DATA, INIT, INIT_ACK, COOKIE_ECHO, COOKIE_ACK = 0, 1, 2, 10, 11
SHUTDOWN, SHUTDOWN_ACK, SHUTDOWN_COMPLETE = 7, 8, 14


def handshake(play, f, drawn=None):
    a, s = (f.a, 9001), (f.server, 3868)
    play.inside("INIT", p.sctp(a, s, 0, p.init(INIT, 11)), drawn=drawn, passes=True)
    back(play, "INIT ACK", p.init(INIT_ACK, 22))
    play.inside("COOKIE ECHO", p.sctp(a, s, 22, p.chunk(COOKIE_ECHO, b"bake")), passes=True)
    back(play, "COOKIE ACK", p.chunk(COOKIE_ACK))


def back(play, what, chunks):
    play.outside(what, answer("INIT", p.sctp, 11, chunks), passes=True)


def data(size):
    return p.chunk(DATA, struct.pack(">IHHI", 1000, 0, 0, 0) + bytes(size))


def association(play, f, drawn=None):
    a, s = (f.a, 9001), (f.server, 3868)
    handshake(play, f, drawn)
    play.inside("DATA", p.sctp(a, s, 22, data(4)), passes=True)
    back(play, "DATA back", data(4))
    play.inside("SHUTDOWN", p.sctp(a, s, 22, p.chunk(SHUTDOWN, struct.pack(">I", 1000))),
                passes=True)
    back(play, "SHUTDOWN ACK", p.chunk(SHUTDOWN_ACK))
    play.inside("SHUTDOWN COMPLETE", p.sctp(a, s, 22, p.chunk(SHUTDOWN_COMPLETE)), passes=True)
    play.inside("tag of nobody", p.sctp(a, s, 99, data(4)), passes=False)


def association_on_another_port(play, f):
    association(play, f, drawn=(40000, 40000))


def udplite(play, f):
    a, s = (f.a, 9002), (f.server, 5004)
    play.inside("packet", p.udplite(a, s), varies=True,
                differs=("K8", "state inv/new, dropped/passed"))
    play.outside("answer", p.udplite(s, (f.external, 9002)), varies=True,
                 differs=("K8", "state inv/est|rpl, dropped/passed"))


def dccp(play, f):
    a, s = (f.a, 9003), (f.server, 5005)
    kept = {"differs": ("K9", "differ in checksum"), "varies": True}
    play.inside("request", p.dccp(a, s, 0, 100), passes=True, **kept)
    play.outside("response", answer("request", p.dccp, 1, 500, 100), passes=True, **kept)


def large_data(play, f):
    """CRC32c covers the whole packet: a port cannot be changed by its first fragment."""
    handshake(play, f, (40000, 40000))
    play.inside("fragments", p.fragments(p.sctp((f.a, 9001), (f.server, 3868), 22, data(2000)),
                                         1200),
                differs=("K14", "state est/inv, passed/dropped nat_impossible"))


def authenticated(play, f):
    """AH signs the addresses: what is translated no receiver accepts."""
    signed = bytes([p.UDP, 4, 0, 0]) + struct.pack(">II", 7, 1) + bytes(12)
    packet = p.udp((f.a, 9005), (f.server, 9))
    play.inside("packet", p.ip(f.a, f.server, 51, signed + p.read(packet).body),
                differs=("K10", "state new/inv, passed/dropped nat_impossible"))


def by_address(protocol, data):
    def packet(source, destination):
        return p.ip(source[0], destination[0], protocol, data)

    def play_it(play, f):
        play.inside("packet", packet((f.a, 0), (f.server, 0)), passes=True)
        play.outside("answer", answer("packet", packet), passes=True)
        play.inside("once more", packet((f.a, 0), (f.server, 0)), passes=True)
    return play_it


def two_hosts(play, f):
    """Without ports nothing tells their answers apart."""
    def packet(source, destination):
        return p.ip(source[0], destination[0], p.GRE, bytes.fromhex("00000800") + bytes(16))
    play.inside("packet", packet((f.a, 0), (f.server, 0)), passes=True)
    play.inside("packet of another", packet((f.b, 0), (f.server, 0)), passes=False)
    play.outside("answer", answer("packet", packet), passes=True)


def cases(f):
    gre = bytes.fromhex("00000800") + bytes(16)
    keyed = bytes.fromhex("20000800") + bytes(16)
    return [snat(f, "SCTP", association),
            snat(f, "SCTP on another port", association_on_another_port, ports="40000"),
            snat(f, "UDP-Lite", udplite), snat(f, "DCCP", dccp),
            snat(f, "GRE", by_address(p.GRE, gre)),
            snat(f, "GRE with key", by_address(p.GRE, keyed)),
            snat(f, "GRE of two hosts", two_hosts),
            snat(f, "SCTP in fragments", large_data, ports="40000"),
            snat(f, "AH", authenticated), snat(f, "ESP", by_address(50, bytes(24))),
            snat(f, "unassigned protocol", by_address(200, b"anything"))]
