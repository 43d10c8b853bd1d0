"""Cases: packets on which trackers differ, where the answer decides what a gateway lets pass."""
import packets as p
from families import answer, snat
from packets import ACK, PSH, RST, SYN

# --- TCP ----------------------------------------------------------------------------------------

def bare_reset_of_a_syn(play, f):
    """Whoever knows the ports can send it: it acknowledges nothing."""
    play.inside("SYN", p.tcp((f.a, 8001), (f.server, 80), SYN, 1000), passes=True)
    play.outside("bare reset", answer("SYN", p.tcp, RST, 77),
                 differs=("K16", "state est|rpl/inv, passed/dropped tcp_reset_unproven"))
    play.outside("SYN-ACK", answer("SYN", p.tcp, SYN | ACK, 5000, 1001),
                 differs=("K16", "state inv/est|rpl, dropped/passed"))


def resets_of_a_connection(play, f):
    a, s = (f.a, 8002), (f.server, 80)
    opened(play, a, s)
    play.outside("reset far off", answer("SYN", p.tcp, RST, 5001 + (1 << 30)), passes=False)
    play.outside("reset in the window", answer("SYN", p.tcp, RST, 5100), passes=True)
    play.outside("data", answer("SYN", p.tcp, ACK | PSH, 5001, 1001, b"here"), passes=True)
    play.outside("reset", answer("SYN", p.tcp, RST | ACK, 5005, 1001), passes=True)
    play.inside("next SYN", p.tcp(a, s, SYN, 90000),
                differs=("K19", "state est/new"), passes=True)
    play.outside("next SYN-ACK", answer("next SYN", p.tcp, SYN | ACK, 70000, 90001), passes=True)


def opened(play, a, s):
    play.inside("SYN", p.tcp(a, s, SYN, 1000), passes=True)
    play.outside("SYN-ACK", answer("SYN", p.tcp, SYN | ACK, 5000, 1001), passes=True)
    play.inside("ACK", p.tcp(a, s, ACK, 1001, 5001), passes=True)


def syn_in_a_connection(play, f):
    """The receiver answers with an ACK (RFC 5961 section 4.2), which must come through."""
    a, s = (f.a, 8003), (f.server, 80)
    opened(play, a, s)
    play.inside("another SYN", p.tcp(a, s, SYN, 90000), passes=True)
    play.outside("challenge", answer("SYN", p.tcp, ACK, 5001, 1001), passes=True)
    play.inside("data", p.tcp(a, s, ACK | PSH, 1001, 5001, b"here"), passes=True)


def picked_up(play, f):
    """A connection that was there before the translation."""
    a, s = (f.a, 8004), (f.server, 80)
    play.inside("data", p.tcp(a, s, ACK | PSH, 1000, 5000, b"here"), passes=True)
    play.outside("answer", answer("data", p.tcp, ACK | PSH, 5000, 1004, b"there"), passes=True)
    play.inside("ACK", p.tcp(a, s, ACK, 1004, 5005), passes=True)


# --- others -------------------------------------------------------------------------------------

def port_zero(play, f):
    refused = ("K17", "state new/inv, passed/dropped port_zero")
    play.inside("UDP from port 0", p.udp((f.a, 0), (f.server, 53)), passes=True)
    play.inside("UDP to port 0", p.udp((f.a, 8005), (f.server, 0)), differs=refused)
    play.inside("TCP from port 0", p.tcp((f.a, 0), (f.server, 80), SYN, 1000), differs=refused)
    play.inside("TCP to port 0", p.tcp((f.a, 8006), (f.server, 0), SYN, 1000), differs=refused)


def echo_with_code(play, f):
    kind = 128 if f.is_v6 else 8
    play.inside("echo, code 1", p.icmp(f.a, f.server, kind, 1, 66 << 16 | 1, b"data"),
                differs=("K18", "state new/inv, passed/dropped icmp_code"))


def asked(play, f, query, reply, ident, data):
    play.inside(f"query {query}", p.icmp(f.a, f.server, query, 0, ident, data), passes=True)
    play.outside(f"reply {reply}", lambda w: p.icmp(f.server, f.external, reply, 0, ident, data),
                 passes=True)


def other_queries(play, f):
    """Address mask (RFC 950) and information (RFC 792), or node information (RFC 4620)."""
    if f.is_v6:
        asked(play, f, 139, 140, 2 << 16, b"nonce678" + p.packed(f.server))
    else:
        asked(play, f, 17, 18, 67 << 16 | 1, bytes(4))
        asked(play, f, 15, 16, 68 << 16 | 1, b"")
    play.inside("unknown query", p.icmp(f.a, f.server, 250 if f.is_v6 else 40, 0, 0, bytes(8)),
                passes=False)


def nodes_of_two(play, f):
    """A nonce tells the queries apart, which no translation reads: replies go to one host."""
    def query(host, nonce):
        return p.icmp(host, f.server, 139, 0, 2 << 16, nonce + p.packed(f.server))
    play.inside("query", query(f.a, b"nonceAAA"), passes=True)
    play.inside("query of another", query(f.b, b"nonceBBB"),
                differs=("K21", "passed/dropped nat_exhausted"))
    play.outside("reply", p.icmp(f.server, f.external, 140, 0, 2 << 16, b"nonceAAA"), passes=True)
    # Here Linux gives the first host what is the other's.
    play.outside("reply to another", p.icmp(f.server, f.external, 140, 0, 2 << 16, b"nonceBBB"),
                 passes=True)


def cases(f):
    made = [snat(f, "bare reset of a SYN", bare_reset_of_a_syn),
            snat(f, "resets of a connection", resets_of_a_connection),
            snat(f, "SYN in a connection", syn_in_a_connection),
            snat(f, "picked up", picked_up), snat(f, "port 0", port_zero),
            snat(f, "echo with a code", echo_with_code),
            snat(f, "other queries", other_queries)]
    return made + [snat(f, "node information of two", nodes_of_two)] if f.is_v6 else made
