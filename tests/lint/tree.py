"""What every rule needs to know of a source tree: its files, and C without comments and strings.

A rule is a function from a Tree to a list of findings, "file:line: what is wrong".
"""

import os
import re

FOLDERS = ("actors", "codecs", "db", "runtime", "tests")
SKIPPED = {"build", "node_modules", "__pycache__", ".git"}

TOKEN = re.compile(
    r"""(?P<block>/\*.*?\*/)|(?P<line>//[^\n]*)|(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')""",
    re.S,
)


class Tree:
    def __init__(self, root):
        self.root = root
        self.texts = {}

    def files(self, folders, endings):
        """Paths relative to the root, sorted."""
        found = []
        for folder in folders:
            for where, names, files in os.walk(os.path.join(self.root, folder)):
                names[:] = [name for name in names if name not in SKIPPED]
                found += [os.path.join(where, name) for name in files if name.endswith(endings)]
        return sorted(os.path.relpath(path, self.root) for path in found)

    def c_files(self, folders=FOLDERS):
        return self.files(folders, (".c", ".h", ".def"))

    def text(self, path):
        if path not in self.texts:
            with open(os.path.join(self.root, path), encoding="utf-8") as file:
                self.texts[path] = file.read()
        return self.texts[path]

    def code(self, path):
        """Lines with comments and the insides of literals taken out, at their old places."""
        return TOKEN.sub(blank, self.text(path)).split("\n")

    def comments(self, path):
        """(line number, text) of each line of each comment."""
        found = []
        for match in TOKEN.finditer(self.text(path)):
            if match.group("text"):
                continue
            first = self.text(path).count("\n", 0, match.start()) + 1
            for offset, line in enumerate(match.group().split("\n")):
                found.append((first + offset, line.strip().strip("/*").strip()))
        return found


def blank(match):
    if match.group("text"):
        quote = match.group()[0]
        return quote + " " * (len(match.group()) - 2) + quote
    return re.sub(r"[^\n]", " ", match.group())


def layer_of(path):
    """The part of the architecture a file belongs to, or None for what has no rule."""
    if path.startswith("runtime/base/"):
        return "base"
    if path.startswith("runtime/daemon/"):
        return "daemon"
    top = path.split("/")[0]
    return top if top in FOLDERS else None
