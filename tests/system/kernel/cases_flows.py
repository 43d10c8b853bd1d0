"""Cases: conversations and queries from inside, and the ports they get."""
import packets as p
from families import answer, snat
from packets import ACK, FIN, PSH, RST, SYN, ends
from play import Case

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


def short_udp(play, f):
    """UDP ends before the packet does; the sum is over the one length or the other."""
    whole = p.udp((f.a, 5013), (f.server, 53), b"data")
    body = p.read(whole).body
    for what, behind in (("zeros behind", bytes(6)), ("others behind", b"behind")):
        play.inside(what, p.ip(f.a, f.server, p.UDP, body + behind),
                    differs=("K15", "state inv/new, dropped/passed"))
    over_all = p.put_sum(f.a, f.server, p.UDP, body[:6] + b"\0\0" + body[8:] + b"behind")
    play.inside("sum over all", p.ip(f.a, f.server, p.UDP, over_all), passes=True)
    longer = body[:4] + (len(body) + 1).to_bytes(2, "big") + body[6:]
    play.inside("too long", p.ip(f.a, f.server, p.UDP, longer), passes=False)


def ids_of_a_range(play, f):
    play.inside("first", p.echo(f.a, f.server, 101), passes=True)
    play.inside("second", p.echo(f.b, f.server, 101), drawn=(100, 101), passes=True)
    play.outside("reply to the second", answer("second", echo_reply, 1), passes=True)
    play.inside("none left", p.echo(f.b, f.server, 7), passes=False)


def tcp_on_one_port(play, f):
    tcp_conversation(play, f, drawn=(40000, 40000))
    # The tuple is in TIME_WAIT; a fresh SYN of the same host opens it again.
    play.inside("SYN of the next", p.tcp((f.a, 5001), (f.server, 80), SYN, 90000), passes=True)


def port_of_a_closed_connection(play, f):
    """One port, and the connection that had it is in TIME_WAIT: another host wants it."""
    tcp_conversation(play, f, drawn=(40000, 40000))
    play.inside("SYN of another", p.tcp((f.b, 5001), (f.server, 80), SYN, 90000),
                differs=("K13", "passed/dropped nat_exhausted"), varies=True)


def drawn_at_random(play, f):
    for number in range(4):
        play.inside(f"packet {number}", p.udp((f.a, 5010 + number), (f.server, 53)),
                    drawn=(40000, 40009), passes=True)
        play.outside(f"answer {number}", answer(f"packet {number}", p.udp), passes=True)


def with_sum(make, source, seen_source, wanted):
    """A packet whose sum is `wanted` when it comes from `seen_source`: the data makes it so."""
    plain = make(seen_source, bytes(2))
    at = p.read(plain).transport + p.CHECKSUM_AT[p.read(plain).protocol]
    is_now = int.from_bytes(plain[at:at + 2], "big")
    word = p.ones_sum(is_now.to_bytes(2, "big") + (0xffff - wanted).to_bytes(2, "big"))
    return make(source, word.to_bytes(2, "big"))


def sums_at_their_edges(play, f):
    """All zeros before or after: TCP and ICMP send that, UDP sends all ones instead."""
    s = (f.server, 53)
    kinds = (("UDP", lambda source, data: p.udp(source, s, data)),
             ("TCP", lambda source, data: p.tcp(source, s, SYN, 1000, data=data)),
             ("ping", lambda source, data: p.echo(source[0], f.server, source[1], data=data)))
    for name, make in kinds:
        for inner in ((f.a, 5011), (f.b, 5012)):
            for wanted in (0, 1, 0xfffe):
                for when, end in (("before", inner), ("after", (f.external, inner[1]))):
                    play.inside(f"{name} {inner[1]}, {wanted:#x} {when}",
                                with_sum(make, inner, end, wanted), passes=True)


def past_the_translation(play, f):
    """Somebody outside who knows the inner address."""
    a, s = (f.a, 5004), (f.server, 80)
    play.inside("query", p.udp(a, s), passes=True)
    play.outside("to the inner address", p.udp(s, a), differs=("K3", "state new/inv"))
    play.outside("to the external one", answer("query", p.udp), passes=True)


def with_options(packet):
    """Between the IP header and UDP: four NOPs, or an empty destination options header."""
    view = p.read(packet)
    if packet[0] >> 4 == 6:
        return p.ip(view.source, view.destination, 60,
                    bytes([p.UDP, 0, 1, 4, 0, 0, 0, 0]) + view.body)
    head = b"\x46" + packet[1:3] + bytes([packet[3] + 4]) + packet[4:10] + b"\0\0" + (
        packet[12:20] + b"\1\1\1\1")
    return head[:10] + (0xffff - p.ones_sum(head)).to_bytes(2, "big") + head[12:] + view.body


def options(play, f):
    a, s = (f.a, 5005), (f.server, 53)
    play.inside("query", with_options(p.udp(a, s)), passes=True)
    play.outside("answer", with_options(p.udp(s, (f.external, 5005))), passes=True)
    if not f.is_v6:
        play.inside("no sum", with_options(p.udp(a, s, checksum=False)), passes=True)


def timestamp(play, f):
    play.inside("request", p.icmp(f.a, f.server, 13, 0, 55 << 16 | 1, bytes(12)), passes=True)
    play.outside("reply", lambda w: p.icmp(f.server, f.external, 14, 0,
                                           ends(w.seen["request"])[0][1] << 16 | 1, bytes(12)),
                 passes=True)


def keep_the_host(play, f):
    """NETMAP: the first bits change, the host's part stays."""
    udp_both_ways(play, f)
    play.inside("of another", p.udp((f.b, 5353), (f.server, 53)), passes=True)


def netmap(f):
    inner, outer = ("fd00::/64", "2001:db8:51::/64") if f.is_v6 else ("10.0.0.0/24",
                                                                      "198.51.100.0/24")
    return Case(f"prefix, {f.name}", lambda play: keep_the_host(play, f),
                uct=(f"inside = src {outer}, prefix",),
                source=(f"oifname o1 snat {f.nft} prefix to "
                        f"{f.nft} saddr map {{ {inner} : {outer} }}",))


def masquerade(f, name, play):
    return Case(f"masquerade: {name}, {f.name}", lambda play_: play(play_, f),
                uct=(f"inside = src {f.own}",),
                source=(f"oifname o1 meta nfproto {f.nfproto} masquerade",))


def cases(f):
    made = [snat(f, "TCP", tcp_conversation), snat(f, "TCP refused", tcp_reset),
            snat(f, "TCP, odd segments", tcp_odd),
            snat(f, "TCP on one port", tcp_on_one_port, ports="40000"),
            snat(f, "port of a closed TCP", port_of_a_closed_connection, ports="40000"),
            snat(f, "ports at random", drawn_at_random, ports="40000-40009", word="random"),
            snat(f, "sums at their edges", sums_at_their_edges),
            snat(f, "UDP", udp_both_ways), snat(f, "short UDP", short_udp),
            snat(f, "UDP without sum", udp_without_checksum),
            snat(f, "IP options", options), snat(f, "ping", ping),
            snat(f, "same source port", port_clash), snat(f, "same ICMP id", id_clash),
            snat(f, "two ports for all", ports_of_a_range, ports="40000-40001"),
            snat(f, "two ids for all", ids_of_a_range, ports="100-101"),
            snat(f, "past the translation", past_the_translation), netmap(f),
            masquerade(f, "TCP", tcp_conversation), masquerade(f, "ping", ping)]
    return made if f.is_v6 else made + [snat(f, "timestamp query", timestamp)]
