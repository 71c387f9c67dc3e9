"""Holds the tree to its rules, and each rule to samples that break it.

Usage: run.py [RULE ...]     in a tree whose release build is up to date
"""

import os
import shutil
import subprocess
import sys
import tempfile

import objects
import samples
import source
import tools
from tree import Tree

RULES = [
    source.include_directions,
    source.own_header_first,
    source.banned_calls,
    source.file_length,
    source.function_size,
    source.dead_checks,
    source.left_overs,
    source.words_in_table,
    source.header_guards,
    objects.purity,
    objects.mutable_data,
    tools.headers_compile_alone,
    tools.formatting,
    tools.scripts_parse,
    tools.manual_is_sound,
    tools.diagrams_fresh,
]
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def plant(folder, files):
    """Writes a sample tree, with the object files of its C sources."""
    for path, text in files.items():
        whole = os.path.join(folder, path)
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        with open(whole, "w", encoding="utf-8") as file:
            file.write(text)
        if text.startswith("#!"):
            os.chmod(whole, 0o755)
    shutil.copy(os.path.join(TOP, ".clang-format"), folder)


def compile_sample(folder, files):
    for path in files:
        if path.endswith(".c"):
            target = os.path.join(folder, "build/release", path[:-2] + ".o")
            os.makedirs(os.path.dirname(target), exist_ok=True)
            subprocess.run(["gcc", "-w", "-O1", "-fPIE", "-c", "-o", target, path],
                           cwd=folder, check=True)


def finds(rule, files):
    with tempfile.TemporaryDirectory() as folder:
        plant(folder, files)
        if rule.__module__ == "objects":
            compile_sample(folder, files)
        return rule(Tree(folder))


def bites(rule):
    """What is wrong with the rule itself."""
    broken, sound = samples.SAMPLES[rule.__name__]
    wrong = [f"misses {sorted(files)}: {list(files.values())}"
             for files in broken if not finds(rule, files)]
    return wrong + [f"finds fault with a sound sample: {line}" for line in finds(rule, sound)]


def main(names):
    known = {rule.__name__: rule for rule in RULES}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"lint: no rule {', '.join(unknown)}; there are: {', '.join(known)}")
    passed = failed = 0
    tree = Tree(TOP)
    for name in names or known:
        for what, found in ((name, known[name](tree)), (name + " (self-test)", bites(known[name]))):
            passed += not found
            failed += bool(found)
            if found:
                print(f"lint: {what}: {len(found)} found")
                print("\n".join("  " + line for line in found[:200]))
    print(f"lint: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
