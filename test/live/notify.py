"""Stands where the service manager listens for sd_notify(3): notify.py ADDRESS FILE

ADDRESS is a path, or @NAME for an abstract one.  Every datagram is one line of FILE: milliseconds since the start, a
space, and its lines joined by spaces.
"""
import os
import socket
import sys
import time

address, path = sys.argv[1:]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("\0" + address[1:] if address.startswith("@") else address)
began = time.monotonic()
with open(path, "w", buffering=1) as out:
    while True:
        text = s.recv(65536).decode("utf-8", "replace")
        out.write("%d %s\n" % ((time.monotonic() - began) * 1000, " ".join(text.split("\n")).rstrip()))
