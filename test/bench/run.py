"""run.py: the benchmark suite.  DESIGN.md says what is measured and how; `make bench` calls this.

Prints one table and writes the same, with everything it was made from, as JSON.
"""
import argparse
import datetime
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import time

from machine import Place, Void
from workloads import STEADY_OPS, WORKLOADS, Suite
from workloads_scep import SCEP_WORKLOADS

DRIFT_MAX = 0.08
WORKLOADS = dict(sorted((WORKLOADS | SCEP_WORKLOADS).items(), key=lambda w: int(w[0][1:])))


def number(value, unit):
    digits = 1 if value >= 20 else 2 if value >= 0.1 or value == 0 else 3
    if unit in ('ms', '/s') and value >= 100:
        digits = 0
    return f'{value:,.{digits}f}'


def asked(target):
    return '' if target is None else f'{target[0]} {target[1]:g}'


def holds(row, target):
    value = statistics.median(row.values)
    return value >= target[1] if target[0] == '>=' else value <= target[1]


def verdict(row):
    """A target inside the range of what was measured is decided by noise: said with a tilde."""
    for target, word in ((row.must, 'MISSED'), (row.aim, 'aim missed')):
        if target is None:
            continue
        if not holds(row, target):
            return word + (' ~' if min(row.values) <= target[1] <= max(row.values) else '')
    return 'ok' if row.must or row.aim else ''


def line(row):
    value = statistics.median(row.values)
    text = number(value, row.unit)
    if len(row.values) > 1:
        text += f' ({number(min(row.values), row.unit)} - {number(max(row.values), row.unit)})'
    return [row.workload, row.what, row.agent, row.against, text + (f' {row.unit}' if row.unit else ''),
            asked(row.must), asked(row.aim), verdict(row)]


def print_table(rows):
    lines = [['', 'what', 'agent', 'against', 'value (min - max)', 'must', 'aim', '']] + [line(r) for r in rows]
    widths = [max(len(x[i]) for x in lines) for i in range(8)]
    for i, cells in enumerate(lines):
        print('  '.join(c.ljust(w) for c, w in zip(cells, widths)).rstrip())
        if i == 0:
            print('-' * (sum(widths) + 14))


def drift(floors):
    """How far the first and the last measurement of the same floor are apart: the machine's own change."""
    found = {}
    for op in STEADY_OPS:
        seen = [f[op] for f in floors if op in f]
        if len(seen) > 1:
            found[op] = seen[-1] / seen[0] - 1
    return found


def machine(library):
    def first(path, word):
        try:
            with open(path) as f:
                return next((x.split(':', 1)[1].strip() for x in f if x.startswith(word)), '')
        except OSError:
            return ''
    try:
        commit = subprocess.run(['git', 'rev-parse', '--short', 'HEAD'], capture_output=True, text=True).stdout.strip()
    except OSError:
        commit = ''
    return {'date': datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ'), 'commit': commit,
            'cpu': first('/proc/cpuinfo', 'model name'), 'cores': os.cpu_count(), 'kernel': platform.release(),
            'library': library}


def write(path, suite, about, voids):
    os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
    rows = [{**vars(r), 'median': statistics.median(r.values), 'verdict': verdict(r)} for r in suite.rows]
    with open(path, 'w') as f:
        json.dump({'about': about, 'quick': suite.quick, 'void': voids, 'startCpuS': suite.base_s, 'rows': rows,
                   'floors': suite.floors, 'drift': drift(suite.floors)}, f, indent=1)
        f.write('\n')


def options():
    p = argparse.ArgumentParser(description='The benchmark suite of certferry.')
    p.add_argument('--build', required=True, help='folder with the programs, build/rel')
    p.add_argument('--out', default='build/bench/result.json')
    p.add_argument('--quick', action='store_true', help='everything in small, about four minutes')
    p.add_argument('--only', default=','.join(WORKLOADS), help='workloads, separated by commas')
    p.add_argument('--strict', action='store_true', help='exit 1 when a target is missed or the run is void')
    o = p.parse_args()
    o.only = o.only.split(',')
    unknown = [w for w in o.only if w not in WORKLOADS]
    if unknown:
        p.error(f'no workload {", ".join(unknown)}; there are {", ".join(WORKLOADS)}')
    return o


def measure(suite, only):
    """Run them; what could not be measured is a reason why the run is void."""
    voids = []
    try:
        suite.base()
        suite.floor(STEADY_OPS)
        for name in only:
            at = time.monotonic()
            try:
                WORKLOADS[name](suite)
            except Void as e:
                voids.append(f'{name}: {e}')
            print(f'{name}: {time.monotonic() - at:.0f} s', file=sys.stderr, flush=True)
        suite.floor(STEADY_OPS)
    except Void as e:
        voids.append(str(e))
    for op, change in drift(suite.floors).items():
        if abs(change) > DRIFT_MAX:
            voids.append(f'the floor {op} changed by {change * 100:+.0f} % from first to last: the machine is busy')
    return voids


def main():
    o = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit('bench: ended by SIGTERM'))  # so that close() runs
    at = time.monotonic()
    try:
        place = Place(o.build, os.path.dirname(os.path.abspath(__file__)))
    except Void as e:
        sys.exit(f'bench: {e}')
    try:
        suite = Suite(place, o.quick)
        version = subprocess.run([place.agent, 'version'], capture_output=True, text=True).stdout
        about = machine(', '.join(version.splitlines()))
        voids = measure(suite, o.only)
    finally:
        place.close()
    write(o.out, suite, about, voids)
    print_table(suite.rows)
    print(f'\nms: CPU time of one request.  More in {o.out}.  {time.monotonic() - at:.0f} s, {about["cpu"]}, '
          f'{about["cores"]} cores, {about["library"]}.')
    for v in voids:
        print('VOID: ' + v)
    missed = [r for r in suite.rows if verdict(r).startswith('MISSED')]
    print(f'{len(missed)} of {sum(r.must is not None for r in suite.rows)} targets missed')
    return 1 if o.strict and (missed or voids) else 0


if __name__ == '__main__':
    sys.exit(main())
