"""Processes under measurement: the sandbox, the agent, the shell's pipeline, the floor.

Everything lives in one folder that is removed at the end, listens on free ports, and is ended by its
process id.  CPU time is the kernel's own count: wait4 for what has ended, schedstat for what runs.
"""
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

STEP_S = 0.01
SCHED_IDLE = 5


class Void(Exception):
    """A run that says nothing: something failed that is not the thing measured."""


class Place:
    """The folder of one run of the suite, with copies of the programs: they may be rebuilt meanwhile."""

    def __init__(self, build, here):
        # On a disk: /tmp is often memory, where fdatasync costs nothing.
        self.dir = tempfile.mkdtemp(prefix='certferry-bench.', dir=os.environ.get('TMPDIR', '/var/tmp'))
        self.shell = os.path.join(here, 'shell-pipeline.sh')
        self.children = []
        for name in ('certferry', 'certferry-sandbox', 'bench/floor', 'bench/scep_load', 'bench/slowsync.so', 'plugins/otp.so'):
            path = os.path.join(build, name)
            if not os.path.exists(path):
                self.close()
                raise Void(f'no {path}: make bench-programs')
            shutil.copy2(path, self.dir)
        self.agent = os.path.join(self.dir, 'certferry')
        self.sandbox = os.path.join(self.dir, 'certferry-sandbox')
        self.box = os.path.join(self.dir, 'box')

    def start(self, argv, env=None, log='log'):
        with open(os.path.join(self.dir, log), 'ab') as out:
            child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                     env={**os.environ, 'TMPDIR': self.dir, **(env or {})})
        self.children.append(child)
        return child

    def ended(self, child, usage, status):
        child.returncode = os.waitstatus_to_exitcode(status)
        self.children.remove(child)
        return usage.ru_utime + usage.ru_stime

    def wait(self, child, limit_s, look=lambda: None):
        """CPU seconds of a child that ends by itself; `look` is called every STEP_S."""
        until = time.monotonic() + limit_s
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid != 0:
                return self.ended(child, usage, status)
            if time.monotonic() > until:
                raise Void(f'{os.path.basename(child.args[0])} still runs after {limit_s} s')
            look()
            time.sleep(STEP_S)

    def stop(self, child, how=signal.SIGTERM):
        os.kill(child.pid, how)
        until = time.monotonic() + 40
        while time.monotonic() < until:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid != 0:
                return self.ended(child, usage, status)
            time.sleep(STEP_S)
        raise Void(f'{os.path.basename(child.args[0])} does not end')

    def close(self):
        for child in list(self.children):
            child.kill()
            child.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def log(self, name='log'):
        try:
            with open(os.path.join(self.dir, name), errors='replace') as f:
                return f.read()[-2000:]
        except OSError:
            return ''


class Sandbox:
    """A cloud, a CA and devices; the keys in its folder are made once and serve all runs."""

    def __init__(self, place, load=None, args=(), conf=None):
        self.place = place
        for name in os.listdir(place.box) if os.path.isdir(place.box) else ():
            path = os.path.join(place.box, name)
            if name == 'state':
                shutil.rmtree(path)
            elif name == 'ready' or name.startswith('ledger'):
                os.remove(path)
        argv = [place.sandbox, '--dir', place.box, '--quiet', *args]
        self.child = place.start(argv + (['--load', load] if load else []), log='sandbox.log')
        self.cpu_s = None
        until = time.monotonic() + 20
        while not os.path.exists(os.path.join(place.box, 'ready')):
            if self.child.poll() is not None or time.monotonic() > until:
                raise Void('the sandbox does not start: ' + place.log('sandbox.log'))
            time.sleep(STEP_S)
        self.configure(conf or {})

    def configure(self, conf):
        """conf: poll, wait, pending (seconds); in_flight; anything else is written as it is into section keys."""
        path = os.path.join(self.place.box, 'certferry.conf')
        with open(path) as f:
            text = f.read()
        rest = dict(conf)
        ca = f'pending_interval = {rest.pop("pending", 1)}'
        if 'in_flight' in rest:
            ca += f'\n  max_in_flight = {rest.pop("in_flight")}'
        cloud = f'poll_interval = {rest.pop("poll", 30)}\n  wait = {rest.pop("wait", 50)}'
        text = re.sub(r'pending_interval = \d+', ca, re.sub(r'poll_interval = \d+', cloud, text))
        lines = [f'  {k} = {json.dumps(v)}\n' for k, v in rest.items()]
        self.conf = os.path.join(self.place.box, 'bench.conf')
        with open(self.conf, 'w') as f:
            f.write(text + 'keys {\n' + ''.join(lines) + '}\n')

    def ctl(self, *words):
        done = subprocess.run([self.place.sandbox, 'ctl', self.place.box, *words], capture_output=True, text=True)
        if done.returncode != 0:
            raise Void(f'sandbox ctl {words[0]}: {done.stderr.strip()}')
        return json.loads(done.stdout)

    def faults(self, *faults):
        self.ctl('faults', json.dumps([{'count': -1, **f} for f in faults]))

    def requests(self, count, **parameters):
        path = os.path.join(self.place.dir, 'requests.json')
        with open(path, 'w') as f:
            json.dump([{'parameters': parameters}] * count, f)
        self.ctl('requests', path)

    def summary(self):
        return self.ctl('summary')

    def events(self, *names):
        """The ledger's lines with these names; complete once the sandbox has stopped."""
        with open(os.path.join(self.place.box, 'ledger.jsonl')) as f:
            return [e for e in map(json.loads, f) if e['event'] in names]

    def stop(self):
        if self.cpu_s is None:
            self.cpu_s = self.place.stop(self.child)
        return self.cpu_s


