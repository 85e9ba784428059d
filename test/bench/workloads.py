"""The workloads: what is done, and what is made of it.  DESIGN.md says why; the numbers asked for are here."""
import os
import signal
import statistics
import time
from dataclasses import dataclass, field

from machine import Agent, IdleShare, Sandbox, SyncCount, Void, floor, shell, told

P256_OPS = ('p256-bare', 'p256-low', 'p256-certs')
P256 = {'keyAlgorithm': 'ecP256', 'keySize': None, 'keyUsage': ['digitalSignature']}
STEADY_OPS = ('rsa2048-sign', 'rsa2048-bare', 'scep-bare', *P256_OPS)


@dataclass
class Row:
    """One line of the table: `values` are judged by their median; must and aim are (sign, number)."""
    workload: str
    what: str
    agent: str
    against: str
    values: list
    unit: str = 'x'
    must: tuple = None
    aim: tuple = None


@dataclass
class Run:
    """One drain by `once`; cpu_s is without what starting and stopping cost."""
    count: int
    cpu_s: float
    wall_s: float
    peak_kib: int
    sandbox_cpu_s: float
    summary: dict
    results: list  # when the cloud got them, ms
    began_at: float  # seconds since 1970
    syncs: int = 0
    events: list = field(default_factory=list)

    def each(self):
        return self.cpu_s / self.count

    def rate(self):
        """Results a second between the tenth and the ninetieth in a hundred: neither start nor end."""
        a, b = len(self.results) // 10, len(self.results) * 9 // 10
        return (b - a) * 1000 / max(self.results[b] - self.results[a], 1)


class Suite:
    def __init__(self, place, quick):
        self.place, self.quick = place, quick
        self.blocks = 1 if quick else 5
        self.rows, self.floors, self.base_s = [], [], 0.0

    def size(self, quick, full):
        return quick if self.quick else full

    def add(self, *args, **more):
        self.rows.append(Row(*args, **more))

    def base(self):
        """What `once` takes to find that there is nothing to do."""
        cpu = [self.drain(0, None).cpu_s for _ in range(5)]
        self.base_s = statistics.median(cpu)

    def floor(self, ops, for_ms=500, keys=1):
        found = floor(self.place, ops, for_ms, keys)
        self.floors.append({k: v['cpu_us'] for k, v in found.items() if k in STEADY_OPS})
        return {k: v['cpu_us'] / 1e6 for k, v in found.items()}

    def abba(self, blocks, a, b):
        """Pairs (a, b) from blocks of A B B A."""
        pairs = []
        for _ in range(blocks):
            first = a()
            pairs.append((first, b()))
            second = b()
            pairs.append((a(), second))
        return pairs

    def drain(self, count, key, conf=None, args=(), faults=(), sync_ms=None, limit_s=None, events=()):
        """Start everything, let `once` do `count` requests, stop everything."""
        box = Sandbox(self.place, f'{count}:{key},ca=est' if count else None, args, conf)
        if faults:
            box.faults(*faults)
        syncs = SyncCount(self.place, sync_ms) if sync_ms is not None else None
        began_at = time.time()
        agent = Agent(box, ('once', '--wait', '60'), syncs and syncs.env)
        cpu_s = agent.finish(limit_s or 60 + count / 5)
        wall_s = time.monotonic() - agent.started
        done = box.summary()
        if agent.child.returncode != 0 or done['delivered'] != count or done['verdicts']:
            raise Void(f'{done["delivered"]} of {count} delivered, exit {agent.child.returncode}'
                       f': {told(done)} ' + self.place.log('agent.log'))
        sandbox_cpu_s = box.stop()
        return Run(count, cpu_s - self.base_s, wall_s, agent.peak_kib, sandbox_cpu_s, done,
                   [e['t'] for e in box.events('result')], began_at, syncs.count() if syncs else 0,
                   box.events(*events))


def ms(seconds):
    return f'{seconds * 1e3:.2f} ms'


def median(values):
    return statistics.median(values)


