#!/usr/bin/env python3
"""A proxy for tests that writes down every byte it sees: CONNECT with its headers; with --open also what goes through,
as the origin gets it.

proxy_fake.py READY RECORD [--login USER:PASSWORD] [--open CERTIFICATE-AND-KEY]

READY gets the port when it listens.  --open ends TLS here with that certificate and begins it anew towards the
destination: with the origin's own certificate it shows what the origin sees, with another one it is what inspects
traffic in some companies.  Each new connection is a line "== connection" in RECORD.
"""
import argparse
import base64
import os
import socket
import ssl
import threading

args = argparse.ArgumentParser()
args.add_argument("ready")
args.add_argument("record")
args.add_argument("--login")
args.add_argument("--open")
args = args.parse_args()
lock = threading.Lock()
wanted = args.login and b"basic " + base64.b64encode(args.login.encode()).lower()


def note(data):
    with lock, open(args.record, "ab") as f:
        f.write(data)


def head_of(sock):
    data = b""
    while b"\r\n\r\n" not in data:
        got = sock.recv(1)
        if not got:
            return None
        data += got
    return data


def pump(source, sink, record):
    try:
        while data := source.recv(65536):
            if record:
                note(data)
            sink.sendall(data)
    except (OSError, ValueError):
        pass
    for s in (source, sink):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def logged_in(head):
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"proxy-authorization":
            return value.strip().lower() == wanted
    return False


def serve(sock):
    note(b"\n== connection\n")
    while True:
        head = head_of(sock)
        if head is None:
            return sock.close()
        note(head)
        if wanted and not logged_in(head):
            sock.sendall(b'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="fake"\r\nContent-Length: 0\r\n\r\n')
            continue
        break
    host, _, port = head.split(b" ")[1].decode().rpartition(":")
    try:
        out = socket.create_connection((host.strip("[]"), int(port)), 10)
    except OSError:
        sock.sendall(b"HTTP/1.1 503 Unreachable\r\nContent-Length: 0\r\n\r\n")
        return sock.close()
    sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    try:
        if args.open:
            here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            here.load_cert_chain(args.open)
            there = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            there.check_hostname = False
            there.verify_mode = ssl.CERT_NONE
            sock = here.wrap_socket(sock, server_side=True)
            out = there.wrap_socket(out)
    except OSError:
        return sock.close()
    threading.Thread(target=pump, args=(out, sock, False), daemon=True).start()
    pump(sock, out, bool(args.open))


listener = socket.create_server(("127.0.0.1", 0), backlog=64)
open(args.record, "ab").close()
with open(args.ready + ".new", "w") as f:
    f.write(str(listener.getsockname()[1]))
os.rename(args.ready + ".new", args.ready)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
