#!/usr/bin/env python3
"""Writes codecs/emoji_table.def from the data of the npm package gemoji (MIT licence).

usage: npm install --prefix build/emoji gemoji@8.1.0
       codecs/emoji_table.py build/emoji/node_modules/gemoji > codecs/emoji_table.def

Only facts are taken: GitHub's names of emoji and the characters they stand for.
"""

import json
import pathlib
import re
import sys


def escape(text):
    return "".join(c if c.isascii() else f"\\U{ord(c):08x}" for c in text)


def main(folder):
    package = pathlib.Path(folder)
    version = json.loads((package / "package.json").read_text())["version"]
    source = (package / "index.js").read_text()
    entry = re.compile(r"emoji: '([^']+)',\s*names: \[([^\]]+)\]")
    names = {
        name: character
        for character, listed in entry.findall(source)
        for name in re.findall(r"'([^']+)'", listed)
    }
    assert len(names) > 1500 and names["+1"] == "\U0001f44d"
    assert all(re.fullmatch(r"[a-z0-9_+-]{1,48}", name) for name in names)
    print(f"/* Written by emoji_table.py from npm gemoji {version} (MIT), sorted by bytes of the name. */")
    for name in sorted(names, key=str.encode):
        print(f'EMOJI("{name}", "{escape(names[name])}")')


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
