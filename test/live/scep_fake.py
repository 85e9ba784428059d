"""SCEP servers that are wrong in one way each: scep_fake.py URL FOLDER, the port is written to FOLDER/fake-port.

URL is a server that is right; what is not wrong is asked there and passed on.  The first element of the path says
what is wrong."""
import http.server
import os
import sys
import urllib.error
import urllib.request

good, folder = sys.argv[1], sys.argv[2]
pki_type = "application/x-pki-message"
seen = {}


def file(name):
    with open(f"{folder}/{name}", "rb") as f:
        return f.read()


def remember(reply):
    seen.setdefault("replay", reply)
    return reply


class Fake(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, kind, body, extra=()):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in extra:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def pass_on(self, body, change=lambda b: b):
        query = self.path.partition("?")[2]
        request = urllib.request.Request(good + ("?" + query if query else ""), data=body)
        if body is not None:
            request.add_header("Content-Type", pki_type)
        try:
            with urllib.request.urlopen(request, timeout=30) as r:
                self.answer(r.status, r.headers["Content-Type"], change(r.read()))
        except urllib.error.HTTPError as e:
            self.answer(e.code, "text/plain", b"no\n")

    def one(self, body):
        wrong = self.path.split("?")[0].split("/")[1]
        operation = self.path.partition("operation=")[2].split("&")[0]
        if wrong == "portal":
            self.answer(200, "text/html", b"<html><body>Please sign in</body></html>")
        elif wrong == "redirect":
            self.answer(302, "text/plain", b"", [("Location", "https://elsewhere.example/x")])
        elif wrong == "short" and len(self.path) > 8192:
            self.answer(414, "text/plain", b"too long\n")
        elif wrong == "weak" and operation == "GetCACaps":
            self.answer(200, "text/plain", b"DES\r\nMD5\r\nSHA-1\r\n")
        elif wrong == "post" and operation == "GetCACaps":
            self.answer(200, "text/plain", b"AES\nSHA-256\n")
        elif wrong == "garbage" and operation == "GetCACert":
            self.answer(200, "application/x-x509-ca-ra-cert", b"no certificates")
        elif wrong in ("expired", "stranger", "noenc") and operation == "GetCACert":
            self.answer(200, "application/x-x509-ca-ra-cert", file(wrong + ".p7"))
        elif wrong == "portal-late" and operation == "PKIOperation":
            self.answer(200, "text/html", b"<html></html>")
        elif wrong == "replay" and operation == "PKIOperation" and "replay" in seen:
            self.answer(200, pki_type, seen["replay"])
        elif wrong == "altered" and operation == "PKIOperation":
            self.pass_on(body, lambda b: b[:-1] + bytes([b[-1] ^ 1]))
        else:
            self.pass_on(body, remember if body else lambda b: b)

    def do_GET(self):
        self.one(None)

    def do_POST(self):
        self.one(self.rfile.read(int(self.headers["Content-Length"])))


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Fake)
with open(f"{folder}/fake-port.new", "w", encoding="ascii") as f:
    f.write(str(server.server_address[1]))
os.rename(f"{folder}/fake-port.new", f"{folder}/fake-port")
server.serve_forever()
