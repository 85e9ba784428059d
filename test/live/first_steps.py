#!/usr/bin/env python3
"""first_steps.py - the page packaging/man/certferry-first-steps.7.scd as a list of steps, and its outputs held
against real ones.

    first_steps.py steps PAGE            each step: "do SOMETHING", or "run NUMBER COMMAND"
    first_steps.py configuration PAGE    the block that begins with a section
    first_steps.py same PAGE NUMBER FILE NAMES    a difference, and 1, if FILE is not what the page says
    first_steps.py blind PAGE            words of the outputs that could change unnoticed, lines that are too long
    first_steps.py record PAGE DIR NAMES          each output that is a file of DIR, NUMBER, into the page; its request's
                                                  id, NUMBER.id, into the command

NAMES is a file of lines "REAL<TAB>NAME IN THE PAGE": addresses, ports and folders differ from run to run, and the page has
readable ones; longest first.  What else may differ, and nothing else, stands in VARIES.
"""
import difflib
import os
import re
import sys

WIDTH = 100
GUID = r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
VARIES = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
    (GUID, "ID"),
    (r"\b[0-9A-F]{28,40}\b", "SERIAL"),
    (r"\b[A-Z]{4}-[A-Z]{4}\b", "CODE"),
    (r" *\b\d+ ms\b", " N ms"),
    (r"\b\d+ days left\b", "N days left"),
    (r"[+-]\d+ s at\b", "+N s at"),
    (r", next try in \d+ s\b", ""),  # only while nobody is asked
    (r"(?<!^)\b\d+ (s|min|h|d)( \d+ (s|min|h))?\b", "SPAN"),
    (r"\(pid \d+\)", "(pid N)"),
    (r"\b[\d.]+ [MG]iB free", "SPACE free"),
    (r"^certferry \d+\.\d+\.\d+", "certferry VERSION"),
    (r"\b\d+ bytes\b", "N bytes"),
    (r"\b\d+ answers?\b", "N answers"),
    # How many rows there are and how many warn depends on the machine; how many fail does not.
    (r"^SUMMARY: \d+ pass, \d+ warn, (\d+) fail, \d+ skipped", r"SUMMARY: N pass, N warn, \1 fail, N skipped"),
    (r"  +", "  "),  # columns are as wide as what varies in them
]


def blocks(lines):
    """(first, behind the last) of what stands between two lines ```."""
    at = [i for i, line in enumerate(lines) if line == "```"]
    return [(a + 1, b) for a, b in zip(at[::2], at[1::2])]


def commands(lines):
    """(line of the command, first line behind its output)."""
    for first, end in blocks(lines):
        starts = [i for i in range(first, end) if lines[i].startswith("$ ")]
        yield from zip(starts, starts[1:] + [end])


def steps(lines):
    number = {start: n for n, (start, _) in enumerate(commands(lines))}
    for i, line in enumerate(lines):
        if line.startswith("; test: "):
            print("do", line[8:])
        elif i in number:
            print("run", number[i], line[2:].removeprefix("sudo "))


def configuration(lines):
    for first, end in blocks(lines):
        if lines[first].startswith("cloud {"):
            print("\n".join(lines[first:end]))


def fold(line):
    """Broken where a blank is; the rest is indented, or it would look like a line of its own."""
    while len(line) > WIDTH and line.rfind(" ", 20, WIDTH - 2) > 0:
        at = line.rfind(" ", 20, WIDTH - 2)
        yield line[:at] + " \\"
        line = "        " + line[at + 1:]
    yield line


def unfold(lines):
    lines = [re.sub(r"\\(.)", r"\1", line) for line in lines]  # scdoc's own escape
    return re.sub(r" \\\n {8}", " ", "\n".join(lines)).split("\n") if lines else []


def screen(path, names):
    """What stood on the terminal in the end, with the names of the page."""
    text = open(path, newline="").read().replace("\r\n", "\n")
    text = re.sub(r"[^\n]*\r\x1b\[K", "", text)
    for line in open(names):
        real, name = line.rstrip("\n").split("\t")
        text = text.replace(real, name)
    return text.rstrip("\n").split("\n") if text.strip() else []


def normal(line):
    for pattern, instead in VARIES:
        line = re.sub(pattern, instead, line)
    return line


def same(lines, number, path, names):
    start, end = list(commands(lines))[int(number)]
    page = [normal(x) for x in unfold(lines[start + 1:end])]
    real = [normal(x) for x in screen(path, names)]
    while page and not page[-1]:
        page.pop()
    for line in difflib.unified_diff(page, real, "the page", "the command", lineterm=""):
        print(line)
    return page != real


def blind(lines):
    """Words that somebody could change without a difference, and lines that are too long."""
    for start, end in commands(lines):
        for line in unfold(lines[start + 1:end]):
            for word in re.finditer(r"\b[A-Za-z]{2,}\b", line):
                if normal(line[:word.start()] + "other" + line[word.end():]) == normal(line):
                    print(f"not seen: {word[0]} in {line}")
    for first, end in blocks(lines):
        for line in lines[first:end]:
            if len(line.replace("\\\\", "\\")) > WIDTH:
                print("too long:", line)


def record(lines, page, folder, names):
    for n, (start, end) in reversed(list(enumerate(commands(lines)))):
        path = os.path.join(folder, str(n))
        if not os.path.exists(path):
            continue
        lines[start + 1:end] = [part.replace("\\", "\\\\") for line in screen(path, names)
                                for part in fold(line)]
        if os.path.exists(path + ".id"):
            lines[start] = re.sub(GUID, open(path + ".id").read().strip(), lines[start])
    with open(page, "w") as f:
        f.write("\n".join(lines) + "\n")


def main():
    what, page = sys.argv[1:3]
    lines = open(page).read().rstrip("\n").split("\n")
    if what == "steps":
        steps(lines)
    elif what == "configuration":
        configuration(lines)
    elif what == "blind":
        blind(lines)
    elif what == "same":
        sys.exit(same(lines, *sys.argv[3:]))
    elif what == "record":
        record(lines, page, *sys.argv[3:])


main()
