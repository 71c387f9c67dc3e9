"""Rules that read source text."""

import re

from tree import TOKEN, layer_of

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)

# What each layer may include besides its own headers. An entry that ends in .h is that header
# alone; the two small headers are what runtime/turn.h and runtime/store.h are made of.
ALLOWED = {
    "base": (),
    "codecs": ("base",),
    "actors": ("base", "codecs", "runtime/turn.h", "runtime/fsm.h", "runtime/call.h"),
    "db": ("base", "runtime/store.h", "runtime/call.h"),
    "runtime": ("base", "codecs"),
}

BANNED = {
    "strcpy strcat sprintf vsprintf strtok strncpy strncat atoi atol atoll atof gets alloca": (
        "has no bound, or no way to tell an error"
    ),
    "assert": "broken invariants are CHECK, which holds in every build",
    "rand srand random srandom drand48": "randomness comes with the turn or from wolfSSL",
    "system popen": "starts a shell",
    "setlocale localeconv localtime ctime asctime strtod": "depends on locale or time zone",
    "sleep usleep nanosleep": "waits without doing anything",
    "setjmp longjmp sigsetjmp siglongjmp": "leaves functions behind their back",
}
# Where one of them is right after all; the reason stands in the code.
EXCEPTIONS = {("codecs/html_walk.c", "setjmp"), ("codecs/html_walk.c", "longjmp")}
STDOUT = "printf puts putchar perror"
FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 600
# besides what says where results go: the arena, and room and count of an array
PARAMETERS_MAX = 5
RESULTS = re.compile(r",\s*(struct arena \*\w+|size_t max|size_t \*count)\b")


def calls(names):
    return re.compile(r"(?<![\w.>])(" + "|".join(names.split()) + r")\s*\(")


def include_directions(tree):
    found = []
    for path in tree.c_files():
        layer = layer_of(path)
        if layer not in ALLOWED:
            continue
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            target = match.group(1)
            if layer_of(target) != layer and not {target, layer_of(target)} & set(ALLOWED[layer]):
                found.append(f"{path}:{number}: {layer} must not include {target}")
    return found


def own_header_first(tree):
    found = []
    for path in tree.files(("actors", "codecs", "db", "runtime"), (".c",)):
        own = path[:-2] + ".h"
        includes = INCLUDE.findall(tree.text(path))
        if own in includes and includes[0] != own:
            found.append(f"{path}:1: its own header {own} comes first")
        found += [f"{path}:1: {name}: give the path from the top of the tree"
                  for name in includes if "/" not in name or name.startswith(".")]
    return found


def banned_calls(tree):
    found = []
    for names, reason in BANNED.items():
        pattern = calls(names)
        for path in tree.c_files():
            found += [f"{path}:{number}: {match.group(1)}: {reason}"
                      for number, line in enumerate(tree.code(path), 1)
                      for match in pattern.finditer(line)
                      if (path, match.group(1)) not in EXCEPTIONS]
    pattern = calls(STDOUT)
    for path in tree.c_files(("actors", "codecs", "db", "runtime")):
        if layer_of(path) != "daemon":
            found += [f"{path}:{number}: {match.group(1)}: only the daemon has a standard output"
                      for number, line in enumerate(tree.code(path), 1)
                      for match in pattern.finditer(line)]
    return found


def file_length(tree):
    found = []
    for path in tree.files(("actors", "codecs", "db", "runtime", "tests"), (".c", ".h", ".py", ".js")):
        length = tree.text(path).count("\n")
        if length > FILE_LINES_MAX:
            found.append(f"{path}:{length}: longer than {FILE_LINES_MAX} lines")
    return found


def functions(lines):
    """(line of the opening brace, line of the closing one, signature) of each function. In our
    layout both braces stand alone in the first column, and nothing else there does."""
    begin = None
    for number, line in enumerate(lines, 1):
        if line.rstrip() == "{":
            begin = number
        elif line.rstrip() == "}" and begin:
            first = begin - 1
            while first > 0 and re.match(r"[\w\s*(),\[\]]+$", lines[first - 1]):
                first -= 1
            yield begin, number, " ".join(lines[first:begin - 1])
            begin = None


def function_size(tree):
    found = []
    for path in tree.c_files():
        for begin, end, signature in functions(tree.code(path)):
            if end - begin - 1 > FUNCTION_LINES_MAX:
                found.append(f"{path}:{begin}: function of {end - begin - 1} lines, "
                             f"at most {FUNCTION_LINES_MAX}")
            parameters = len(re.sub(RESULTS, "", signature).split(","))
            if parameters > PARAMETERS_MAX:
                found.append(f"{path}:{begin}: more than {PARAMETERS_MAX} parameters")
    return found


