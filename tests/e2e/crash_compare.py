"""What both ends of a crash run should hold, and what is missing, twice there or out of order."""

import collections


class Found:
    """What is wrong, with a line for each."""

    def __init__(self):
        self.lost = self.doubled = self.misplaced = self.total = self.changes = 0
        self.lines = []

    def counts(self):
        return self.lost, self.doubled, self.misplaced

    def is_bad(self):
        return self.counts() != (0, 0, 0)

    def note(self, where, expected, got):
        """Two lists that should be the same."""
        self.total += len(got)
        if expected == got:
            return
        wanted, seen = collections.Counter(expected), collections.Counter(got)
        lost, doubled = wanted - seen, seen - wanted
        self.lost += lost.total()
        self.doubled += doubled.total()
        left_expected = without(expected, lost)
        left_got = without(got, doubled)
        misplaced = 0
        if not lost and not doubled:
            misplaced = sum(a != b for a, b in zip(left_expected, left_got))
        self.misplaced += misplaced
        first = next((i for i, (a, b) in enumerate(zip(expected, got)) if a != b),
                     min(len(expected), len(got)))
        self.lines.append(f"{where}: lost {dict(lost)}, doubled {dict(doubled)}, misplaced {misplaced},"
                          f" first at {first}: expected {expected[max(0, first - 3):first + 5]},"
                          f" got {got[max(0, first - 3):first + 5]}")


def without(items, counts):
    left = collections.Counter(counts)
    kept = []
    for item in items:
        if left[item] > 0:
            left[item] -= 1
        else:
            kept.append(item)
    return kept


def compare_gitter(found, person, uri, messages):
    """What the owner said in Matrix is on Gitter as theirs, in that order."""
    got = [one["text"] for one in messages
           if one["fromUser"]["id"] == person.gitter_id and one["id"] not in person.typed[uri]]
    found.note(f"{person.name} to {uri}", list(person.said[uri].values()), got)


def is_edit(event):
    return event["content"].get("m.relates_to", {}).get("rel_type") == "m.replace"


def compare_matrix(found, crash, person, uri, messages):
    """What others said on Gitter is in Matrix, each by its id. What the owner typed there is, too;
    but which of several equal own messages was typed there cannot be told when an answer was lost,
    so those are compared by text. What was removed on Gitter may have been read before or not."""
    events = [event for event in person.rooms[uri].events if event["type"] == "m.room.message"]
    notices = [event["content"]["body"] for event in events if event["sender"] == crash.matrix.bot]
    ghosts = [event["content"] for event in events
              if event["sender"].startswith("@gitter_") and not is_edit(event)]
    all_arrived = [content["gitterd.gitter_id"] for content in ghosts]
    by_id = {one["id"]: one for one in messages}
    gone = [one for one in all_arrived if one not in by_id]
    found.note(f"{uri} to {person.name} (removed)", sorted(set(gone)), sorted(gone))
    arrived = [one for one in all_arrived if one in by_id]
    own = {one["id"] for one in messages if one["fromUser"]["id"] == person.gitter_id}
    where = f"{uri} to {person.name}"
    expected = [one["id"] for one in messages if one["id"] not in own]
    found.note(where, expected, [one for one in arrived if one not in own])
    typed = sorted(by_id[one]["text"] for one in person.typed[uri] if one in by_id)
    found.note(where + " (own)", typed,
               sorted(by_id[one]["text"] for one in arrived if one in own))
    place = {one["id"]: number for number, one in enumerate(messages)}
    order = [place[one] for one in arrived if one in place]
    late = sum(a > b for a, b in zip(order, order[1:]))
    if late:
        found.misplaced += late
        found.lines.append(f"{where}: {late} arrived behind one that was said later: " + ", ".join(
            f"{messages[a]['id']} > {messages[b]['id']}" for a, b in zip(order, order[1:]) if a > b))
    if notices:
        found.lines.append(f"{where}: the bot said {collections.Counter(notices)}")


def compare_changes(found, crash, person, uri, messages):
    """What was edited or removed on Gitter is so in Matrix, and nothing else is. That it is at all is
    not promised while gitterd is away. A change may be there twice, which shows nobody anything else,
    if it is the second event of a transaction that the homeserver had forgotten."""
    events = person.rooms[uri].events
    contents = {event["event_id"]: event["content"] for event in events}
    texts = {one["id"]: one["text"] for one in messages}
    of_event = {event["event_id"]: event["content"].get("gitterd.gitter_id") for event in events}
    ours = [event for event in events if crash.matrix.is_ours(event["sender"])
            and contents.get(crash.matrix.second.get(event["event_id"])) != event["content"]]
    edits = [(of_event[event["content"]["m.relates_to"]["event_id"]],
              event["content"]["m.new_content"]["body"]) for event in ours if is_edit(event)]
    made = [edit for edit in dict.fromkeys(edits) if texts.get(edit[0], edit[1]) == edit[1]]
    found.note(f"edits in {uri} to {person.name}", made, edits)
    removals = [event["redacts"] for event in ours if event["type"] == "m.room.redaction"]
    made = [one for one in dict.fromkeys(removals)
            if one in crash.removed or of_event[one] not in texts]
    found.note(f"removals in {uri} to {person.name}", made, removals)
    found.changes += len(edits) + len(removals)
