#!/usr/bin/env python3
"""Is a secret in the memory of a process, freed memory included?

    remains.py PID FILE     the secret is FILE's first line, behind its last colon

Exit code 0: it is; 1: it is not; 2: the memory cannot be read.
"""
import sys

PIECE, LARGEST = 1 << 20, 1 << 32  # what is larger is a sanitizer's shadow, no memory of the program

with open(sys.argv[2], "rb") as f:
    secret = f.readline().strip().rsplit(b":", 1)[-1]
secret = secret[8:]  # an allocator writes over the first bytes of what is free
if len(secret) < 8:
    sys.exit("too short a secret to look for")
try:
    with open(f"/proc/{sys.argv[1]}/mem", "rb", 0) as memory, open(f"/proc/{sys.argv[1]}/maps", encoding="utf-8") as maps:
        for line in maps:
            where, mode = line.split()[:2]
            at, end = (int(x, 16) for x in where.split("-"))
            if not mode.startswith("rw") or end - at > LARGEST:
                continue
            for start in range(at, end, PIECE):
                try:
                    memory.seek(start)
                    if secret in memory.read(min(PIECE + len(secret), end - start)):
                        sys.exit(0)
                except OSError:  # given back meanwhile
                    pass
except PermissionError:
    sys.exit(2)
sys.exit(1)