def is_example(path, tree, number):
    """A header may show how it is used, set in by four more columns."""
    return path.endswith(".h") and tree.text(path).split("\n")[number - 1].startswith(" *     ")


def dead_checks(tree):
    """Checks that cannot fail, and code that is switched off."""
    never = re.compile(r"\b(CHECK|ck_assert|ck_assert_msg)\s*\(\s*(true|1)\s*[,)]"
                       r"|(?<!\} )\b(if|while)\s*\(\s*(0|false)\s*\)|^\s*#\s*if\s+0\b|\|\|\s*(true|1)\s*\)")
    statement = re.compile(r"^(?:[\w>.\[\]*-]+\s*(?:=|\+=|\().*;|}|(?:if|for|while)\s*\(.*\)\s*\{?"
                           r"|#\s*(?:include|define|if|endif)\b.*)$")
    found = []
    for path in tree.c_files():
        found += [f"{path}:{number}: never does anything: {line.strip()}"
                  for number, line in enumerate(tree.code(path), 1) if never.search(line)]
        found += [f"{path}:{number}: code in a comment: {line}"
                  for number, line in tree.comments(path)
                  if statement.match(line) and not is_example(path, tree, number)]
    return found


def left_overs(tree):
    """Marks of unfinished work, in any kind of source."""
    mark = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
    found = []
    for path in tree.files(("actors", "codecs", "db", "runtime", "tests", "etc"),
                           (".c", ".h", ".def", ".py", ".js", ".sh", ".sql", "/setup", "/test")):
        found += [f"{path}:{number}: unfinished: {line.strip()}"
                  for number, line in enumerate(tree.text(path).split("\n"), 1)
                  if mark.search(line)]
    return found


# What a homeserver words, and words that name a command.
NOT_SAID = {"is already in the room"}


def literals(tree, path):
    """(line number, text between the quotes) of each string literal."""
    text = tree.text(path)
    for match in TOKEN.finditer(text):
        if match.group("text") and match.group().startswith('"'):
            yield text.count("\n", 0, match.start()) + 1, match.group()[1:-1]


def page_of(name):
    """The texts of a page are named by what stands between PAGE_ and _TITLE."""
    page = name.removeprefix("PAGE_").removesuffix("_TITLE")
    return page if name.startswith("PAGE_") else "TEXT_" + name


def words_in_table(tree):
    """What bot and pages say stands in codecs/texts.def and nowhere else, and all of it is used."""
    phrase = re.compile(r"[A-Za-z]{2,} \(?[A-Za-z]{2,}|\([A-Z][a-z]+\)")
    between_tags = re.compile(r">[^<>]*[A-Za-z]{2,}[^<>]*<")
    found = []
    for path in tree.files(("actors",), (".c", ".h")):
        lines = tree.text(path).split("\n")
        found += [f"{path}:{number}: belongs into codecs/texts.def: {text}"
                  for number, text in literals(tree, path)
                  if phrase.search(text) and text not in NOT_SAID
                  and not lines[number - 1].startswith("_Static_assert")]
    found += [f"{path}:{number}: belongs into codecs/texts.def: {text}"
              for path in tree.files(("codecs",), (".c",)) if path.startswith("codecs/page")
              for number, text in literals(tree, path) if between_tags.search(text)]
    said = " ".join(tree.text(path)
                    for path in tree.files(("actors", "codecs", "runtime"), (".c", ".h")))
    for path in tree.files(("codecs",), ("texts.def",)):
        found += [f"{path}:1: nobody says {name}"
                  for name in re.findall(r"^ +X\((\w+),", tree.text(path), re.M)
                  if not re.search(rf"\bTEXT_{name}\b|\b{page_of(name)}\b", said)]
    return found


def header_guards(tree):
    """Each header opens with its contract and guards itself by a name made of its path."""
    found = []
    for path in tree.files(("actors", "codecs", "db", "runtime"), (".h",)):
        text = tree.text(path)
        if not text.startswith(f"/* {path}"):
            found.append(f"{path}:1: a header opens with its contract: /* {path}: ...")
        # the folder runtime/ may be left out: there is nothing else of such names
        guards = ["GITTERD_" + re.sub(r"[/.]", "_", name).upper()
                  for name in (path, path.removeprefix("runtime/"))]
        if not any(f"#ifndef {guard}\n#define {guard}\n" in text for guard in guards):
            found.append(f"{path}:1: is guarded by {guards[0]}")
    return found
