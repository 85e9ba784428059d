#!/usr/bin/env python3
"""A web hook for tests: HTTPS on a free port of 127.0.0.1, which it writes to a file.

    hook.py CERTIFICATE KEY FOLDER

The last word of the transaction's name says what is answered; where the certificate is told of, only if the name
begins with "note".  Each request becomes a file FOLDER/PATH-TRANSACTION-N of its body, and one of its header.
Below /scep/ it is a CCP cloud: the answer is a code, its word's, or Success.
"""
import hashlib
import hmac
import http.server
import json
import os
import ssl
import sys
import time

VERIFY_KEY = b"the key of the first hook, 32 b."
NOTIFY_KEY = b"another key" + VERIFY_KEY
CLAIMS = {"fits": {"ku": ["digitalSignature", "keyEncipherment"]}, "misfits": {"subject": "CN=boss"}, "new": {"floor": 3}}
RAW = {
    "deny": b'{"allow": false, "error": {"code": "x", "message": "no"}}',
    "silent": b"",
    "empty": b"{}",
    "null": b'{"allow": null}',
    "number": b'{"allow": 1}',
    "list": b'[{"allow": true}]',
    "text": b"allow",
    "both": b'{"allow": true, "allow": false}',
    "cases": b'{"allow": true, "Allow": false}',
    "two": b'{"allow": true}{"allow": true}',
    "cut": b'{"allow": true',
    "nul": b'{"allow": true}\0',
    "large": b'{"allow": true, "x": "' + b"x" * 20000 + b'"}',
    "huge": b'{"allow": true, "x": "' + b"x" * 400000 + b'"}',
    "claimlist": b'{"allow": true, "data": {"claims": ["CN=a"]}}',
    "claimnumber": b'{"allow": true, "data": {"claims": 1}}',
}
STATUS = {"201": 201, "302": 302, "400": 400, "401": 401, "403": 403, "404": 404, "410": 410,
          "408": 408, "429": 429, "500": 500, "503": 503}


class Hook(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def keep(self, body):
        """returns the word that decides, and how often this was asked"""
        path, n = self.path.rsplit("/", 1)[-1], 1
        said = json.loads(body)
        name = said["scepTransactionID"] if not self.cloud() else \
            (said.get("request") or said["notification"])["transactionId"]
        while os.path.exists(f"{FOLDER}/{path}-{name}-{n}"):
            n += 1
        with open(f"{FOLDER}/{path}-{name}-{n}.header", "w", encoding="utf-8") as f:
            f.write(str(self.headers))
        with open(f"{FOLDER}/{path}-{name}-{n}", "wb") as f:
            f.write(body)
        return name, n

    def cloud(self):
        return self.path.startswith("/scep/")

    def signed(self, body):
        key = VERIFY_KEY if self.path == "/verify" else NOTIFY_KEY
        given = self.headers.get("X-Smallstep-Signature", "")
        return hmac.compare_digest(given, hmac.new(key, body, hashlib.sha256).hexdigest())

    def answer(self, status, body, *headers, kind="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def code(self, word, yes):
        if word in STATUS:
            return self.answer(STATUS[word], yes)
        if word == "page":
            return self.answer(200, yes, kind="text/html")
        if word in CLAIMS:
            return self.answer(200, json.dumps({"code": "Success", "claims": CLAIMS[word]}).encode())
        return self.answer(200, json.dumps({"code": word, "errorDescription": "x"}).encode() if word != "allow" else yes)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name, n = self.keep(body)
        word = name.rsplit("-", 1)[-1]
        yes = json.dumps({"code": "Success"} if self.cloud() else {"allow": True}).encode()
        if not self.cloud() and not self.signed(body):
            return self.answer(401, b'{"allow": false}')
        if name.startswith("note") != ("otif" in self.path):
            return self.answer(200, yes)
        if self.cloud():
            return self.code(word, yes)
        if word == "later":
            return self.answer(200, yes) if n > 1 else self.answer(503, b"", ("Retry-After", "1"))
        if word == "slow":
            time.sleep(1.5)
        if word == "hang":
            time.sleep(5)
        if word == "drop":
            return self.connection.close()
        if word in CLAIMS:
            return self.answer(200, json.dumps({"allow": True, "data": {"claims": CLAIMS[word]}}).encode())
        if word in STATUS:
            return self.answer(STATUS[word], yes, ("Location", "/other"))
        return self.answer(200, RAW.get(word, yes))


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


FOLDER = sys.argv[3]
server = Server(("127.0.0.1", 0), Hook)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(sys.argv[1], sys.argv[2])
server.socket = tls.wrap_socket(server.socket, server_side=True)
with open(f"{FOLDER}/port.new", "w", encoding="ascii") as out:
    out.write(str(server.server_port))
os.rename(f"{FOLDER}/port.new", f"{FOLDER}/port")
server.serve_forever()
