#!/usr/bin/env python3
"""typist.py - run a command on a terminal of its own, type what is asked for, print what stood on the screen.

    typist.py 'TEXT WAITED FOR' 'WHAT IS TYPED THEN' ... -- COMMAND...

What is typed may have \\n, \\x03 and the like. Ends with the command's exit code; 124: a text never came.
"""
import os
import pty
import select
import sys
import time

end = sys.argv.index("--")
script = [a.encode().decode("unicode_escape") for a in sys.argv[1:end]]
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[end + 1], sys.argv[end + 1:])
seen, at, until = "", 0, time.monotonic() + 30
while time.monotonic() < until:
    while script and script[0] in seen[at:]:
        at = seen.index(script[0], at) + len(script[0])
        os.write(fd, script[1].encode())
        script = script[2:]
    if not select.select([fd], [], [], 0.2)[0]:
        continue
    try:
        piece = os.read(fd, 4096)
    except OSError:
        piece = b""
    if not piece:
        break
    seen += piece.decode(errors="replace")
sys.stdout.write(seen)
if script:
    os.kill(pid, 9)
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(124 if script else code)
