"""The traffic measures as bars: an SVG that stands by itself, in light and dark."""

from html import escape

WIDTH, BAR, GAP, LABEL = 760, 16, 6, 230
SHOWN = (("ack", "events/s"), ("forward", "messages/s"), ("lost", "events"))
STYLE = """<style>
text { font: 13px sans-serif; fill: #222 }
.title { font-weight: bold }
.ours { fill: #1a6e5a }
.peer { fill: #9aa7b0 }
@media (prefers-color-scheme: dark) { text { fill: #ddd } .ours { fill: #46b896 } .peer { fill: #5d6b75 } }
</style>"""


def bars(row, top):
    """The lines of one measure and the height where the next begins."""
    largest = max(row["median"].values(), default=0) or 1
    yield f'<text class="title" x="0" y="{top + 14}">{escape(row["what"])} ({row["unit"]})</text>'
    for place, (name, value) in enumerate(row["median"].items()):
        y = top + 26 + place * (BAR + GAP)
        length = max(1, round((WIDTH - LABEL - 110) * value / largest))
        kind = "ours" if name.startswith("gitterd") else "peer"
        yield f'<text x="0" y="{y + 13}">{escape(name)}</text>'
        yield f'<rect class="{kind}" x="{LABEL}" y="{y}" width="{length}" height="{BAR}"/>'
        yield f'<text x="{LABEL + length + 8}" y="{y + 13}">{value:,.0f}</text>'


def draw(rows, path):
    lines, top = [], 0
    for measure, unit in SHOWN:
        row = next((row for row in rows if (row["measure"], row["unit"]) == (measure, unit)), None)
        if row is not None:
            lines += bars(row, top)
            top += 26 + len(row["median"]) * (BAR + GAP) + 18
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" '
                   f'viewBox="0 0 {WIDTH} {top}">\n{STYLE}\n' + "\n".join(lines) + "\n</svg>\n")
