"""Addresses and rules that the cases share, and replies to what was seen.

Addresses are for documentation or private, and stay in the namespace.
"""
from packets import ends
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
        self.nfproto = "ipv6" if self.is_v6 else "ipv4"

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


def snat(family, name, play, ports="", word=""):
    """Everything from inside gets another source; `word` says how ports are chosen."""
    to = family.range(family.external, ports)
    # nft takes ports only behind a match of protocols that have them.
    protocols = "meta l4proto { tcp, udp, icmp, ipv6-icmp, sctp } " if ports else ""
    return Case(f"{name}, {family.name}", lambda play_: play(play_, family),
                uct=(f"inside = src {to}" + f", {word}" * bool(word),),
                source=(f"oifname o1 meta nfproto {family.nfproto} {protocols}"
                        f"snat {family.nft} to {to} {word}",))


def answer(what, make, *rest, **more):
    """A packet from who got `what`, to whom it seemed to come from."""
    def from_seen(world):
        source, destination = ends(world.seen[what])
        return make(destination, source, *rest, **more)
    return from_seen
