"""Cases: what outside opens, by port forwards; and both sides translated at once."""
import packets as p
from cases_errors import quote
from families import answer
from packets import ACK, PSH, SYN, ends
from play import Case, Failure

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
                             f"dnat {f.nft} to {to}"),
                source=(f"oifname i1 {f.nft} daddr {f.a} tcp dport 80 snat {f.nft} to {inner}",))


def forwarded_datagrams(play, f):
    client, service = (f.server, 4001), (f.external, 9000)
    play.outside("query", p.udp(client, service, b"who"), passes=True)
    play.inside("answer", answer("query", p.udp, b"it"), passes=True)
    play.outside("about the answer", quote("answer", *f.unreachable(3, 4)), passes=True)
    play.outside("another query", p.udp((f.server, 4002), service, b"who"), passes=True)
    play.inside("nobody there", quote("another query", *f.unreachable(3, 4)), passes=True)
    play.outside("in fragments", p.fragments(p.udp((f.server, 4003), service, bytes(2500)), 1200),
                 passes=True)
    play.inside("error about the first", quote("query", *f.unreachable(3, 4), cut=60), passes=True)


def forward_udp(f):
    to, at = f.range(f.a, "90"), f.range(f.external, "9000")
    return Case(f"port forward UDP, {f.name}", lambda play: forwarded_datagrams(play, f),
                uct=(f"outside udp dst {at} = dst {to}",),
                destination=("iifname i1 accept", f"{f.nft} daddr {f.external} udp dport 9000 "
                             f"dnat {f.nft} to {to}"))


def whole_host(play, f):
    """An address behind an external one, all protocols."""
    play.outside("request", p.echo(f.server, f.external, 5), passes=True)
    play.inside("reply", lambda w: p.echo(f.a, f.server, 5, answer=True), passes=True)
    play.outside("SYN", p.tcp((f.server, 4004), (f.external, 22), SYN, 1000), passes=True)
    play.inside("SYN-ACK", answer("SYN", p.tcp, SYN | ACK, 5000, 1001), passes=True)
    play.outside("other protocol", p.ip(f.server, f.external, 200, b"any"), passes=True)


def forward_host(f):
    return Case(f"address forward, {f.name}", lambda play: whole_host(play, f),
                uct=(f"outside dst {f.external} = dst {f.a}",),
                destination=("iifname i1 accept",
                             f"{f.nft} daddr {f.external} dnat {f.nft} to {f.a}"))


def both_inside(play, f):
    """A host reaches its neighbour, or itself, by the external address."""
    service = (f.external, 8080)
    for host, port in ((f.a, 4005), (f.b, 4006)):
        play.inside(f"SYN {port}", p.tcp((host, port), service, SYN, 1000), passes=True)
        play.inside(f"SYN-ACK {port}", answer(f"SYN {port}", p.tcp, SYN | ACK, 5000, 1001),
                    passes=True)
        play.inside(f"data {port}", p.tcp((host, port), service, ACK | PSH, 1001, 5001, b"x"),
                    passes=True)
    play.inside("about the data", quote("data 4005", *f.unreachable(1, 0)), passes=True)
    play.inside("about the answer", quote("SYN-ACK 4005", *f.unreachable(1, 0)), passes=True)


def hairpin(f):
    to, at = f.range(f.b, "80"), f.range(f.external, "8080")
    return Case(f"hairpin, {f.name}", lambda play: both_inside(play, f), turns_back=True,
                uct=(f"inside tcp dst {at} = src {f.external}, dst {to}",),
                destination=(f"{f.nft} daddr {f.external} tcp dport 8080 dnat {f.nft} to {to}",),
                source=(f"oifname i1 ct status dnat snat {f.nft} to {f.external}",))


def port_of_a_forward(play, f):
    """A connection from inside whose answers would look like an outer client's packets."""
    client = (f.server, 5500)
    play.outside("from outside", p.udp(client, (f.external, 9000)), passes=True)
    play.inside("from inside", p.udp((f.b, 9000), client), drawn=(1024, 65535), passes=True)
    for world in play.worlds:
        if ends(world.seen["from inside"])[0][1] == 9000:
            raise Failure(f"{world.name} gave a port that answers somebody else")
    play.outside("its answer", answer("from inside", p.udp), passes=True)
    play.outside("the client again", p.udp(client, (f.external, 9000)), passes=True)
    play.inside("answer to the client", answer("the client again", p.udp), passes=True)


def forward_beside_snat(f):
    to, at = f.range(f.a, "90"), f.range(f.external, "9000")
    return Case(f"port of a forward, {f.name}", lambda play: port_of_a_forward(play, f),
                uct=(f"outside udp dst {at} = dst {to}", f"inside = src {f.external}"),
                destination=("iifname i1 accept", f"{f.nft} daddr {f.external} udp dport 9000 "
                             f"dnat {f.nft} to {to}"),
                source=(f"oifname o1 meta nfproto {f.nfproto} snat {f.nft} to {f.external}",))


def one_of_some_ports(play, f):
    """A forward to a range: which of them is no matter, all of a connection goes to it."""
    client, service = (f.server, 4007), (f.external, 8082)
    play.outside("SYN", p.tcp(client, service, SYN, 1000), drawn_to=(90, 93), passes=True)
    play.outside("SYN again", p.tcp(client, service, SYN, 1000), passes=True)
    play.inside("SYN-ACK", answer("SYN", p.tcp, SYN | ACK, 5000, 1001), passes=True)
    play.outside("data", p.tcp(client, service, ACK | PSH, 1001, 5001, b"x"), passes=True)
    play.inside("unreachable", quote("data", *f.unreachable(1, 0)), passes=True)


def forward_to_ports(f):
    to, at = f.range(f.a, "90-93"), f.range(f.external, "8082")
    return Case(f"forward to some ports, {f.name}", lambda play: one_of_some_ports(play, f),
                uct=(f"outside tcp dst {at} = dst {to}",),
                destination=("iifname i1 accept", f"{f.nft} daddr {f.external} tcp dport 8082 "
                             f"dnat {f.nft} to {to}"))


def cases(f):
    return [forward(f), forward_to_ports(f), both(f), forward_udp(f), forward_host(f),
            hairpin(f), forward_beside_snat(f)]
