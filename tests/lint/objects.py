"""Rules that read the object files of the release build."""

import os
import re
import subprocess

from tree import layer_of

# What pure code may ask of the C library: nothing that allocates for good, tells the time, depends
# on the locale, or reaches outside of the process.
HARMLESS = set("""
    memcpy memmove memset memcmp memchr memrchr memmem __memcpy_chk __memmove_chk __memset_chk
    strlen strnlen strcmp strncmp strchr strrchr
    bsearch qsort
    __stack_chk_fail _GLOBAL_OFFSET_TABLE_
""".split())

# gumbo cannot be told to stop but by a jump out of its allocator.
EXCEPTIONS = {("codecs/html_walk.c", "_setjmp"), ("codecs/html_walk.c", "__longjmp_chk")}

LIBRARIES = re.compile(r"^(gumbo_|kGumbo|msgpack_|yajl_)")
ENGINE = re.compile(r"^(turn_|fsm_)")
# Of the base, but not for those who are handed an arena.
OWNERS = {"arena_open", "arena_close", "arena_reset"}

# Data that may change and yet lies outside of a function: "file symbol".
MUTABLE = set()


def objects(tree, folders):
    """(source, object) of each source that is there now; the build may hold older objects."""
    for source in tree.files(folders, (".c", ".css")):
        name = source.replace(".", "_") if source.endswith(".css") else source[:-2]
        yield source, os.path.join(tree.root, "build/release", name + ".o")


def symbols(path, *options):
    """(name, class, section) of each symbol."""
    answer = subprocess.run(["nm", "--format=sysv", *options, path],
                            check=True, capture_output=True, text=True).stdout
    for line in answer.split("\n"):
        fields = [field.strip() for field in line.split("|")]
        if len(fields) == 7 and fields[0] != "Name":
            yield fields[0], fields[2], fields[6]


def is_built(tree, folders):
    return [f"{source}:1: is not in the release build"
            for source, path in objects(tree, folders) if not os.path.exists(path)]


def defined(tree, folders):
    return {name for _, path in objects(tree, folders)
            for name, _, _ in symbols(path, "--defined-only", "--extern-only")}


def purity(tree):
    missing = is_built(tree, ("actors", "codecs", "runtime/base"))
    if missing:
        return missing
    base = defined(tree, ("runtime/base",)) - OWNERS
    codecs = defined(tree, ("codecs",))
    own = {"codecs": base | codecs, "actors": base | codecs | defined(tree, ("actors",))}
    found = []
    for source, path in objects(tree, ("actors", "codecs")):
        layer = layer_of(source)
        for name, _, _ in symbols(path, "--undefined-only"):
            if name in HARMLESS or name in own[layer] or LIBRARIES.match(name):
                continue
            if (source, name) in EXCEPTIONS:
                continue
            if layer == "actors" and ENGINE.match(name):
                continue
            found.append(f"{source}:1: {name}: {layer} is to be pure")
    return found


def is_mutable(section):
    if section.startswith(".data.rel.ro"):
        return False
    return section.startswith((".data", ".bss", ".tdata", ".tbss", "*COM*"))


def mutable_data(tree):
    folders = ("actors", "codecs", "db", "runtime")
    sources = [(source, path) for source, path in objects(tree, folders)
               if layer_of(source) != "daemon"]
    found = []
    for source, path in sources:
        if not os.path.exists(path):
            found.append(f"{source}:1: is not in the release build")
            continue
        found += [f"{source}:1: {name}: mutable data at file scope"
                  for name, _, section in symbols(path, "--defined-only")
                  if is_mutable(section) and f"{source} {name}" not in MUTABLE]
    return found
