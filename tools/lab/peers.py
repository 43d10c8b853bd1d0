#!/usr/bin/env python3
"""Ends of connections that misbehave in ways that no handy program offers.

  peers.py hold ADDRESS PORT           accepts and never reads
  peers.py abort ADDRESS PORT          reads a little, then resets (SO_LINGER 0)
  peers.py drip ADDRESS PORT           sends a line every second, five times
  peers.py pour ADDRESS PORT COUNT     connects, sends COUNT blocks, one each 50 ms
  peers.py keepalive ADDRESS PORT S    connects, probes each second, stays S seconds
  peers.py cross LOCAL REMOTE PORT T   both sides: connect at the time T (seconds
                                       since the epoch), so that the SYNs cross
  peers.py part-listen ADDRESS PORT T  accepts, and closes at the time T
  peers.py part-connect ADDRESS PORT T connects, and closes at the time T
  peers.py join6 GROUP PORT DEVICE S   joins an IPv6 group, leaves it after S seconds
  peers.py lite-echo ADDRESS PORT      UDP-Lite echo
  peers.py lite-send ADDRESS PORT      UDP-Lite: four messages, coverage 0, 8, 20

Sockets time out after 30 s, so no role runs for ever but the servers.
"""

import socket
import struct
import sys
import time

BLOCK = b"0123456789abcdef" * 64
UDPLITE, SEND_COVERAGE, RECEIVE_COVERAGE = 136, 10, 11


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def listener(address, port):
    server = socket.create_server((address, int(port)), family=family(address))
    return server


def dial(address, port):
    return socket.create_connection((address, int(port)), timeout=30)


def wait_until(moment):
    time.sleep(max(0, float(moment) - time.time()))


def hold(address, port):
    connection, _ = listener(address, port).accept()
    time.sleep(120)
    connection.close()


def abort(address, port):
    connection, _ = listener(address, port).accept()
    connection.recv(4096)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def drip(address, port):
    connection, _ = listener(address, port).accept()
    for count in range(5):
        connection.sendall(b"line %d\n" % count)
        time.sleep(1)
    connection.close()


def pour(address, port, count):
    connection = dial(address, port)
    try:
        for _ in range(int(count)):
            connection.sendall(BLOCK)
            time.sleep(0.05)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(4096)
    except OSError as error:
        print(error)
    connection.close()


def keepalive(address, port, seconds):
    connection = dial(address, port)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1),
                          (socket.TCP_KEEPCNT, 3)):
        connection.setsockopt(socket.IPPROTO_TCP, option, value)
    connection.settimeout(float(seconds))
    try:
        connection.recv(1)
    except OSError as error:
        print(error)
    connection.close()


def cross(local, remote, port, moment):
    connection = socket.socket(family(local), socket.SOCK_STREAM)
    connection.settimeout(10)
    connection.bind((local, int(port)))
    wait_until(moment)
    connection.connect((remote, int(port)))
    connection.sendall(b"hello from " + local.encode())
    print(connection.recv(4096))
    connection.close()


def part_listen(address, port, moment):
    connection, _ = listener(address, port).accept()
    wait_until(moment)
    connection.close()
    time.sleep(5)


def part_connect(address, port, moment):
    connection = dial(address, port)
    wait_until(moment)
    connection.close()


def join6(group, port, device, seconds):
    member = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    member.bind(("::", int(port)))
    index = struct.pack("@I", socket.if_nametoindex(device))
    group = socket.inet_pton(socket.AF_INET6, group)
    member.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group + index)
    time.sleep(float(seconds))
    member.close()


def lite_socket(address):
    return socket.socket(family(address), socket.SOCK_DGRAM, UDPLITE)


def lite_echo(address, port):
    server = lite_socket(address)
    server.setsockopt(UDPLITE, RECEIVE_COVERAGE, 8)
    server.bind((address, int(port)))
    while True:
        message, sender = server.recvfrom(65536)
        server.sendto(message, sender)


def lite_send(address, port):
    for coverage in (0, 8, 20):  # 0: the whole datagram, 8: the header alone
        client = lite_socket(address)
        client.settimeout(3)
        client.setsockopt(UDPLITE, SEND_COVERAGE, coverage)
        client.connect((address, int(port)))
        for size in (20, 100, 501, 1200):
            client.send(BLOCK[:1] * size)
            client.recv(65536)
        client.close()


def main():
    roles = {
        "hold": hold, "abort": abort, "drip": drip, "pour": pour,
        "keepalive": keepalive, "cross": cross, "part-listen": part_listen,
        "part-connect": part_connect, "join6": join6, "lite-echo": lite_echo,
        "lite-send": lite_send,
    }
    roles[sys.argv[1]](*sys.argv[2:])


if __name__ == "__main__":
    main()