def ratios(pairs, of):
    return [of(a, b) for a, b in pairs]


# ---- W1: RSA-2048 without keys in stock ------------------------------------------------------------------
def w1(s):
    keys, requests = s.size(40, 300), s.size(50, 400)

    def a():
        return {**s.floor(('rsa2048-primes', 'rsa2048-fast'), keys=keys),
                **s.floor(('rsa2048-evp',), keys=s.size(25, 100)),
                'shell': shell(s.place, 'rsa2048', s.size(12, 40))}

    def b():
        return {how: s.drain(requests, 'rsa2048', {'generation': how, 'pool': 0}).each() for how in ('primes', 'fast')}
    pairs = s.abba(s.blocks, a, b)

    def row(how, name, text, must, aim=None):
        s.add('W1', f'RSA-2048, {how}', ms(median([b[how] for _, b in pairs])),
              f'{text} {ms(median([a[name] for a, _ in pairs]))}', ratios(pairs, lambda a, b: a[name] / b[how]),
              must=must, aim=aim)
    row('primes', 'shell', 'openssl and curl', ('>=', 3))
    row('primes', 'rsa2048-primes', 'key generation alone', ('>=', 0.9), ('>=', 0.94))
    row('fast', 'shell', 'openssl and curl', ('>=', 3), ('>=', 8))
    row('fast', 'rsa2048-fast', 'key generation alone', ('>=', 0.9), ('>=', 0.94))
    row('fast', 'rsa2048-evp', 'EVP_PKEY_generate', ('>=', 5.5), ('>=', 6.3))


# ---- W2: P-256 -------------------------------------------------------------------------------------------
def w2(s):
    requests, by_shell = s.size(1000, 4000), s.size(25, 60)

    def a():
        return {**s.floor(P256_OPS, s.size(300, 600)), 'shell': shell(s.place, 'ecP256', by_shell)}

    def b():
        return s.drain(requests, 'ecP256', sync_ms=0)
    pairs = s.abba(s.size(2, 5), a, b)
    cost = median([b.each() for _, b in pairs])

    def against(name, text, must=None, aim=None):
        s.add('W2', 'P-256', ms(cost), f'{text} {ms(median([a[name] for a, _ in pairs]))}',
              ratios(pairs, lambda a, b: a[name] / b.each()), must=must, aim=aim)
    against('shell', 'openssl and curl', ('>=', 50), ('>=', 70))
    against('p256-bare', 'primitives by EVP', ('>=', 0.75), ('>=', 0.83))
    against('p256-low', 'primitives, bare SHA-256', None, ('>=', 0.75))
    against('p256-certs', 'the same by certs/ alone')
    s.add('W2', 'fdatasync a request', f'{median([b.syncs for _, b in pairs]):.0f} of {requests}', '',
          [b.syncs / b.count for _, b in pairs], '', ('<=', 0.2), ('<=', 0.05))
    s.add('W2', 'results a second, both cores shared', '',
          f'sandbox {ms(median([b.sandbox_cpu_s / b.count for _, b in pairs]))}', [b.rate() for _, b in pairs], '/s')


# ---- W3: RSA-2048 from the pool --------------------------------------------------------------------------
def fill_pool(agent, keys):
    """Until the pool is full: for half a second no thread has wanted to run."""
    until, quiet = time.monotonic() + 30 + keys, 0
    while quiet < 25:
        if time.monotonic() > until:
            raise Void('the key pool does not get full')
        time.sleep(0.02)
        quiet = quiet + 1 if not agent.wants_to_run() else 0


