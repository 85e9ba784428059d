#!/usr/bin/env python3
"""A peer that repeats everything it is told, and gives away more: HTTPS on a free port, which it writes to a file.

    blabber.py CERTIFICATE KEY FOLDER SECRET...

Whatever it is asked, it answers with another status each time, the request's header and body (credentials decoded and
not) in the answer's body, and SECRETs of its own in cookies, redirects, realms, nonces, tokens and error texts.  The
last request of each path becomes FOLDER/asked.
"""
import base64
import http.server
import json
import os
import ssl
import sys

FOLDER, SECRETS = sys.argv[3], sys.argv[4:]
STATUS = (500, 401, 400, 302, 403, 200, 503, 404, 429, 407, 413, 200)
COUNT = {}


class Blabber(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self):
        path = self.path.split("?")[0]
        n = COUNT[path] = COUNT.get(path, -1) + 1
        status = STATUS[n % len(STATUS)]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with open(f"{FOLDER}/asked", "a", encoding="utf-8") as f:
            f.write(f"{self.command} {self.path} {status}\n{self.headers}\n")
        given = self.headers.get("Authorization", "")
        words = given.split(" ")
        told = [str(self.headers), body.decode(errors="replace"), given]
        if words[0] == "Basic" and len(words) > 1:
            told.append(base64.b64decode(words[1]).decode(errors="replace"))
        text = " ".join(told)
        if n % 3 == 0:
            said = json.dumps({"error": {"code": "Blabber", "message": text}, "error_description": text,
                               "value": [text], "detail": SECRETS[0]}).encode()
            kind = "application/json"
        elif n % 3 == 1:
            said = ("<html><title>Error</title><body><p>" + text + "<p>" + SECRETS[1] + "</body></html>").encode()
            kind = "text/html"
        else:
            said = json.dumps({"access_token": SECRETS[2], "refresh_token": SECRETS[3], "id_token": SECRETS[4],
                               "token_type": "Bearer", "expires_in": text}).encode()
            kind = "application/json"
        self.send_response(status, "Blabbed " + SECRETS[5])
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(said)))
        self.send_header("Set-Cookie", "session=" + SECRETS[6])
        self.send_header("WWW-Authenticate", f'Basic realm="{SECRETS[7]}", Digest nonce="{SECRETS[7]}"')
        self.send_header("Location", f"https://user:{SECRETS[8]}@elsewhere.example/?token={SECRETS[9]}")
        self.send_header("X-Echo", given)
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Blabber)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(sys.argv[1], sys.argv[2])
server.socket = tls.wrap_socket(server.socket, server_side=True)
with open(f"{FOLDER}/port.new", "w", encoding="utf-8") as f:
    f.write(str(server.server_port))
os.rename(f"{FOLDER}/port.new", f"{FOLDER}/port")
server.serve_forever()
