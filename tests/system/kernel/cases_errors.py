"""Cases: ICMP errors about what was translated."""
import packets as p
from families import answer, snat
from packets import SYN

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


def odd_errors(play, f):
    """What must not be taken for an error about the connection, or only just."""
    kind, code = f.unreachable(3, 4)
    full = 48 if f.is_v6 else 28
    play.inside("packet", p.udp((f.a, 6004), (f.server, 33434), bytes(64)), passes=True)
    # The kernel drops it too: it finds the connection, and cannot rewrite the quote.
    play.outside("quote of four bytes", quote("packet", kind, code, cut=full - 4),
                 differs=("K7", "state rel|rpl/inv"))
    play.outside("quote without ports", quote("packet", kind, code, cut=full - 8), passes=False)
    play.outside("half a header", quote("packet", kind, code, cut=12), passes=False)
    play.outside("about an error", lambda w: p.icmp(f.server, f.external, kind, code, 0, p.icmp(
        f.external, f.server, kind, code, 0, w.seen["packet"])), passes=False)
    play.outside("about the other direction", lambda w: p.icmp(f.server, f.external, kind, code, 0,
                 p.udp((f.server, 33434), (f.external, 6004))), passes=False)
    play.outside("parameter problem", quote("packet", 4 if f.is_v6 else 12, 0, rest=20),
                 passes=True)
    if not f.is_v6:
        play.outside("source quench", quote("packet", 4, 0), passes=True)
        play.outside("redirect", quote("packet", 5, 1, rest=0xcb007107, source=f.middle),
                     differs=("K12", "dropped/passed"))
    else:
        play.outside("unknown error", quote("packet", 100, 0), passes=True)


def extended_error(play, f):
    """RFC 4884: the quote padded to 128 bytes, its length in the header, and MPLS labels behind."""
    play.inside("packet", p.udp((f.a, 6005), (f.server, 33434), bytes(200)), passes=True)
    body = bytes.fromhex("00080101") + bytes.fromhex("000c8140")
    head = bytes.fromhex("20000000")
    extension = head[:2] + (0xffff - p.ones_sum(head + body)).to_bytes(2, "big") + body
    length = (16 << 24) if f.is_v6 else (32 << 16)
    play.outside("hops, with labels", quote("packet", 3 if f.is_v6 else 11, 0, rest=length,
                                            source=f.middle, cut=128, extra=extension),
                 passes=True)


def unsent_number(play, f):
    play.inside("SYN", p.tcp((f.a, 6006), (f.server, 80), SYN, 1000), passes=True)
    play.outside("number never sent", lambda w: p.icmp(
        f.server, f.external, *f.unreachable(1, 0), 0,
        p.tcp((f.external, 6006), (f.server, 80), SYN, 77777777)),
                 differs=("K4", "state rel|rpl/inv, passed/dropped icmp_quote_sequence"))


def errors_about_drawn_ports(play, f):
    """Two hosts with one port: each error goes to who it is about."""
    kind, code = f.unreachable(3, 4)
    s = (f.server, 33434)
    play.inside("first", p.udp((f.a, 6007), s, bytes(16)), passes=True)
    play.inside("second", p.udp((f.b, 6007), s, bytes(16)), drawn=(1024, 65535), passes=True)
    play.outside("about the second", quote("second", kind, code), passes=True)
    play.outside("about the first", quote("first", kind, code), passes=True)
    play.outside("answer", answer("second", p.udp, bytes(8)), passes=True)
    play.inside("about the answer", quote("answer", kind, code), passes=True)


def errors_about_drawn_ids(play, f):
    kind, code = f.unreachable(1, 0)
    play.inside("first", p.echo(f.a, f.server, 902), passes=True)
    play.inside("second", p.echo(f.b, f.server, 902), drawn=(0, 65535), passes=True)
    play.outside("about the second", quote("second", kind, code, source=f.middle), passes=True)
    play.outside("about the first", quote("first", kind, code, source=f.middle), passes=True)


def odd_quotes(play, f):
    """Quotes that are right but unusual: a changed checksum, TCP, a first fragment, options."""
    kind, code = f.unreachable(3, 4)
    at = 46 if f.is_v6 else 26
    play.inside("packet", p.udp((f.a, 6009), (f.server, 33434), bytes(64)), passes=True)
    play.outside("quoted checksum is another", lambda w: p.icmp(
        f.server, f.external, kind, code, 0,
        w.seen["packet"][:at] + b"\x12\x34" + w.seen["packet"][at + 2:]), passes=True)
    play.outside("quoted checksum is absent", lambda w: p.icmp(
        f.server, f.external, kind, code, 0,
        w.seen["packet"][:at] + b"\0\0" + w.seen["packet"][at + 2:]), passes=True)
    play.outside("first fragment", lambda w: p.icmp(
        f.server, f.external, kind, code, 0,
        p.fragments(p.udp((f.external, 6009), (f.server, 33434), bytes(64)), 24)[0]), passes=True)
    play.outside("later fragment", lambda w: p.icmp(
        f.server, f.external, kind, code, 0,
        p.fragments(p.udp((f.external, 6009), (f.server, 33434), bytes(64)), 24)[1]), passes=False)


def error_about_sctp(play, f):
    kind, code = f.unreachable(3, 4)
    play.inside("INIT", p.sctp((f.a, 6010), (f.server, 3868), 0, p.init(1, 11)),
                drawn=(40000, 40000), passes=True)
    play.outside("unreachable", quote("INIT", kind, code), passes=True)
    play.outside("cut", quote("INIT", kind, code, cut=48 if f.is_v6 else 28), passes=True)


def error_about_no_checksum(play, f):
    play.inside("packet", p.udp((f.a, 6008), (f.server, 33434), checksum=False), passes=True)
    play.outside("unreachable", quote("packet", 3, 3), passes=True)


def cases(f):
    made = [snat(f, "errors from outside", errors_from_outside),
            snat(f, "errors about TCP, ping", errors_about_tcp_and_ping),
            snat(f, "errors from inside", errors_from_inside), snat(f, "odd errors", odd_errors),
            snat(f, "odd quotes", odd_quotes),
            snat(f, "error about SCTP", error_about_sctp, ports="40000"),
            snat(f, "error with labels", extended_error),
            snat(f, "error about a number never sent", unsent_number),
            snat(f, "errors about drawn ports", errors_about_drawn_ports),
            snat(f, "errors about drawn ids", errors_about_drawn_ids)]
    if not f.is_v6:
        made.append(snat(f, "error about UDP without sum", error_about_no_checksum))
    return made
