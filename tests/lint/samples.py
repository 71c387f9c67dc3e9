"""For each rule a small tree that breaks it once, and one that keeps it: {path: text}."""

import hashlib

CONTRACT = "/* {path}: sample. */\n#ifndef GITTERD_{guard}\n#define GITTERD_{guard}\n{body}#endif\n"
LONG = "int f(void);\nint f(void)\n{\n" + "    f();\n" * 61 + "    return 0;\n}\n"
SHORT = "int f(void);\nint f(void)\n{\n    return 0;\n}\n"
PRINTS_X = "#!/bin/sh\nprintf x\n"
SVG_OF_X = f"<svg/>\n<!-- {hashlib.sha256(b'x').hexdigest()} -->\n"


def header(path, guard, body=""):
    return CONTRACT.format(path=path, guard=guard, body=body)


# rule -> (broken trees, sound tree)
MANUAL = """.Dd January 1, 2000
.Dt GITTERD 1
.Os
.Sh NAME
.Nm gitterd
.Nd bridge
.Sh SYNOPSIS
.Nm
.Cm run
.Op Fl -fast
.Sh DESCRIPTION
It bridges.
"""

SAMPLES = {
    "include_directions": (
        [
            {"codecs/a.c": '#include "runtime/turn.h"\n'},
            {"runtime/base/a.h": '#include "codecs/json.h"\n'},
            {"actors/room/a.c": '#include "runtime/engine.h"\n'},
            {"actors/a.c": '#include "db/store.h"\n'},
            {"db/a.c": '#include "runtime/turn.h"\n'},
            {"runtime/a.c": '#include "runtime/daemon/wiring.h"\n'},
            {"runtime/a.c": '#include "actors/router.h"\n'},
        ],
        {
            "actors/room/room.c": '#include "actors/room/room.h"\n#include "runtime/turn.h"\n',
            "runtime/daemon/main.c": '#include "actors/router.h"\n#include "db/store.h"\n',
            "runtime/a.c": '#include "codecs/bayeux.h"\n',
            "db/a.c": '#include "runtime/store.h"\n#include "runtime/base/rc.h"\n',
        },
    ),
    "own_header_first": (
        [
            {"codecs/a.c": '#include "codecs/b.h"\n#include "codecs/a.h"\n'},
            {"codecs/a.c": '#include "a.h"\n'},
        ],
        {"codecs/a.c": '#include "codecs/a.h"\n#include "codecs/b.h"\n'},
    ),
    "banned_calls": (
        [
            {"codecs/a.c": "int f(void) { return atoi(text); }\n"},
            {"tests/unit/a.c": "void f(void) { sleep(1); }\n"},
            {"runtime/a.c": 'void f(void) { printf("x"); }\n'},
            {"db/a.c": "void f(void) { assert(x); }\n"},
        ],
        {
            "codecs/a.c": '/* not atoi(x) */\nvoid f(void) { g("atoi(x)"); my_atoi(x); }\n',
            "runtime/daemon/a.c": 'void f(void) { printf("x"); }\n',
        },
    ),
    "file_length": ([{"codecs/a.c": "\n" * 601}], {"codecs/a.c": "\n" * 600}),
    "function_size": (
        [{"codecs/a.c": LONG}, {"codecs/a.c": "int f(int a, int b, int c,\n  int d, int e, int g)\n{\n}\n"}],
        {"codecs/a.c": SHORT},
    ),
    "dead_checks": (
        [
            {"tests/unit/a.c": "void f(void) { ck_assert(true); }\n"},
            {"db/a.c": "#if 0\n#endif\n"},
            {"db/a.c": "void f(void)\n{\n    // CHECK(x == 1);\n}\n"},
            {"db/a.c": "/*\n * ck_assert_int_eq(a, 1);\n */\n"},
            {"db/a.c": "void f(void) { if (false) { g(); } }\n"},
        ],
        {"db/a.c": "/* Calls f(x); then waits, as the other side does (see g). */\nint x = g(0 || a);\n"},
    ),
    "left_overs": ([{"etc/a.sh": "# TO" + "DO later\n"}], {"etc/a.sh": 'mktemp a.XX' + 'XXXX\n'}),
    "words_in_table": (
        [
            {"actors/a.c": 'void f(void) { say("You are welcome."); }\n'},
            {"actors/a.c": 'void f(void) { name("%s (Gitter)"); }\n'},
            {"codecs/page.c": 'void f(void) { put("<p>Welcome</p>"); }\n'},
            {"codecs/texts.def": '#define TEXT_LIST(X) \\\n    X(UNSAID, "x")\n', "actors/a.c": ""},
        ],
        {
            "actors/a.c": '/* "You are welcome" */\nvoid f(void) { say(TEXT_HELLO, "name-of", "a b"); }\n',
            "codecs/page.c": 'void f(void) { put("<p class=\\"small\\">"); }\n',
            "codecs/texts.def": '#define TEXT_LIST(X) \\\n    X(HELLO, "You are welcome.")\n',
        },
    ),
    "header_guards": (
        [
            {"codecs/a.h": header("codecs/a.h", "CODECS_B_H")},
            {"codecs/a.h": header("codecs/b.h", "CODECS_A_H")},
        ],
        {
            "codecs/a.h": header("codecs/a.h", "CODECS_A_H"),
            "runtime/base/a.h": header("runtime/base/a.h", "BASE_A_H"),
        },
    ),
    "purity": (
        [
            {"codecs/a.c": "#include <time.h>\nlong f(void) { return time(0); }\n"},
            {"actors/a.c": "#include <stdlib.h>\nvoid *f(void) { return malloc(4); }\n"},
            {"codecs/a.c": "void turn_send(void);\nvoid f(void) { turn_send(); }\n"},
            {"actors/a.c": "void engine_post(void);\nvoid f(void) { engine_post(); }\n"},
            {"codecs/a.c": "void actor_f(void);\nvoid f(void) { actor_f(); }\n",
             "actors/a.c": "void actor_f(void) {}\n"},
            {"codecs/a.c": "void *arena_open(int);\nvoid *f(void) { return arena_open(1); }\n",
             "runtime/base/b.c": "void *arena_open(int a) { (void)a; return 0; }\n"},
        ],
        {
            "runtime/base/b.c": "void *arena_alloc(int a) { (void)a; return 0; }\n",
            "codecs/a.c": "void *arena_alloc(int);\nvoid *codec_f(void) { return arena_alloc(1); }\n",
            "actors/a.c": "void *codec_f(void);\nvoid turn_send(void *);\n"
                          "void f(void) { turn_send(codec_f()); }\n",
        },
    ),
    "mutable_data": (
        [
            {"codecs/a.c": "int counter;\n"},
            {"runtime/a.c": "int f(void) { static int n = 3; return n++; }\n"},
            {"db/a.c": "static const char *name = \"x\";\n"
                       "const char *f(int a) { if (a) { name = \"y\"; } return name; }\n"},
        ],
        {
            "codecs/a.c": "static const char *const names[] = {\"a\", \"b\"};\n"
                          "const char *f(int i) { return names[i]; }\n",
            "runtime/daemon/a.c": "int is_stopping;\n",
        },
    ),
    "headers_compile_alone": (
        [{"codecs/a.h": "size_t f(void);\n"}],
        {"codecs/a.h": "#include <stddef.h>\nsize_t f(void);\n"},
    ),
    "formatting": (
        [{"codecs/a.c": "int f( void );\n"}],
        {"codecs/a.c": "int f(void);\n"},
    ),
    "diagrams_fresh": (
        [
            {"build/release/gitterd": PRINTS_X, "actors/room/room.svg": "<!-- 0 -->\n"},
            {"build/release/gitterd": PRINTS_X, "actors/room/room.c": ""},
            {"build/release/gitterd": "#!/bin/sh\nexit 2\n", "actors/room/room.svg": SVG_OF_X},
        ],
        {"build/release/gitterd": PRINTS_X, "actors/room/room.svg": SVG_OF_X},
    ),
    "manual_is_sound": (
        [
            {"etc/gitterd.1": ".Dd x\n.Xx wrong\n"},
            {"etc/gitterd.1": MANUAL, "build/release/gitterd": "#!/bin/sh\necho gitterd dance\n"},
            {"etc/gitterd.1": MANUAL, "build/release/gitterd": "#!/bin/sh\necho ' --dance  x'\n"},
        ],
        {"etc/gitterd.1": MANUAL, "build/release/gitterd": "#!/bin/sh\necho ' gitterd run --fast'\n"},
    ),
    "scripts_parse": (
        [{"etc/a.sh": "if true; then\n"}, {"tests/a.py": "def f(:\n"}],
        {"etc/a.sh": "true\n", "tests/a.py": "def f():\n    pass\n"},
    ),
}