class Agent:
    """certferry, as `once` or `run`, against a sandbox."""

    def __init__(self, box, command, env=None):
        self.box, self.place = box, box.place
        self.started = time.monotonic()
        self.child = self.place.start([self.place.agent, *command, '--config', box.conf], env, log='agent.log')
        self.peak_kib = 0

    def proc(self, name):
        with open(f'/proc/{self.child.pid}/{name}') as f:
            return f.read()

    def memory(self):
        """KiB by name: VmHWM, VmRSS, RssAnon."""
        try:
            text = self.proc('status')
        except OSError:
            text = ''
        found = {k: int(v) for k, v in re.findall(r'(\w+):\s+(\d+) kB', text)}
        self.peak_kib = max(self.peak_kib, found.get('VmHWM', 0))
        return found

    def threads(self):
        """For each thread: CPU seconds, scheduling policy, voluntary context switches."""
        result = {}
        for tid in os.listdir(f'/proc/{self.child.pid}/task'):
            try:
                ns = int(self.proc(f'task/{tid}/schedstat').split()[0])
                policy = int(self.proc(f'task/{tid}/stat').rpartition(')')[2].split()[38])
                switches = int(re.search(r'\nvoluntary_ctxt_switches:\s+(\d+)', self.proc(f'task/{tid}/status'))[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            result[tid] = (ns / 1e9, policy, switches)
        return result

    def wants_to_run(self):
        """Is a thread running, or waiting for a processor?"""
        tids = os.listdir(f'/proc/{self.child.pid}/task')
        return any(self.proc(f'task/{t}/stat').rpartition(')')[2].split()[0] == 'R' for t in tids)

    def cpu_s(self):
        return sum(t[0] for t in self.threads().values())

    def ask(self, command):
        """What the control socket answers; None while there is nobody."""
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(10)
                s.connect(os.path.join(self.place.box, 'state', 'control.sock'))
                s.sendall(json.dumps({'command': command}).encode() + b'\n')
                text = b''
                while piece := s.recv(65536):
                    text += piece
            return json.loads(text)['data']
        except (OSError, ValueError):
            return None

    def ready(self, limit_s=10):
        """Milliseconds from the fork to the first answer of the control socket."""
        while time.monotonic() < self.started + limit_s:
            if self.ask('status') is not None:
                return (time.monotonic() - self.started) * 1000
            if self.child.poll() is not None:
                break
            time.sleep(0.0003)
        raise Void('the agent does not start: ' + self.place.log('agent.log'))

    def finish(self, limit_s):
        """Wait for `once`; CPU seconds."""
        return self.place.wait(self.child, limit_s, self.memory)

    def stop(self, how=signal.SIGTERM):
        return self.place.stop(self.child, how)


class IdleShare(threading.Thread):
    """Splits what a process uses between normal threads and those that run at idle priority."""

    def __init__(self, agent):
        super().__init__(daemon=True)
        self.agent, self.normal_s, self.idle_s, self.going = agent, 0.0, 0.0, True
        self.last = agent.threads()

    def sample(self):
        now = self.agent.threads()
        for tid, (cpu, policy, _) in now.items():
            before, was = self.last.get(tid, (0.0, policy, 0))[:2]
            idle = ((policy == SCHED_IDLE) + (was == SCHED_IDLE)) / 2
            self.idle_s += (cpu - before) * idle
            self.normal_s += (cpu - before) * (1 - idle)
        self.last = now

    def run(self):
        while self.going:
            time.sleep(0.002)
            self.sample()

    def finish(self):
        self.going = False
        self.join()
        self.sample()


class SyncCount:
    """The environment that makes a program count its fsyncs, and slows them if wanted."""

    def __init__(self, place, ms=0):
        self.path = os.path.join(place.dir, 'syncs')
        if os.path.exists(self.path):
            os.remove(self.path)
        self.env = {'LD_PRELOAD': os.path.join(place.dir, 'slowsync.so'), 'BENCH_SYNC_COUNT': self.path,
                    'BENCH_SYNC_MS': str(ms)}

    def count(self):
        with open(self.path, 'rb') as f:
            return struct.unpack('=Q', f.read(8))[0]


def floor(place, ops, for_ms, keys):
    done = subprocess.run([os.path.join(place.dir, 'floor'), '--json', '--only', ','.join(ops), '--for', str(for_ms),
                           '--keys', str(keys), '--dir', place.dir], capture_output=True, text=True)
    if done.returncode != 0:
        raise Void(done.stderr.strip())
    return json.loads(done.stdout)['ops']


def told(summary):
    """What the sandbox counted, with only the first of the complaints."""
    return json.dumps({**summary, 'verdicts': summary['verdicts'][:1]})


def shell(place, key, count):
    """CPU seconds a request of the pipeline that an administrator would write."""
    box = Sandbox(place, f'{count}:{key},ca=est')
    out = os.path.join(place.dir, 'shell.log')
    at = os.path.getsize(out) if os.path.exists(out) else 0
    child = place.start([place.shell, place.box, str(count)], log='shell.log')
    place.wait(child, 60 + count)
    with open(out) as f:
        f.seek(at)
        text = f.read()
    done = box.summary()
    box.stop()
    if child.returncode != 0 or done['delivered'] != count or done['verdicts']:
        raise Void(f'the shell pipeline failed: {text[-500:]} {told(done)}')
    return json.loads(text.splitlines()[-1])['cpu_s'] / count
