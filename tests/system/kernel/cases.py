"""The cases: what both worlds get. Addresses are for documentation and stay in the namespace."""
import packets as p
from packets import ACK, FIN, PSH, RST, SYN, ends
from play import Case

A, B, S = "10.0.0.2", "10.0.0.3", "192.0.2.7"
A6, B6, S6 = "fd00::2", "fd00::3", "2001:db8:7::7"
EXT, EXT6 = "198.51.100.2", "2001:db8:51::2"
MID, MID6 = "203.0.113.77", "2001:db8:71::77"  # a router on the way
OWN, OWN6 = "203.0.113.1", "2001:db8:71::1"    # the gateway's own address


class Family:
    """The addresses of one IP version, so that each case is written once."""

    def __init__(self, name, a, b, server, external, middle, own):
        self.name, self.a, self.b, self.server = name, a, b, server
        self.external, self.middle, self.own = external, middle, own
        self.is_v6 = ":" in a
        self.nft = "ip6" if self.is_v6 else "ip"

    def range(self, address, ports=""):
        """An address with ports in the words of both, which are the same."""
        if not ports:
            return address
        return f"[{address}]:{ports}" if self.is_v6 else f"{address}:{ports}"

    def unreachable(self, code4, code6):
        return (1, code6) if self.is_v6 else (3, code4)


V4 = Family("IPv4", A, B, S, EXT, MID, OWN)
V6 = Family("IPv6", A6, B6, S6, EXT6, MID6, OWN6)
FAMILIES = (V4, V6)


def snat(family, name, play, ports="", address=None, needs=None):
    """Everything from inside gets another source."""
    to = family.range(address or family.external, ports)
    protocols = "meta l4proto { tcp, udp, icmp, ipv6-icmp, sctp, udplite, dccp } " if ports else ""
    rule = f"oifname o1 meta nfproto {'ipv6' if family.is_v6 else 'ipv4'} {protocols}"
    return Case(f"{name}, {family.name}", lambda play_: play(play_, family), needs=needs,
                uct=(f"inside = src {to}",), source=(f"{rule}snat {family.nft} to {to}",))


def answer(what, make, *rest, **more):
    """A packet from who got `what`, to whom it seemed to come from."""
    def from_seen(world):
        source, destination = ends(world.seen[what])
        return make(destination, source, *rest, **more)
    return from_seen


# --- TCP ----------------------------------------------------------------------------------------

def tcp_conversation(play, f, port=5001, drawn=None):
    a, s = (f.a, port), (f.server, 80)
    play.inside("SYN", p.tcp(a, s, SYN, 1000), drawn=drawn, passes=True)
    play.inside("SYN again", p.tcp(a, s, SYN, 1000), passes=True)
    play.outside("SYN-ACK", answer("SYN", p.tcp, SYN | ACK, 5000, 1001), passes=True)
    play.inside("ACK", p.tcp(a, s, ACK, 1001, 5001), passes=True)
    play.inside("request", p.tcp(a, s, ACK | PSH, 1001, 5001, b"GET /"), passes=True)
    play.outside("response", answer("SYN", p.tcp, ACK | PSH, 5001, 1006, b"odd"), passes=True)
    play.inside("FIN", p.tcp(a, s, FIN | ACK, 1006, 5004), passes=True)
    play.outside("FIN-ACK", answer("SYN", p.tcp, FIN | ACK, 5004, 1007), passes=True)
    play.inside("last ACK", p.tcp(a, s, ACK, 1007, 5005), passes=True)


def tcp_reset(play, f):
    a, s = (f.a, 5002), (f.server, 81)
    play.inside("SYN", p.tcp(a, s, SYN, 1000), passes=True)
    play.outside("refusal", answer("SYN", p.tcp, RST | ACK, 0, 1001), passes=True)


def tcp_odd(play, f):
    a, s = (f.a, 5003), (f.server, 80)
    play.inside("no checksum", p.tcp(a, s, SYN, 1000, wrong=1), passes=False)
    play.inside("SYN and FIN", p.tcp(a, s, SYN | FIN, 1000), passes=False)
    play.inside("SYN", p.tcp(a, s, SYN, 1000), passes=True)
    play.outside("SYN-ACK", answer("SYN", p.tcp, SYN | ACK, 5000, 1001), passes=True)
    play.inside("far ahead", p.tcp(a, s, ACK, 1001 + (1 << 30), 5001), passes=False)
    play.inside("ACK", p.tcp(a, s, ACK, 1001, 5001), passes=True)


# --- UDP and queries ----------------------------------------------------------------------------

def udp_both_ways(play, f):
    a, s = (f.a, 5353), (f.server, 53)
    play.inside("query", p.udp(a, s, b"who"), passes=True)
    play.outside("answer", answer("query", p.udp, b"it"), passes=True)
    play.inside("query again", p.udp(a, s, b"who again"), passes=True)
    play.outside("wrong sum", answer("query", p.udp, b"it", wrong=7), passes=False)
    play.outside("another port", lambda w: p.udp((f.server, 54), ends(w.seen["query"])[0]),
                 passes=False)
    play.outside("no data", answer("query", p.udp, b""), passes=True)


