#!/usr/bin/env python3
"""A small HTTP/1.1 server: web.py ADDRESS PORT [CERTIFICATE KEY].

GET /N answers with N octets of text, POST with how many octets came in.
With a certificate it speaks TLS.
"""

import http.server
import socket
import ssl
import sys

LINE = b"The quick brown fox jumps over the lazy dog. 0123456789 abcdef\n"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "lab", ""

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        size = self.path.strip("/")
        if size.isdigit():
            self.answer(200, (LINE * (int(size) // len(LINE) + 1))[: int(size)])
        else:
            self.answer(404, b"no such page\n")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, b"%d octets received\n" % len(body))

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def server_bind(self):  # the base class would look up its host name
        self.socket.bind(self.server_address)


def main():
    address, port = sys.argv[1], int(sys.argv[2])
    Server.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = Server((address, port), Handler)
    if len(sys.argv) > 3:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[3], sys.argv[4])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