def burst(s, keys):
    """CPU seconds a request when all keys are in stock, and milliseconds to the last result."""
    box = Sandbox(s.place, conf={'generation': 'fast', 'pool': keys, 'wait': 50})
    agent = Agent(box, ('run',))
    agent.ready()
    ca = {'certificationAuthorityName': 'est'}
    box.requests(1, **ca)  # from now on keys of this size are made ahead
    while box.summary()['delivered'] < 1:
        if time.monotonic() > agent.started + 30:
            raise Void('one request takes half a minute')
        time.sleep(0.05)
    fill_pool(agent, keys)
    share = IdleShare(agent)
    share.start()
    at = time.monotonic()
    box.requests(keys, **ca)
    while (done := box.summary())['delivered'] < keys + 1:
        if time.monotonic() > at + 60 + keys / 5:
            raise Void(f'the burst does not end: {told(done)}')
        time.sleep(0.02)
    share.finish()
    agent.stop()
    box.stop()
    times = [e['t'] for e in box.events('result')][1:]
    handed = [e['t'] for e in box.events('handed-out')][1:]
    return share.normal_s / keys, max(times) - min(handed), share.idle_s


def w3(s):
    keys = s.size(100, 500)
    pairs = s.abba(s.size(1, 3), lambda: s.floor(('rsa2048-bare',)), lambda: burst(s, keys))
    cost = median([b[0] for _, b in pairs])
    s.add('W3', f'RSA-2048, {keys} keys in stock', ms(cost),
          f'primitives by EVP {ms(median([a["rsa2048-bare"] for a, _ in pairs]))}',
          ratios(pairs, lambda a, b: a['rsa2048-bare'] / b[0]), must=('>=', 0.7), aim=('>=', 0.83))
    s.add('W3', 'time to the last result', f'{keys} requests',
          f'{median([b[2] for _, b in pairs]):.2f} s of refill beside it', [b[1] for _, b in pairs], 'ms')


# ---- W4: a slow CA ---------------------------------------------------------------------------------------
IN_FLIGHT = 64
LATE = {'where': 'est.enroll', 'what': 'delay', 'ms': 5000, 'probability': 0.01}
SLOW = {  # words for people, the sandbox's options, its faults, the CA's mean answer in seconds
    '50 ms': (('--ca-delay', '50'), (), 0.05),
    '500 ms': (('--ca-delay', '500'), (), 0.5),
    '50 ms, 1 % at 5 s': (('--ca-delay', '50'), (LATE,), 0.1),
}


def w4(s):
    requests, found = s.size(640, 3200), {name: [] for name in SLOW}
    conf = {'in_flight': IN_FLIGHT}
    clean = [s.drain(requests, 'ecP256', conf).rate()]
    for _ in range(s.size(1, 3)):
        slow = {name: s.drain(requests, 'ecP256', conf, args, faults).rate()
                for name, (args, faults, _) in SLOW.items()}
        clean.append(s.drain(requests, 'ecP256', conf).rate())
        for name, rate in slow.items():
            found[name].append((rate, min((clean[-2] + clean[-1]) / 2, IN_FLIGHT / SLOW[name][2])))
    for name, pairs in found.items():
        s.add('W4', f'CA answers after {name}', f'{median([rate for rate, _ in pairs]):.0f} /s',
              f'lesser of {median(clean):.0f} /s undelayed and {IN_FLIGHT / SLOW[name][2]:.0f} /s',
              [rate / bound for rate, bound in pairs], must=('>=', 0.95), aim=('>=', 0.98))


# ---- W5: a CA and a cloud that fail ----------------------------------------------------------------------
def w5(s):
    requests = s.size(600, 5000)
    faults = ({'where': 'est.enroll', 'what': 'http-500', 'probability': 0.005},
              {'where': 'est.enroll', 'what': 'drop-before', 'probability': 0.005},
              {'where': 'cloud.upload', 'what': 'http-500', 'probability': 0.001})
    pairs = s.abba(s.size(1, 3), lambda: s.drain(requests, 'ecP256'),
                   lambda: s.drain(requests, 'ecP256', faults=faults, events=('fault', 'csr-received')))
    bad = [b for _, b in pairs]
    s.add('W5', '1 % of CA calls fail, 0.1 % of posts', ms(median([b.each() for b in bad])),
          f'without faults {ms(median([a.each() for a, _ in pairs]))}',
          ratios(pairs, lambda a, b: a.each() / b.each()), must=('>=', 0.98), aim=('>=', 0.99))
    asked = [sum(e['event'] == 'csr-received' or e['where'] == 'est.enroll' for e in b.events) for b in bad]
    s.add('W5', 'submissions a request', f'{median(asked):.0f} of {requests}',
          f'{median([sum(e["event"] == "fault" for e in b.events) for b in bad]):.0f} faults',
          [n / b.count for n, b in zip(asked, bad)], '', ('<=', 1.02), ('<=', 1.011))
    s.add('W5', 'lost or issued twice', '', '', [b.summary['lost'] + b.summary['duplicates'] + b.summary['orphans']
                                              for b in bad], '', ('<=', 0))


