"""Cases: datagrams in fragments."""
import packets as p
from families import answer, snat
from packets import ACK, PSH, SYN, ends

# --- fragments ----------------------------------------------------------------------------------

def udp_in_fragments(play, f):
    a, s = (f.a, 7001), (f.server, 9)
    data = bytes(range(250)) * 8
    play.inside("large", p.fragments(p.udp(a, s, data), 1200), passes=True)
    play.outside("large answer", lambda w: p.fragments(
        p.udp(s, ends(w.seen["large"])[0], data[1:]), 800), passes=True)


def ping_in_fragments(play, f):
    kinds = (128, 129) if f.is_v6 else (8, 0)
    play.inside("request", p.fragments(p.icmp(f.a, f.server, kinds[0], 0, 88 << 16, bytes(3000)),
                                       1200), passes=True)
    play.outside("reply", lambda w: p.fragments(
        p.icmp(f.server, f.external, kinds[1], 0, 88 << 16, bytes(3000)), 1400), passes=True)


def another_port_in_fragments(play, f):
    s = (f.server, 9)
    play.inside("small", p.udp((f.a, 7002), s), passes=True)
    play.inside("large", p.fragments(p.udp((f.b, 7002), s, bytes(2500)), 1200),
                drawn=(1024, 65535), passes=True)
    play.outside("large answer", lambda w: p.fragments(
        p.udp(s, ends(w.seen["large"])[0], bytes(1999)), 1000), passes=True)


def out_of_order(play, f):
    pieces = p.fragments(p.udp((f.a, 7003), (f.server, 9), bytes(3000)), 1200)
    play.inside("the last before the first", [pieces[2], pieces[0], pieces[1]], passes=True)
    play.inside("the first last", pieces[::-1], passes=True)
    play.inside("the others in another order", [pieces[0], pieces[2], pieces[1]], passes=True)


def without_the_last(play, f):
    pieces = p.fragments(p.udp((f.a, 7004), (f.server, 9), bytes(3000)), 1200, 12)
    play.inside("two of three", pieces[:2],
                differs=("K6", "state -/new, dropped/passed"))


def overlapping(play, f):
    packet = p.udp((f.a, 7005), (f.server, 9), bytes(3000))
    pieces, others = p.fragments(packet, 1200, 11), p.fragments(packet, 1600, 11)
    play.inside("two that overlap", [pieces[0], others[1], pieces[1], pieces[2]],
                differs=("K11", "state -/inv,new, dropped/passed fragment_overlap"))


def tcp_in_fragments(play, f):
    a, s = (f.a, 7006), (f.server, 80)
    play.inside("SYN", p.tcp((f.b, 7006), s, SYN, 1000), passes=True)
    play.inside("SYN of another", p.tcp(a, s, SYN, 1000), drawn=(1024, 65535), passes=True)
    play.outside("SYN-ACK", answer("SYN of another", p.tcp, SYN | ACK, 5000, 1001), passes=True)
    play.inside("ACK", p.tcp(a, s, ACK, 1001, 5001), passes=True)
    play.inside("large", p.fragments(p.tcp(a, s, ACK | PSH, 1001, 5001, bytes(2000)), 1200, 13),
                passes=True)
    play.outside("large answer", lambda w: p.fragments(answer(
        "SYN of another", p.tcp, ACK | PSH, 5001, 3001, bytes(2000))(w), 800, 13), passes=True)


def alone(play, f):
    """One fragment that is a whole datagram (RFC 6946)."""
    packet = p.udp((f.a, 7007), (f.server, 9))
    play.inside("atomic", p.fragments(packet, 1200, 14), passes=True)
    play.outside("answer", lambda w: p.fragments(answer("atomic", p.udp)(w), 1200, 14),
                 passes=True)


def without_sum(play, f):
    s = (f.server, 9)
    play.inside("first", p.udp((f.b, 7008), s), passes=True)
    play.inside("large", p.fragments(p.udp((f.a, 7008), s, bytes(2500), checksum=False), 1200, 15),
                drawn=(1024, 65535), passes=True)
    play.outside("answer", lambda w: p.fragments(answer(
        "large", p.udp, bytes(2500), checksum=False)(w), 1200, 15), passes=True)


def wrong_sum(play, f):
    packet = p.udp((f.a, 7009), (f.server, 9), bytes(2500), wrong=1)
    play.inside("large", p.fragments(packet, 1200, 16),
                differs=("K20", "state inv/new, dropped/passed"))


def cases(f):
    made = [snat(f, "fragments that overlap", overlapping),
            snat(f, "fragments", udp_in_fragments), snat(f, "ping in fragments", ping_in_fragments),
            snat(f, "TCP in fragments", tcp_in_fragments), snat(f, "one fragment", alone),
            snat(f, "fragments on another port", another_port_in_fragments),
            snat(f, "fragments out of order", out_of_order),
            snat(f, "fragments without the last", without_the_last),
            snat(f, "fragments, wrong sum", wrong_sum)]
    return made if f.is_v6 else made + [snat(f, "fragments without sum", without_sum)]
