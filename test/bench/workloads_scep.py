"""W6 to W8: devices enrol by SCEP.  DESIGN.md says why; the numbers asked for are here."""
import json
import os
import re
import shutil
import socket
import subprocess
import time

from machine import Agent, Sandbox, Void
from workloads import median, ms, ratios

PASSWORD = 'correct-horse-battery-staple'
KINDS = ('signature', 'garbage', 'challenge', 'cut', 'type')
WORDS = {'signature': 'a signature that does not verify', 'garbage': 'no message at all', 'cut': 'cut off',
         'challenge': 'another password', 'type': 'an unknown type'}


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def wait_for(port, child):
    until = time.monotonic() + 10
    while time.monotonic() < until and child.poll() is None:
        with socket.socket() as s:
            if s.connect_ex(('127.0.0.1', port)) == 0:
                return
        time.sleep(0.01)
    raise Void(f'nobody listens on port {port}')


def threads_cpu_s(pid):
    """CPU seconds of all threads there are; those of a pool do not end."""
    total = 0
    for tid in os.listdir(f'/proc/{pid}/task'):
        try:
            with open(f'/proc/{pid}/task/{tid}/schedstat') as f:
                total += int(f.read().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total / 1e9


class Messages:
    """A file of them, made ahead; each is sent once."""

    def __init__(self, place, name, recipient, count, first=0, kind='good', hostile_every=0, keys=8):
        self.place, self.path, self.at, self.count = place, os.path.join(place.dir, name), 0, count
        self.load(place, 'make', recipient=recipient, keys=os.path.join(place.dir, 'device-keys.pem'), key_count=keys,
                  out=self.path, count=count, first=first, challenge=PASSWORD, subject=name, kind=kind,
                  hostile_every=hostile_every)

    @staticmethod
    def load(place, command, **options):
        argv = [os.path.join(place.dir, 'scep_load'), command]
        for k, v in options.items():
            argv += ['--' + k.replace('_', '-'), str(v)]
        done = subprocess.run(argv, capture_output=True, text=True)
        if done.returncode != 0:
            raise Void(f'scep_load {command}: {done.stderr.strip()}')
        return done.stdout

    def send(self, server, count, clients, tls=False, keep=False, skip=None):
        """What came of the next `count`; with skip: from there on, again."""
        if skip is None:
            skip, self.at = self.at, self.at + count
        return json.loads(self.load(self.place, 'send', port=server.tls_port if tls else server.port, path='/scep',
                                    skip=skip, count=count, clients=clients, tls='yes' if tls else 'no',
                                    keep='yes' if keep else 'no', **{'in': self.path}))


class Ours:
    """The agent as a SCEP server, the sandbox as its CA (EST)."""

    def __init__(self, place):
        self.box = Sandbox(place, args=('--scep', '0'))
        self.port, self.tls_port = free_port(), free_port()
        self.recipient = os.path.join(place.box, 'scep-encrypt.pem')
        secret = os.path.join(place.dir, 'password')
        with open(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w') as f:
            f.write(PASSWORD + '\n')
        with open(os.path.join(place.box, 'certferry-scep.conf')) as f:
            text = re.sub(r'\n(listen|scep|plugin) "[^"]*" \{.*?\n\}\n', '\n', f.read(), flags=re.S)
        self.box.conf = os.path.join(place.box, 'bench-scep.conf')
        with open(self.box.conf, 'w') as f:
            f.write(text + self.sections(place, secret))
        self.agent = Agent(self.box, ('run',))
        self.agent.ready()
        wait_for(self.tls_port, self.agent.child)

    def sections(self, place, secret):
        b = place.box
        return f'''
listen "plain" {{
  address = "127.0.0.1:{self.port}"
  connections_per_address = 1000
}}
listen "tls" {{
  address = "127.0.0.1:{self.tls_port}"
  certificate = "{b}/tls-server.pem"
  key = "{b}/tls-server.key"
  connections_per_address = 1000
}}
plugin "otp" {{
  path = "{place.dir}/otp.so"
  settings = {{"single_password=yes", "i_accept_that_everybody_with_this_password_gets_any_certificate=yes"}}
  secrets = {{"single={secret}"}}
}}
scep "devices" {{
  ca = "est"
  plugin = "otp"
  paths = {{"/scep"}}
  general_template = "ContosoUser"
  ra_certificate = "{b}/scep-sign.pem"
  ra_key = "{b}/scep-sign.key"
  ra_encryption_certificate = "{b}/scep-encrypt.pem"
  ra_encryption_key = "{b}/scep-encrypt.key"
  failures_per_minute = 0
}}
'''

    def cpu_s(self):
        """The agent's, and the CA's beside it."""
        return self.agent.cpu_s(), threads_cpu_s(self.box.child.pid)

    def stop(self):
        self.agent.memory()
        self.agent.stop()
        self.box.stop()


class Peer:
    """scepserver: registration authority and CA in one process; its folder of issued certificates is new."""

    def __init__(self, place, program):
        self.place, self.depot, self.port = place, os.path.join(place.dir, 'depot'), free_port()
        kept = os.path.join(place.dir, 'depot-new')
        if not os.path.isdir(kept):
            subprocess.run([program, 'ca', '-init', '-keySize', '2048', '-depot', kept], check=True,
                           capture_output=True)
        shutil.rmtree(self.depot, ignore_errors=True)
        shutil.copytree(kept, self.depot)
        self.child = place.start([program, '-depot', self.depot, '-port', str(self.port), '-challenge', PASSWORD],
                                 log='scepserver.log')
        wait_for(self.port, self.child)
        self.recipient = os.path.join(self.depot, 'ca.pem')

    @staticmethod
    def find():
        program = shutil.which('scepserver')
        if program is None:
            raise Void('no scepserver: it is in the package scep')
        return program

    def cpu_s(self):
        return (threads_cpu_s(self.child.pid),)

    def stop(self):
        self.place.stop(self.child)


class Round:
    """CPU seconds of one enrolment, each process by itself, and what the clients saw."""

    def __init__(self, server, messages, count, clients, strict=True, **how):
        before = server.cpu_s()
        self.seen = messages.send(server, count, clients, **how)
        after = server.cpu_s()
        good = self.seen['kinds'].get('good', {'issued': 0, 'count': 0})
        self.issued = good['issued']
        if strict and self.issued != good['count']:
            raise Void(f'not all enrolled: {self.seen} ')
        for kind, x in self.seen['kinds'].items():
            if x['none'] or (kind != 'good' and x['issued']):
                raise Void(f'{kind}: {self.seen} ')
        each = self.issued if set(self.seen['kinds']) == {'good'} else count
        self.parts = [(b - a) / each for a, b in zip(before, after)]

    def each(self):
        return sum(self.parts)


# ---- W6: as fast as c clients ask ----------------------------------------------------------------------------
class Contest:
    """Both servers, and messages for all that will be measured."""

    def __init__(self, s, count, rounds):
        self.s, self.program, self.count = s, Peer.find(), count
        self.ours = Ours(s.place)
        self.mine = Messages(s.place, 'mine', self.ours.recipient, (rounds + 1) * count)
        Round(self.ours, self.mine, count, 8)
        peer = Peer(s.place, self.program)
        self.theirs = Messages(s.place, 'theirs', peer.recipient, count + 20)
        peer.stop()

    def peer(self, clients):
        """A new one each time, and so the same messages; at more than one client a time it fails some."""
        server = Peer(self.s.place, self.program)
        Round(server, self.theirs, 20, 1, skip=0)
        found = Round(server, self.theirs, self.count, clients, strict=False, skip=20)
        server.stop()
        return found

    def agent(self, clients, **how):
        return Round(self.ours, self.mine, self.count, clients, **how)


def latency(s, what, pairs):
    seen = [b.seen for _, b in pairs]
    theirs = [a['peer'].seen for a, _ in pairs]
    s.add('W6', f'{what}: half of the answers within', '', f'scepserver {median([t["p50_ms"] for t in theirs]):.1f} ms',
          [x['p50_ms'] for x in seen], 'ms')
    s.add('W6', f'{what}: 99 in a hundred within', '', f'scepserver {median([t["p99_ms"] for t in theirs]):.1f} ms',
          [x['p99_ms'] for x in seen], 'ms')


def against(s, what, pairs, clients):
    cost, alone = median([b.each() for _, b in pairs]), median([b.parts[0] for _, b in pairs])
    theirs = f'scepserver {ms(median([a["peer"].each() for a, _ in pairs]))}'
    s.add('W6', what + ', with the CA', ms(cost), theirs, ratios(pairs, lambda a, b: a['peer'].each() / b.each()),
          must=('>=', 2.5), aim=('>=', 2.8))
    if clients != 8:
        return
    s.add('W6', what + ', without', ms(alone), theirs, ratios(pairs, lambda a, b: a['peer'].each() / b.parts[0]),
          must=('>=', 4), aim=('>=', 4.6))
    for op, text, must, aim in (('scep-bare', 'primitives by EVP', ('>=', 0.7), ('>=', 0.82)),
                                ('scep-issued', 'and the CA\'s signature', None, None)):
        s.add('W6', what + ', without', ms(alone), f'{text} {ms(median([a[op] for a, _ in pairs]))}',
              ratios(pairs, lambda a, b, op=op: a[op] / b.parts[0]), must=must, aim=aim)


def w6(s):
    blocks, at_once = s.size(1, 4), (1, 8, 64)
    contest = Contest(s, s.size(100, 400), (len(at_once) + 1) * blocks * 2)
    for c in at_once:
        def a(c=c):
            return {**s.floor(('scep-bare', 'scep-issued'), s.size(250, 500)), 'peer': contest.peer(c)}
        pairs = s.abba(blocks, a, lambda c=c: contest.agent(c))
        what = f'c = {c}'
        against(s, what, pairs, c)
        latency(s, what, pairs)
        if c == 8:
            plain = median([b.parts[0] for _, b in pairs])
    tls = [contest.agent(8, tls=True) for _ in range(2 * blocks)]
    s.add('W6', 'c = 8, a TLS handshake each', ms(median([b.parts[0] for b in tls])), f'plain {ms(plain)}',
          [plain / b.parts[0] for b in tls])
    contest.ours.stop()
    s.add('W6', 'peak memory', '', '', [contest.ours.agent.peak_kib / 1024], 'MiB', ('<=', 24), ('<=', 20))


# ---- W7: when many have been issued ------------------------------------------------------------------------------
def fill(s, server, first, count):
    """From `first` to `first + count` issued, in files of bearable size."""
    while count > 0:
        some = min(count, 10000)
        m = Messages(s.place, f'fill{first}', server.recipient, some)
        Round(server, m, some, 32, strict=isinstance(server, Ours), keep=True)
        os.remove(m.path)
        first, count = first + some, count - some


def point(s, server, name, count, rounds):
    """The cost of one, in units of the floor beside it: the machine's own changes fall out."""
    m = Messages(s.place, name, server.recipient, (rounds + 1) * count)
    Round(server, m, count, 8)
    found = []
    for _ in range(rounds):
        before = s.floor(('scep-bare',), s.size(150, 400))['scep-bare']
        cost = Round(server, m, count, 8).parts[0]
        found.append((cost, 2 * cost / (before + s.floor(('scep-bare',), s.size(150, 400))['scep-bare'])))
    return found


def w7(s):
    steps, count, rounds = s.size((2000, 5000), (10000, 100000)), s.size(120, 500), s.size(3, 6)
    server, had = Ours(s.place), 0
    first = point(s, server, 'at0', count, rounds)
    had += (rounds + 1) * count
    base = median([x for _, x in first])
    for n in steps:
        fill(s, server, had, n - had)
        now = point(s, server, f'at{n}', count, rounds)
        had = n + (rounds + 1) * count
        s.add('W7', f'CPU time after {n:,} issued', ms(median([c for c, _ in now])),
              f'at first {ms(median([c for c, _ in first]))}', [(x / base - 1) * 100 for _, x in now], '%',
              ('<=', 3), ('<=', 1))
    if not s.quick:
        peer_at(s, 10000, count, now)
    server.stop()


def peer_at(s, n, count, ours):
    """scepserver reads the list of what it issued each time."""
    peer = Peer(s.place, Peer.find())
    fill(s, peer, 0, n)
    m = Messages(s.place, 'late', peer.recipient, count)
    cost = Round(peer, m, count, 8, strict=False).each()
    peer.stop()
    s.add('W7', f'after {n:,}, without the CA', ms(median([c for c, _ in ours])), f'scepserver {ms(cost)}',
          [cost / c for c, _ in ours], must=('>=', 7), aim=('>=', 8.3))


# ---- W8: what is no good ---------------------------------------------------------------------------------------------
def slope(values):
    """Least squares, for equal distances."""
    middle = (len(values) - 1) / 2
    return sum((i - middle) * v for i, v in enumerate(values)) / sum((i - middle) ** 2 for i in range(len(values)))


def rejects(s, server, count, blocks):
    for kind in KINDS:
        bad = Messages(s.place, f'bad-{kind}', server.recipient, 2 * blocks * count, kind=kind)
        good = Messages(s.place, f'beside-{kind}', server.recipient, 2 * blocks * count)
        pairs = s.abba(blocks, lambda: Round(server, good, count, 8), lambda: Round(server, bad, count, 8))
        s.add('W8', f'refused: {WORDS[kind]}', ms(median([b.parts[0] for _, b in pairs])),
              f'enrolled {ms(median([a.parts[0] for a, _ in pairs]))}',
              ratios(pairs, lambda a, b: b.parts[0] / a.parts[0]), must=('<=', 1))


def w8(s):
    server, rounds, count = Ours(s.place), s.size(5, 12), s.size(200, 4000)
    warm = Messages(s.place, 'warm', server.recipient, 4 * count, hostile_every=10)
    Round(server, warm, 4 * count, 64)  # until SQLite's cache is full
    rejects(s, server, s.size(60, 300), s.size(1, 4))
    mixed = Messages(s.place, 'mixed', server.recipient, rounds * count, hostile_every=10)
    kib, last = [], None
    for _ in range(rounds):
        last = Round(server, mixed, count, 64)
        kib.append(server.agent.memory()['RssAnon'])
    server.stop()
    s.add('W8', 'one in ten hostile', '', f'{rounds * count} messages', [last.parts[0] * 1e3],
          'ms')
    if not s.quick:  # a few thousand say nothing: the allocator takes that long to settle
        s.add('W8', 'memory per 100,000 messages', f'{kib[-1] / 1024:.1f} MiB', f'at first {kib[0] / 1024:.1f} MiB',
              [slope(kib) / count * 100000 / 1024], 'MiB', ('<=', 1), ('<=', 0.25))


SCEP_WORKLOADS = {'W6': w6, 'W7': w7, 'W8': w8}
