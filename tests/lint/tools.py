"""Rules that other programs check for us."""

import glob
import hashlib
import os
import re
import subprocess

COMPILE = ["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]


def headers_compile_alone(tree):
    found = []
    for path in tree.files(("actors", "codecs", "db", "runtime", "tests"), (".h",)):
        # as an include of an empty file: nothing then complains about a header as main file
        answer = subprocess.run(COMPILE + ["-I.", "-x", "c", "-include", path, "/dev/null"],
                                cwd=tree.root, capture_output=True, text=True)
        if answer.returncode != 0:
            found.append(f"{path}:1: does not compile alone\n{answer.stderr.strip()}")
    return found


def formatting(tree):
    paths = [path for path in tree.c_files() if not path.endswith(".def")]
    if not paths:
        return []
    answer = subprocess.run(["clang-format", "--dry-run", "-Werror", "--style=file", *paths],
                            cwd=tree.root, capture_output=True, text=True)
    return [line for line in answer.stderr.split("\n") if ": error: " in line]


def scripts_parse(tree):
    """Shell scripts and Python files at least parse."""
    found = []
    for path in sorted(glob.glob("etc/*", root_dir=tree.root) + [".ci/run"]):
        whole = os.path.join(tree.root, path)
        if not os.path.isfile(whole):
            continue
        with open(whole, "rb") as file:
            is_shell = path.endswith(".sh") or file.readline().startswith(b"#!/bin/bash")
        if is_shell:
            answer = subprocess.run(["bash", "-n", whole], capture_output=True, text=True)
            found += [f"{path}:1: {answer.stderr.strip()}"] if answer.returncode else []
    for path in tree.files(("tests", "etc"), (".py",)):
        try:
            compile(tree.text(path), path, "exec")
        except SyntaxError as error:
            found.append(f"{path}:{error.lineno}: {error.msg}")
    return found


def help_of(program):
    """What the program and each of its commands say of how they are used."""
    def ask(*words):
        return subprocess.run([program, *words], capture_output=True, text=True).stdout
    whole = ask("--help")
    commands = sorted(set(re.findall(r"^ *gitterd ([a-z]+)", whole, re.MULTILINE)))
    return commands, whole + "".join(ask("help", command) for command in commands)


def manual_is_sound(tree):
    """mandoc finds nothing wrong with it, and it has every command and option of the program."""
    path = "etc/gitterd.1"
    program = os.path.join(tree.root, "build/release/gitterd")
    answer = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path],
                            cwd=tree.root, capture_output=True, text=True)
    found = (answer.stdout + answer.stderr).splitlines() if answer.returncode else []
    page = tree.text(path)
    commands, said = help_of(program) if os.path.exists(program) else ([], "")
    found += [f"{path}:1: has no command {command}"
              for command in commands if not re.search(rf"^\.Cm {command}\b", page, re.MULTILINE)]
    return found + [f"{path}:1: has no option {option}"
                    for option in sorted(set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", said)))
                    if not re.search(rf"Fl -{option[2:]}\b", page)]


def diagrams_fresh(tree):
    """Each machine has its picture, drawn by etc/diagrams from the table as it is now."""
    found = []
    for folder in sorted(glob.glob("actors/*/", root_dir=tree.root)):
        name = os.path.basename(folder.rstrip("/"))
        path = f"{folder}{name}.svg"
        program = os.path.join(tree.root, "build/release/gitterd")
        if not os.path.exists(program):
            return [f"{path}:1: there is no gitterd to draw it"]
        answer = subprocess.run([program, "machines", name, "--dot"], capture_output=True)
        mark = hashlib.sha256(answer.stdout).hexdigest()
        if answer.returncode != 0:
            found.append(f"{path}:1: gitterd knows no machine {name}")
        elif not os.path.exists(os.path.join(tree.root, path)):
            found.append(f"{path}:1: is missing, run etc/diagrams")
        elif not tree.text(path).endswith(f"<!-- {mark} -->\n"):
            found.append(f"{path}:1: is stale, run etc/diagrams")
    return found
