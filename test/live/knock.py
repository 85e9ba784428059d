"""Devices that never stop asking: knock.py PORT PATH SECONDS -> "ASKED refused=N cut=N wrong=N longest=MS"

A new connection for each question, eight at a time, until a file ./enough is there or SECONDS are over.  refused: nobody
listened; cut: the connection ended without a whole answer; wrong: another answer than 200.
"""
import os
import socket
import sys
import threading
import time

port, path, seconds = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
count = {"asked": 0, "refused": 0, "cut": 0, "wrong": 0, "longest": 0}
lock = threading.Lock()
end = time.monotonic() + seconds


def ask():
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=40) as s:
            s.sendall(("GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path).encode())
            answer = b""
            while True:
                piece = s.recv(65536)
                if not piece:
                    break
                answer += piece
    except ConnectionRefusedError:
        return "refused"
    except OSError:
        return "cut"
    if not answer:
        return "cut"
    return None if answer.startswith(b"HTTP/1.1 200") else "wrong"


def run():
    while time.monotonic() < end and not os.path.exists("enough"):
        began = time.monotonic()
        bad = ask()
        with lock:
            count["asked"] += 1
            count["longest"] = max(count["longest"], int((time.monotonic() - began) * 1000))
            if bad:
                count[bad] += 1


threads = [threading.Thread(target=run) for _ in range(8)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print("%(asked)d refused=%(refused)d cut=%(cut)d wrong=%(wrong)d longest=%(longest)d" % count)
