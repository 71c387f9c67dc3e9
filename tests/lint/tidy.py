"""clang-tidy over all C files of the daemon, two at a time.

A file that came out clean is not looked at again until something it includes has changed: the
record of that, build/test/tidy.json, maps each file to a hash of its preprocessed text.
"""

import concurrent.futures
import hashlib
import json
import os
import subprocess
import sys

from tree import Tree

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RECORD = os.path.join(TOP, "build/test/tidy.json")
FLAGS = ["-std=gnu17", "-D_GNU_SOURCE", "-I."]


def run(*command):
    return subprocess.run(command, cwd=TOP, capture_output=True, text=True, errors="replace")


def fingerprint(path):
    whole = hashlib.sha256(run("clang", *FLAGS, "-E", path).stdout.encode())
    with open(os.path.join(TOP, ".clang-tidy"), "rb") as file:
        whole.update(file.read())
    return whole.hexdigest()


def examine(path, clean):
    """(path, fingerprint, findings)"""
    mark = fingerprint(path)
    if clean.get(path) == mark:
        return path, mark, ""
    answer = run("clang-tidy", "--quiet", path, "--", *FLAGS)
    return path, mark, answer.stdout.strip() or ("clang-tidy failed" if answer.returncode else "")


def main(paths):
    try:
        with open(RECORD, encoding="utf-8") as file:
            clean = json.load(file)
    except (OSError, ValueError):
        clean = {}
    paths = paths or Tree(TOP).files(("actors", "codecs", "db", "runtime"), (".c",))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for path, mark, found in pool.map(lambda path: examine(path, clean), paths):
            clean[path] = None if found else mark
            if found:
                failed += 1
                print(found)
    os.makedirs(os.path.dirname(RECORD), exist_ok=True)
    with open(RECORD, "w", encoding="utf-8") as file:
        json.dump(clean, file, indent=1, sort_keys=True)
    print(f"tidy: {len(paths) - failed} passed, {failed} failed")
    return 1 if failed or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
