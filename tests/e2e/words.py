"""What the bot and the pages say, as patterns made of the table that gitterd itself speaks from.

Tests name a text and its arguments, so that rewording one breaks no test.
"""

import ast
import html
import os
import re

from process import TOP

ENTRY = re.compile(r'X\(([A-Z_]+),\s*((?:"(?:\\.|[^"\\])*"[\s\\]*)+)\)')
LITERAL = re.compile(r'"(?:\\.|[^"\\])*"')


def load():
    with open(os.path.join(TOP, "codecs/texts.def"), encoding="utf-8") as file:
        table = ENTRY.findall(file.read())
    return {name: "".join(ast.literal_eval(part) for part in LITERAL.findall(text))
            for name, text in table}


def pattern(name, /, **arguments):
    """A regular expression for a text; an argument that is not given stands for anything."""
    template = TEXTS[name].replace("{help}", TEXTS["HELP"])
    parts = []
    for part in re.split(r"(\{\w+\}|`|\s+)", template):
        if part.startswith("{"):
            given = arguments.get(part[1:-1])
            parts.append(".*?" if given is None else re.escape(str(given)))
        elif part == "`":
            parts.append("`?")
        elif part.strip() == "" and part:
            parts.append(r"\s+")
        else:
            parts.append(re.escape(part))
    return "".join(parts)


def listed(answer):
    """The rooms of an answer to `list`: {name: is it bridged}."""
    lines = [re.sub(r"^\s*\d+\.\s*", "", line).strip() for line in answer.split("\n")[1:]]
    return {line.removesuffix(" *"): line.endswith(" *") for line in lines if line}


def link_in(text):
    """The login link in what the bot said."""
    return re.search(r"https?://\S+/auth_gitter/[^\s<>)]+", text).group()


def plain(page):
    """The text of a web page, without markup."""
    text = re.sub(r"<(style|script|title)\b.*?</\1>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", text)))


def body(page):
    """What a page says below its heading."""
    return plain(page.text.split("</h1>")[-1]).strip()


def page_says(page, name, /, **arguments):
    return re.search(pattern(name, **arguments), plain(page.text), re.S) is not None


TEXTS = load()