# ---- W9: a long queue ------------------------------------------------------------------------------------
def w9(s):
    queued, part = 10000, s.size(2500, 10000)
    small = [s.drain(400, 'ecP256').each() for _ in range(s.size(2, 5))]
    box = Sandbox(s.place, f'{queued}:ecP256,ca=est')
    began_at = time.time() * 1000
    agent = Agent(box, ('run',))
    agent.ready()
    marks = []
    for goal in (300, part):
        while (done := agent.ask('status')['sinceStart']['delivered']) < goal:
            agent.memory()
            if time.time() * 1000 > began_at + 300000:
                raise Void(f'{done} of {goal} after five minutes')
            time.sleep(0.05)
        marks.append((done, agent.cpu_s()))
    agent.memory()
    agent.stop()
    box.stop()
    cost = (marks[1][1] - marks[0][1]) / (marks[1][0] - marks[0][0])
    s.add('W9', '10,000 wait in the cloud: peak', f'{part} taken', '', [agent.peak_kib / 1024], 'MiB',
          ('<=', 32), ('<=', 24))
    s.add('W9', 'time to the first result', 'from fork', '', [box.events('result')[0]['t'] - began_at], 'ms',
          ('<=', 60), ('<=', 30))
    s.add('W9', 'CPU a request', ms(cost), f'400 queued {ms(median(small))}', [cost / c for c in small], 'x',
          ('<=', 1.05), ('<=', 1.02))


def parked(s, rows):
    """A store with that many requests that wait for a manager at the CA; what holding them took."""
    box = Sandbox(s.place, conf={'pending': 3600})
    box.requests(rows, certificateTemplateName='ManualUser', certificationAuthorityName='est', **P256)
    agent = Agent(box, ('once', '--wait', '1'))
    agent.finish(60 + rows / 20)
    box.summary()  # writes the ledger out
    pending = box.events('pending')
    if agent.child.returncode != 0 or len(pending) < rows:
        raise Void(f'{len(pending)} of {rows} pending: ' + s.place.log('agent.log'))
    return box, agent.peak_kib


# ---- W11: nothing to do ----------------------------------------------------------------------------------
def idle(s, agent, what, seconds, must):
    time.sleep(2)
    before = agent.threads()
    time.sleep(seconds)
    after, memory = agent.threads(), agent.memory()
    began = {t: before.get(t, (0, 0, 0)) for t in after}
    wakes = sum(after[t][2] - began[t][2] for t in after) / seconds
    cpu_ms = sum(after[t][0] - began[t][0] for t in after) * 1000 / seconds
    s.add('W11', f'idle{what}: RSS', f'over {seconds} s', '', [memory['VmRSS'] / 1024], 'MiB',
          ('<=', 16) if must else None, ('<=', 15))
    s.add('W11', f'idle{what}: anonymous', '', '', [memory['RssAnon'] / 1024], 'MiB', None, ('<=', 3))
    s.add('W11', f'idle{what}: wake-ups', f'{cpu_ms:.3f} ms CPU a second', '', [wakes], '/s', ('<=', 0.5), ('<=', 0.3))


