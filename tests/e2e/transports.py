"""How gitterd hears what is said on Gitter, and which scenarios each way has to pass.

`faye` is a WebSocket with everything that Gitter tells, `stream` one HTTP answer for each room with
new messages alone, `none` reading each room again every now and then. All scenarios run with Faye.
Most of them (logins, `gitterd check`, bad input, the command line, what goes from Matrix to Gitter)
never touch the difference, so the other two run those marked with `everywhere`: messages from
Gitter in order, with their form and their time, once, not back to who sent them; rooms opened by
command; and what must survive restarts and lost answers. Scenarios marked with `only` are about one
transport itself, or would do nothing but wait for minutes without a live one.
"""

NAMES = ("faye", "stream", "none")
# With `none` a message from Gitter is there after one of gitterd's pauses, or two if it was just
# too late for the first, and those last up to a minute.
STRETCH = {"faye": 1, "stream": 1, "none": 4}


def everywhere(function):
    function.transports = NAMES
    return function


def only(*names):
    """Marks a scenario of some transports."""
    assert set(names) <= set(NAMES), names

    def mark(function):
        function.transports = names
        return function
    return mark


def once(function):
    """Marks a scenario with servers of its own: neither rooms nor the build make a difference."""
    function.once = True
    return function


def is_once(function):
    return getattr(function, "once", False)


def together(function):
    """Marks a scenario that can run at the same time as others that are marked so."""
    function.together = True
    return function


def takes_part(function, transport):
    return transport in getattr(function, "transports", ("faye",))


def may_run_together(function):
    return getattr(function, "together", False)


def settings(transport, gitter_url):
    """The addresses in gitterd's configuration."""
    return {
        "gitter_faye_url": gitter_url + "/bayeux" if transport == "faye" else "",
        "gitter_stream_url": gitter_url + "/stream/v1" if transport == "stream" else "",
    }
