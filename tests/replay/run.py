"""Replays the logs of this folder with the present actors, and tries what is no good log.

Usage: run.py              ends with `replay: N passed, N failed`
       run.py --bless      writes what the actors decide now into the logs
"""

import json
import os
import subprocess
import sys
import tempfile
import zlib

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
PROGRAM = os.path.join(TOP, "build/release/gitterd")


def gitterd(*arguments):
    """(status, standard output, standard error) of one run."""
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, timeout=120, check=False,
                          stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr.decode()


def read(name):
    with open(os.path.join(HERE, name), "rb") as file:
        return file.read()


def write(folder, data):
    path = os.path.join(folder, "log")
    with open(path, "wb") as file:
        file.write(data)
    return path


def entries(data):
    """(offset, length) of each entry: its length stands behind its kind, in five bytes."""
    at = 0
    while at < len(data):
        name = data[at + 1] & 0x1f
        length = int.from_bytes(data[at + 3 + name:at + 7 + name], "big")
        yield at, length
        at += length


def sealed(entry):
    """The entry with the check that its bytes have now."""
    return entry[:-4] + zlib.adler32(entry[:-5]).to_bytes(4, "big")


def check_log(name):
    status, out, error = gitterd("replay", "--check", os.path.join(HERE, name))
    assert status == 0, out.decode() + error


def check_twice(name):
    """The same log, the same bytes; and each line of JSON is one."""
    path = os.path.join(HERE, name)
    for form in ([], ["--step"], ["--json"]):
        first, second = (gitterd("replay", *form, path) for _ in range(2))
        assert first == second and first[0] == 0, first[2]
    for line in first[1].splitlines():
        turn = json.loads(line)
        assert turn["same"] and turn["decisions"] is not None, turn


def check_with_msgpack(name):
    """A stock library reads it, and lengths and checks are what they are said to be."""
    import msgpack
    data = read(name)
    unpacker = msgpack.Unpacker(raw=False, unicode_errors="surrogateescape")
    unpacker.feed(data)
    spans = list(entries(data))
    kinds = set()
    for (at, length), entry in zip(spans, unpacker, strict=True):
        assert entry[1] == length, entry
        assert entry[-1] == zlib.adler32(data[at:at + length - 5]), entry
        kinds.add(entry[0])
        if entry[0] == "turn":
            _, _, number, now_ms, form, (how, message, body, _), reads, decisions, _ = entry
            assert number > 0 and now_ms > 0 and form == 0, entry
            assert how in ("event", "input", "ended", "deadline"), how
            assert isinstance(body, dict) and message.isupper(), entry
            assert all(isinstance(item[0], str) for item in reads + decisions), entry
    assert kinds == {"gitterd log", "process", "turn"}, kinds