def udp_without_checksum(play, f):
    a, s = (f.a, 5353), (f.server, 53)
    if f.is_v6:
        play.inside("query", p.udp(a, s, checksum=False),
                    differs=("K2", "state new/inv, passed/dropped udp_checksum_missing"))
    else:
        play.inside("query", p.udp(a, s, checksum=False), passes=True)
        play.outside("answer", answer("query", p.udp, checksum=False), passes=True)


def ping(play, f):
    play.inside("request", p.echo(f.a, f.server, 77), passes=True)
    play.outside("reply", answer("request", echo_reply, 1), passes=True)
    play.inside("second request", p.echo(f.a, f.server, 77, 2), passes=True)
    play.outside("second reply", answer("request", echo_reply, 2), passes=True)
    play.outside("unasked", lambda w: p.echo(f.server, f.external, 78, answer=True), passes=False)
    play.inside("wrong sum", p.echo(f.a, f.server, 79, wrong=1), passes=False)


def echo_reply(source, destination, number):
    return p.echo(source[0], destination[0], destination[1], number, answer=True)


# --- ports --------------------------------------------------------------------------------------

def port_clash(play, f):
    for make, name in ((p.udp, "UDP"), (syn, "TCP")):
        for port, drawn in ((5555, (1024, 65535)), (700, (600, 1023)), (123, (1, 511))):
            text = f"{name} {port}"
            play.inside(text, make((f.a, port), (f.server, 7)), passes=True)
            play.inside(text + " of another", make((f.b, port), (f.server, 7)), drawn=drawn,
                        passes=True)
            play.outside(text + " answered", answer(text, reply_of(make)), passes=True)
            play.outside(text + " answered, the other", answer(text + " of another",
                                                               reply_of(make)), passes=True)
            play.inside(text + " elsewhere", make((f.b, port), (f.server, 8)),
                        differs=("K1", "differ in source port, checksum"), passes=True)


def syn(source, destination):
    return p.tcp(source, destination, SYN, 1000)


def syn_ack(source, destination):
    return p.tcp(source, destination, SYN | ACK, 5000, 1001)


def reply_of(make):
    return syn_ack if make is syn else p.udp


def id_clash(play, f):
    play.inside("ping", p.echo(f.a, f.server, 4242), passes=True)
    play.inside("ping of another", p.echo(f.b, f.server, 4242), drawn=(0, 65535), passes=True)
    play.outside("reply", answer("ping", echo_reply, 1), passes=True)
    play.outside("reply to the other", answer("ping of another", echo_reply, 1), passes=True)


def ports_of_a_range(play, f):
    """Two ports; a third connection to the same place finds none."""
    s = (f.server, 9)
    play.inside("kept", p.udp((f.a, 40001), s), passes=True)
    play.inside("the other", p.udp((f.b, 5000), s), drawn=(40000, 40001), passes=True)
    play.outside("answer", answer("the other", p.udp), passes=True)
    play.inside("elsewhere", p.udp((f.b, 6000), (f.server, 10)), drawn=(40000, 40001), passes=True)
    play.inside("none left", p.udp((f.a, 5001), s), passes=False)


# --- errors -------------------------------------------------------------------------------------

def quote(what, kind, code, rest=0, source=None, cut=None, wrong=0, extra=b""):
    """An error about `what`, as seen, to who sent it; its receiver's unless `source` is given."""
    def make(world):
        seen = world.seen[what]
        view = p.read(seen)
        return p.icmp(source or view.destination, view.source, kind, code, rest,
                      seen[:cut] + extra, wrong)
    return make


def errors_from_outside(play, f):
    a, s = (f.a, 6001), (f.server, 33434)
    play.inside("packet", p.udp(a, s, bytes(64)), passes=True)
    kind, code = f.unreachable(3, 4)
    full = 48 if f.is_v6 else 28
    play.outside("port unreachable", quote("packet", kind, code), passes=True)
    play.outside("cut quote", quote("packet", kind, code, cut=full), passes=True)
    play.outside("cut within the data", quote("packet", kind, code, cut=full + 13), passes=True)
    play.outside("from a router", quote("packet", *f.unreachable(1, 0), source=f.middle),
                 passes=True)
    big = (2, 0, 1280) if f.is_v6 else (3, 4, 1280)
    play.outside("too big", quote("packet", *big, source=f.middle), passes=True)
    play.outside("hops", quote("packet", 3 if f.is_v6 else 11, 0, source=f.middle), passes=True)
    play.outside("wrong sum", quote("packet", kind, code, wrong=1), passes=False)
    play.outside("stranger", lambda w: p.icmp(f.server, f.external, kind, code, 0, p.udp(
        (f.external, 1), (f.server, 2))), passes=False)
    play.outside("answer after all", answer("packet", p.udp), passes=True)
    play.outside("error of a connection that is answered", quote("packet", kind, code), passes=True)


