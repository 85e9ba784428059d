"""Peers that are wrong in one way each: doctor_peers.py FOLDER [SCEP-URL].

For every name below a listener on a free port; the ports are written to FOLDER/peers, NAME=PORT a line.
  tls-NAME   https with FOLDER/NAME.pem and .key, for each NAME.pem of expired, name, stranger; every answer is 404
  proxy      a proxy that wants a login that nobody has
  through    a proxy that wants user:pass and connects
  forbidden  a proxy that lets nobody through
  cut        a reverse proxy before SCEP-URL that refuses long URLs
  silent     takes connections and never says a word"""
import http.server
import os
import socket
import ssl
import sys
import threading
import urllib.error
import urllib.request

folder = sys.argv[1]
scep = sys.argv[2] if len(sys.argv) > 2 else None
ports = {}


def pump(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", extra=()):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in extra:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class Nothing(Quiet):
    def do_GET(self):
        self.answer(404)

    do_HEAD = do_POST = do_GET


class Refuses(Quiet):
    def do_CONNECT(self):
        self.answer(407, b"", [("Proxy-Authenticate", 'Basic realm="corp"'), ("Proxy-Authenticate", "Negotiate")])


class Connects(Quiet):
    def do_CONNECT(self):
        if self.headers.get("Proxy-Authorization") != "Basic dXNlcjpwYXNz":
            self.answer(407, b"", [("Proxy-Authenticate", 'Basic realm="corp"')])
            return
        host, port = self.path.rsplit(":", 1)
        there = socket.create_connection((host.strip("[]"), int(port)))
        self.send_response(200)
        self.end_headers()
        back = threading.Thread(target=pump, args=(there, self.connection), daemon=True)
        back.start()
        pump(self.connection, there)
        back.join()
        self.close_connection = True


class Forbids(Quiet):
    def do_CONNECT(self):
        self.answer(403)


class Cuts(Quiet):
    def ask(self, body):
        if len(self.path) > 8192:
            self.answer(414, b"URI too long")
            return
        q = urllib.request.Request(scep + self.path, data=body)
        if body is not None:
            q.add_header("Content-Type", "application/x-pki-message")
        try:
            with urllib.request.urlopen(q, timeout=20) as r:
                status, kind, data = r.status, r.headers["Content-Type"], r.read()
        except urllib.error.HTTPError as e:
            status, kind, data = e.code, e.headers["Content-Type"], e.read()
        self.answer(status, data, [("Content-Type", kind or "text/plain")])

    def do_GET(self):
        self.ask(None)

    def do_POST(self):
        self.ask(self.rfile.read(int(self.headers["Content-Length"])))


def serve(name, handler, tls=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *args: None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{folder}/{tls}.pem", f"{folder}/{tls}.key")
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    ports[name] = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()


for name in ("expired", "name", "stranger"):
    if os.path.exists(f"{folder}/{name}.pem"):
        serve(f"tls-{name}", Nothing, name)
serve("proxy", Refuses)
serve("through", Connects)
serve("forbidden", Forbids)
if scep is not None:
    serve("cut", Cuts)
silent = socket.create_server(("127.0.0.1", 0))
ports["silent"] = silent.getsockname()[1]
with open(f"{folder}/peers.new", "w") as f:
    f.writelines(f"{name}={port}\n" for name, port in ports.items())
os.rename(f"{folder}/peers.new", f"{folder}/peers")
threading.Event().wait()
