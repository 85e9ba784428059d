"""Starts a program as a service manager with socket activation does: listen.py NAME PROGRAM ARGUMENT...

A listening socket on a free port of 127.0.0.1 is descriptor 3, with that NAME.  The port is written to the file ./port.
"""
import os
import socket
import sys

s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(64)
with open("port", "w") as f:
    f.write(str(s.getsockname()[1]))
if s.fileno() != 3:
    os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES=sys.argv[1])
os.execv(sys.argv[2], sys.argv[2:])