def check_cut_off(name):
    """Cut anywhere in an entry: told where, and --lenient replays what is whole of it."""
    data = read(name)
    spans = list(entries(data))
    with tempfile.TemporaryDirectory() as folder:
        for index in (2, len(spans) // 2, len(spans) - 1):
            at, length = spans[index]
            for part in (1, length // 2, length - 1):
                path = write(folder, data[:at + part])
                status, _, error = gitterd("replay", "--check", path)
                assert status == 2 and f"entry {index} at byte {at}: cut off" in error, error
                status, out, error = gitterd("replay", "--check", "--lenient", path)
                assert status == 2 and b" 0 differences" in out, out
                assert f"{part} bytes left out, from byte {at} to the end" in error, error


def check_damaged(name):
    """A byte that is another is found in its entry; nothing of that section is replayed behind it."""
    data = read(name)
    spans = list(entries(data))
    with tempfile.TemporaryDirectory() as folder:
        for index in (1, 2, len(spans) // 2, len(spans) - 1):
            at, length = spans[index]
            for place in (at + length // 2, at + length - 1):
                broken = bytearray(data)
                broken[place] ^= 1
                path = write(folder, broken)
                status, _, error = gitterd("replay", path)
                assert status == 2 and f"entry {index} at byte {at}: damaged" in error, error
                status, out, error = gitterd("replay", "--check", "--lenient", path)
                assert status == 2 and b" 0 differences" in out, out
                left = len(data) - at
                assert f"{left} bytes left out, from byte {at} to the end" in error, error


def numbers(out):
    return [json.loads(line)["turn"] for line in out.splitlines()]


def check_lenient(name):
    """Behind damage it goes on with the next section: of a log with several, one part is missing."""
    data = read(name)
    spans = list(entries(data))
    starts = [at for at, length in spans if data[at + 2:at + 9] == b"process"]
    assert len(starts) > 3, starts
    turns = numbers(gitterd("replay", "--json", os.path.join(HERE, name))[1])
    behind = sum(at > starts[2] for at, length in spans if data[at + 2:at + 6] == b"turn")
    at, length = spans[[at for at, _ in spans].index(starts[1]) + 20]
    before = sum(one < at for one, _ in spans if data[one + 2:one + 6] == b"turn")
    with tempfile.TemporaryDirectory() as folder:
        for damage in (
                {at + length // 2: b"?"},             # in the middle of it
                {at + 2: b"torn"},                    # its kind
                {at + 7: b"\xff\xff\xff\xff"},        # its length, far beyond the file
                {at + 7: b"\0\1\0\0"},                # and within the file
                {at: b"\0" * (length - 1)}):
            broken = bytearray(data)
            for place, bytes_ in damage.items():
                broken[place:place + len(bytes_)] = bytes_
            path = write(folder, broken)
            assert gitterd("replay", "--check", path)[0] == 2
            status, out, error = gitterd("replay", "--lenient", "--json", path)
            said = f"{starts[2] - at} bytes left out, from byte {at} to the next section"
            assert status == 2 and said in error, error
            assert numbers(out) == turns[:before] + turns[len(turns) - behind:], error
            status, out, _ = gitterd("replay", "--lenient", "--check", path)
            assert status == 2 and f" {before + behind} turns, 0 differences".encode() in out, out
        broken = bytearray(data)
        for start in starts[:3]:  # the first section may be missing, too, and more than one
            broken[start + 10] ^= 0x40
        status, out, error = gitterd("replay", "--lenient", "--json", write(folder, broken))
        assert status == 2 and error.count("left out") == 1, error
        assert numbers(out) == turns[len(turns) - sum(
            at > starts[3] for at, length in spans if data[at + 2:at + 6] == b"turn"):], error


def check_newer(name):
    data = read(name)
    length = next(entries(data))[1]
    version = data[:length].index(b"gitterd log") + len("gitterd log") + 5
    newer = bytearray(data[:length])
    assert newer[version] == 1
    newer[version] = 2
    with tempfile.TemporaryDirectory() as folder:
        status, out, error = gitterd("replay", write(folder, sealed(bytes(newer)) + data[length:]))
    assert status == 2 and "newer version" in error and not out, error


def check_no_log(_):
    with tempfile.TemporaryDirectory() as folder:
        for data in (b"", b"\x93", b"{}", b"SQLite format 3\0" * 9, os.urandom(0) + b"\xc1" * 99):
            status, out, error = gitterd("replay", write(folder, data))
            assert status == 2 and "entry 0 at byte 0" in error and not out, error
        assert gitterd("replay", os.path.join(folder, "absent"))[0] == 2
    for arguments in ((), ("--until", "x", "y"), ("a", "b"), ("--what", "a")):
        assert gitterd("replay", *arguments)[0] == 2, arguments


def changed(data, before, after):
    """The log with one turn that was recorded otherwise; and that turn's offset."""
    for at, length in entries(data):
        entry = data[at:at + length]
        place = entry.rfind(before)
        if place > 0 and entry[2:6] == b"turn":
            other = entry[:place] + after + entry[place + len(before):]
            return data[:at] + sealed(other) + data[at + length:], at
    raise AssertionError(f"{before} is in no entry")


def check_difference(name):
    """A decision that was another: the first difference is shown, status 1; --bless mends it."""
    data = read(name)
    other, at = changed(data, b"JOINED", b"JOINES")
    with tempfile.TemporaryDirectory() as folder:
        path = write(folder, other)
        status, out, _ = gitterd("replay", "--check", path)
        text = out.decode()
        assert status == 1 and f"at byte {at}) comes out otherwise" in text, text
        assert "expected: " in text and "JOINES" in text and "got: " in text, text
        assert "actor: " in text and "input: " in text, text
        status, out, error = gitterd("replay", "--json", path)
        assert status == 0 and sum(not json.loads(line)["same"] for line in out.splitlines()) == 1
        status, out, error = gitterd("replay", "--bless", path)
        assert status == 0, error
        with open(path, "rb") as file:
            assert file.read() == data, "blessed, the log is not what it was"


def check_until_and_actor(name):
    path = os.path.join(HERE, name)
    lines = gitterd("replay", path)[1].decode().splitlines()
    tenth = lines[9].split(" ")[0]
    assert gitterd("replay", "--until", tenth, path)[1].decode().splitlines() == lines[:10]
    key = next(line.split("; chat ")[1].split(": ")[0] for line in lines if "; chat " in line)
    of_actor = gitterd("replay", "--actor", key, path)[1].decode().splitlines()
    assert of_actor and len(of_actor) < len(lines), key
    assert all(key in line for line in of_actor), key


def check_compiled(name):
    """What was written by hand does what it did, and a log compiled twice is the same."""
    stem = os.path.splitext(name)[0]
    with tempfile.TemporaryDirectory() as folder:
        logs = []
        for log in ("one", "two"):
            path = os.path.join(folder, log)
            status, _, error = gitterd("journal", "compile", os.path.join(HERE, name), path)
            assert status == 0, error
            with open(path, "rb") as file:
                logs.append(file.read())
        assert logs[0] == logs[1]
        status, out, error = gitterd("replay", "--check", path)
        assert status == 0, out.decode() + error
        shown = gitterd("replay", path)[1].decode()
    with open(os.path.join(HERE, stem + ".expected"), encoding="utf-8") as file:
        assert shown == file.read(), shown


def check_compile_errors(_):
    lines = {
        "{": "no JSON object",
        '{"what": 1}': "none of settings",
        '{"input": "ROOM_BRIDGE", "body": {}}': "no input of that name",
        '{"ended": "CHAT_JOIN_ENDED"}': "no call of that name waits",
        '{"event": {"type": "m.room.message"}}': "an event needs an event_id",
    }
    with tempfile.TemporaryDirectory() as folder:
        for line, why in lines.items():
            path = write(folder, b"# first\n" + line.encode())
            status, _, error = gitterd("journal", "compile", path, os.path.join(folder, "out"))
            assert status == 1 and f":2: {why}" in error, error


def bless(names, written):
    for name in names:
        status, out, error = gitterd("replay", "--bless", os.path.join(HERE, name))
        print(out.decode() + error, end="")
        assert status == 0, name
    for name in written:
        stem = os.path.join(HERE, os.path.splitext(name)[0])
        with tempfile.TemporaryDirectory() as folder:
            log = os.path.join(folder, "log")
            assert gitterd("journal", "compile", stem + ".jsonl", log)[0] == 0, name
            with open(stem + ".expected", "wb") as file:
                file.write(gitterd("replay", log)[1])
    return 0


def main():
    names = sorted(name for name in os.listdir(HERE) if name.endswith(".msgpack"))
    written = sorted(name for name in os.listdir(HERE) if name.endswith(".jsonl"))
    if sys.argv[1:] == ["--bless"]:
        return bless(names, written)
    login = "login-invite-list.msgpack"
    checks = [(check_log, name) for name in names]
    checks += [(check_with_msgpack, name) for name in names]
    checks += [(check_compiled, name) for name in written]
    checks += [(check, login) for check in (
        check_twice, check_cut_off, check_damaged, check_newer, check_no_log, check_difference,
        check_until_and_actor, check_compile_errors)]
    checks.append((check_lenient, "crash-and-recovery.msgpack"))
    failed = 0
    for check, name in checks:
        try:
            check(name)
        except Exception as error:  # each is to have its turn
            failed += 1
            print(f"FAILED {check.__name__} {name}: {error or type(error).__name__}")
    print(f"replay: {len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