def w11(s):
    box = Sandbox(s.place)
    agent = Agent(box, ('run',))
    agent.ready()
    idle(s, agent, '', s.size(10, 20), True)
    box.requests(300, certificationAuthorityName='est', **P256)
    until = time.monotonic() + 60
    while agent.ask('status')['sinceStart']['delivered'] < 300:
        if time.monotonic() > until:
            raise Void('300 requests take more than a minute')
        time.sleep(0.1)
    idle(s, agent, ' after 300 requests', s.size(6, 20), False)
    agent.stop()
    box.stop()


# ---- W12: cold start -------------------------------------------------------------------------------------
def start_ms(box, times):
    found = []
    for _ in range(times):
        agent = Agent(box, ('run',))
        found.append(agent.ready())
        agent.stop()
    return found


def bare_start_ms(s, times):
    """The same program with nothing to do: loading its libraries."""
    found = []
    for _ in range(times):
        at = time.monotonic()
        child = s.place.start([s.place.agent, 'version'])
        os.waitpid(child.pid, 0)
        found.append((time.monotonic() - at) * 1000)
        child.returncode = 0
        s.place.children.remove(child)
    return found


def w12(s):
    times, rows, load = s.size(5, 15), s.size(500, 10000), s.size(400, 3000)
    bare = median(bare_start_ms(s, times))
    box = Sandbox(s.place)
    found = start_ms(box, times)
    box.stop()
    s.add('W12', 'fork to status, new store', '', f'load and exit {bare:.1f} ms', found, 'ms', ('<=', 18), ('<=', 13))
    box, peak_kib = parked(s, rows)
    found = start_ms(box, times)
    box.stop()
    s.add('W9', f'{rows} wait in the store: peak', '', '', [peak_kib / 1024], 'MiB', ('<=', 32), ('<=', 24))
    s.add('W12', f'fork to status, {rows} rows', '', '', found, 'ms', ('<=', 18), ('<=', 13))
    killed(s, load)


def killed(s, load):
    """kill -9 in the middle, three times; then everything is delivered.  What was under way at the CA, which
    cannot be asked, is sent again; what was under way from the cloud comes when its lease ends: they are short."""
    box = Sandbox(s.place, f'{load}:ecP256,ca=est', ('--lease', '10'))
    agent, found = Agent(box, ('run',)), []
    agent.ready()
    until = time.monotonic() + 120 + load / 5
    for part in (0.2, 0.4, 0.6, 1):
        while (done := box.summary())['delivered'] < load * part:
            if time.monotonic() > until:
                raise Void(f'not all delivered after kill -9: {told(done)}')
            time.sleep(0.05)
        if part < 1:
            agent.stop(signal.SIGKILL)
            agent = Agent(box, ('run',))
            found.append(agent.ready())
    agent.stop()
    box.stop()
    s.add('W12', 'fork to status, after kill -9', 'three times', '', found, 'ms', ('<=', 18), ('<=', 13))
    s.add('W12', 'after kill -9: lost', '', f'{done["duplicates"]} CSRs sent again, outcome unknown', [done['lost']],
          '', ('<=', 0))


# ---- W13: a slow disk ------------------------------------------------------------------------------------
def w13(s):
    requests = s.size(800, 3000)
    pairs = s.abba(s.size(1, 3), lambda: s.drain(requests, 'ecP256', sync_ms=0),
                   lambda: s.drain(requests, 'ecP256', sync_ms=5))
    s.add('W13', 'every fsync takes 5 ms more', f'{median([b.rate() for _, b in pairs]):.0f} /s',
          f'as it is {median([a.rate() for a, _ in pairs]):.0f} /s', ratios(pairs, lambda a, b: b.rate() / a.rate()))
    s.add('W13', 'fdatasync a request', f'{median([b.syncs for _, b in pairs]):.0f} of {requests}', '',
          [b.syncs / b.count for _, b in pairs], '', ('<=', 0.2), ('<=', 0.05))


WORKLOADS = {'W1': w1, 'W2': w2, 'W3': w3, 'W4': w4, 'W5': w5, 'W9': w9, 'W11': w11, 'W12': w12, 'W13': w13}