def errors_about_tcp_and_ping(play, f):
    kind, code = f.unreachable(1, 0)
    play.inside("SYN", p.tcp((f.a, 6002), (f.server, 80), SYN, 1000), passes=True)
    play.outside("unreachable", quote("SYN", kind, code, source=f.middle), passes=True)
    play.outside("64 bits", quote("SYN", kind, code, source=f.middle, cut=48 if f.is_v6 else 28),
                 passes=True)
    play.inside("ping", p.echo(f.a, f.server, 900), passes=True)
    play.outside("ping unreachable", quote("ping", kind, code, source=f.middle), passes=True)
    play.outside("ping: 64 bits", quote("ping", kind, code, cut=48 if f.is_v6 else 28), passes=True)


def errors_from_inside(play, f):
    """About replies, by their receiver and by a router behind the translation."""
    play.inside("query", p.udp((f.a, 6003), (f.server, 53)), passes=True)
    play.outside("answer", answer("query", p.udp, bytes(32)), passes=True)
    play.inside("port unreachable", quote("answer", *f.unreachable(3, 4)), passes=True)
    play.inside("cut", quote("answer", *f.unreachable(3, 4), cut=48 if f.is_v6 else 28),
                passes=True)
    router = "fd00:9::9" if f.is_v6 else "10.9.9.9"
    play.inside("from a router", quote("answer", *f.unreachable(1, 0), source=router), passes=True)


# --- fragments ----------------------------------------------------------------------------------

def udp_in_fragments(play, f):
    a, s = (f.a, 7001), (f.server, 9)
    data = bytes(range(250)) * 8
    play.inside("large", p.fragments(p.udp(a, s, data), 1200), passes=True)
    play.outside("large answer", lambda w: p.fragments(
        p.udp(s, ends(w.seen["large"])[0], data[1:]), 800), passes=True)


# --- destinations -------------------------------------------------------------------------------

def forwarded(play, f):
    client, service = (f.server, 4000), (f.external, 8080)
    play.outside("SYN", p.tcp(client, service, SYN, 1000), passes=True)
    play.inside("SYN-ACK", answer("SYN", p.tcp, SYN | ACK, 5000, 1001), passes=True)
    play.outside("data", p.tcp(client, service, ACK | PSH, 1001, 5001, b"x"), passes=True)
    play.inside("unreachable", quote("data", *f.unreachable(1, 0)), passes=True)
    play.outside("no rule", p.tcp(client, (f.external, 8081), SYN, 1000), passes=False)


def forward(f):
    to, at = f.range(f.a, "80"), f.range(f.external, "8080")
    return Case(f"port forward, {f.name}", lambda play: forwarded(play, f),
                uct=(f"outside tcp dst {at} = dst {to}",),
                destination=("iifname i1 accept", f"{f.nft} daddr {f.external} tcp dport 8080 "
                             f"dnat {f.nft} to {to}",))


def both(f):
    inner = "fd00:ff::1" if f.is_v6 else "10.255.0.9"
    to, at = f.range(f.a, "80"), f.range(f.external, "8080")
    return Case(f"both sides, {f.name}", lambda play: forwarded(play, f),
                uct=(f"outside tcp dst {at} = src {inner}, dst {to}",),
                destination=("iifname i1 accept", f"{f.nft} daddr {f.external} tcp dport 8080 "
                             f"dnat {f.nft} to {to}",),
                source=(f"oifname i1 {f.nft} daddr {f.a} tcp dport 80 snat {f.nft} to {inner}",))


def masquerade(f):
    return Case(f"masquerade, {f.name}", lambda play: tcp_conversation(play, f),
                uct=(f"inside = src {f.own}",),
                source=(f"oifname o1 meta nfproto {'ipv6' if f.is_v6 else 'ipv4'} masquerade",))


def cases():
    made = []
    for f in FAMILIES:
        made += [snat(f, "TCP", tcp_conversation), snat(f, "TCP refused", tcp_reset),
                 snat(f, "TCP, odd segments", tcp_odd),
                 snat(f, "UDP", udp_both_ways), snat(f, "UDP without sum", udp_without_checksum),
                 snat(f, "ping", ping), snat(f, "same source port", port_clash),
                 snat(f, "same ICMP id", id_clash),
                 snat(f, "two ports for all", ports_of_a_range, ports="40000-40001"),
                 snat(f, "errors from outside", errors_from_outside),
                 snat(f, "errors about TCP, ping", errors_about_tcp_and_ping),
                 snat(f, "errors from inside", errors_from_inside),
                 snat(f, "fragments", udp_in_fragments),
                 forward(f), both(f), masquerade(f)]
    return made
