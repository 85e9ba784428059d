#!/usr/bin/env python3
"""hunt.py - look for secrets in everything that was said or written.

    hunt.py LIST PLACE...            exit 1 and a line for each that is found; 2: nothing to look for or in
    hunt.py --plant LIST FOLDER      a file for each secret and each disguise, as a leak would leave it

LIST has a line NAME<TAB>VALUE for each secret.  A PLACE is a file or a folder; archives and compressed files are
looked into.  A secret is found as it is, in upper or lower case, in halves (of a line that was cut, of a text split in
two), percent-encoded, as an entity of HTML or an escape of JSON, in base64 at any offset, in hexadecimal, in UTF-16.
"""
import base64
import bz2
import gzip
import html
import io
import json
import lzma
import os
import sys
import tarfile
import urllib.parse
import zipfile


def in_base64(value, altchars):
    """What is the same in base64 wherever in a text the value begins."""
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + value + b"\0" * 3, altchars)
        skip = (shift * 8 + 5) // 6
        yield text[skip:skip + (len(value) * 8) // 6 - 2]


def disguises(value):
    text = value.decode()
    yield "as it is", value
    if len(value) >= 24:
        yield "first half", value[:len(value) // 2]
        yield "second half", value[-(len(value) // 2):]
    every = "".join("%%%02x" % b for b in value)
    for name, form in (("percent", urllib.parse.quote(text, safe="")), ("percent, all of it", every),
                       ("percent, upper", every.upper()), ("form", urllib.parse.quote_plus(text)),
                       ("HTML", html.escape(text)), ("JSON", json.dumps(text)[1:-1]),
                       ("JSON, all of it", "".join("\\u%04x" % ord(c) for c in text)),
                       ("hexadecimal", value.hex()), ("hexadecimal, upper", value.hex().upper()),
                       ("hexadecimal, spaced", value.hex(" ")), ("hexadecimal, colons", value.hex(":"))):
        yield name, form.encode()
    for name, altchars in (("base64", b"+/"), ("base64url", b"-_")):
        for form in in_base64(value, altchars):
            yield name, form
    yield "UTF-16", text.encode("utf-16-le")
    yield "upper case", value.upper()
    yield "lower case", value.lower()


def unpacked(name, data, depth=0):
    """(name, content) of a file and of all that is packed in it."""
    yield name, data
    if depth > 4:
        return
    for magic, open_it in ((b"\x1f\x8b", gzip.decompress), (b"BZh", bz2.decompress), (b"\xfd7zXZ", lzma.decompress)):
        if data.startswith(magic):
            yield from unpacked(name + " unpacked", open_it(data), depth + 1)
    if data.startswith(b"PK\3\4"):
        with zipfile.ZipFile(io.BytesIO(data)) as z:
            for member in z.namelist():
                yield from unpacked(f"{name}: {member}", z.read(member), depth + 1)
    elif data[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(data)) as t:
            for member in t:
                if member.isfile():
                    yield from unpacked(f"{name}: {member.name}", t.extractfile(member).read(), depth + 1)


def files(places):
    for place in places:
        if os.path.isfile(place):
            yield place
        for folder, _, names in os.walk(place):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.isfile(path):
                    yield path


def listed(path):
    with open(path, "rb") as f:
        rows = [line.rstrip(b"\n").split(b"\t", 1) for line in f]
    return [(name.decode(), value) for name, value in rows if len(value) >= 8]


def hunt(secrets, places):
    forms = {}
    for name, value in secrets:
        for how, form in disguises(value):
            if len(form) >= 8:
                forms.setdefault(form, (name, how))
    looked = found = 0
    for path in files(places):
        with open(path, "rb") as f:
            data = f.read()
        for name, content in unpacked(path, data):
            looked += 1
            for form, (secret, how) in forms.items():
                if form in content:
                    found += 1
                    at = content.index(form)
                    before = content[max(0, at - 60):at].decode(errors="replace").replace("\n", " ")
                    print(f"{secret} ({how}) in {name}, behind: {before}")
    print(f"# {len(secrets)} secrets, {len(forms)} forms, {looked} files, {found} found", file=sys.stderr)
    return 2 if not forms or not looked else 1 if found else 0


def plant(secrets, folder):
    os.makedirs(folder, exist_ok=True)
    for name, value in secrets:
        for i, (how, form) in enumerate(disguises(value)):
            with open(f"{folder}/{name}-{i}", "wb") as f:
                f.write(b'{"event":"PeerDown","message":"the peer said ' + form + b' and went"}\n')
        with tarfile.open(f"{folder}/{name}-packed.tar.gz", "w:gz") as t:
            member = tarfile.TarInfo("report/log")
            member.size = len(value)
            t.addfile(member, io.BytesIO(value))


if __name__ == "__main__":
    if sys.argv[1] == "--plant":
        plant(listed(sys.argv[2]), sys.argv[3])
    else:
        sys.exit(hunt(listed(sys.argv[1]), sys.argv[2:]))
