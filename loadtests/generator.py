"""The load generator's process: JSON lines in, JSON lines out; Locust and gevent live here and nowhere else.

    python -m loadtests.generator [--core N]

First line out: `{"ready": true, "timer": "timerfd"}`. Commands: `{"fire": {...}}` (see `loadtests.plan`) answers
`{"load": {...}}`, `{"ping": true}` answers `{"pong": true}`; anything wrong answers `{"error": "one clear line"}`.
A row with `rolls` holds a one-time token: each answer's `Authentication-Info: next-token="…"` replaces that user's in
every file, for as long as this process lives. An answer that never came took the next token with it, and a new process
knows the first tokens only, which are used up: in both cases what follows is refused, and counted so.

It ends at the end of stdin, when the commands before it are answered; at once on SIGINT, on SIGTERM and when nobody
reads its answers any more.
"""

import argparse
import gc
import json
import os
import signal
import stat
import sys
from collections.abc import Iterator
from typing import Any

from gevent import get_hub
from gevent.socket import wait_read

from loadtests.plan import PlanError, parse
from loadtests.timer import timer_name
from loadtests.volley import Battery

READ_BYTES = 1 << 16


def main() -> None:
    """Serves commands until stdin ends."""
    options = _arguments()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)  # ends at once, quietly
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    answers = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints goes to the log
    _end_with_the_reader(answers)
    # An error in a callback would leave a window without an end; so it ends the window, with an error as its answer.
    hub = get_hub()
    hub.SYSTEM_ERROR = (*hub.SYSTEM_ERROR, Exception)
    battery = Battery(pinned=options.core is not None)
    gc.collect()
    gc.freeze()
    _write(answers, {"ready": True, "timer": timer_name()})
    for line in _lines(0):
        _write(answers, answer(battery, line))
    os._exit(0)


def answer(battery: Battery, line: bytes) -> dict[str, Any]:
    """The answer to one command; never raises for what the command holds."""
    try:
        command = json.loads(line)
        match command:
            case {"ping": _}:
                return {"pong": True}
            case {"fire": dict(plan)}:
                return {"load": battery.fire(parse(plan))}
            case _:
                return {"error": "unknown command; fire or ping"}
    except PlanError as error:
        return {"error": str(error)}
    except ValueError as error:
        return {"error": f"not a command: {error}"}
    except Exception as error:  # one broken window must not end the process
        sys.excepthook(type(error), error, error.__traceback__)
        return {"error": f"{type(error).__name__}: {error}"}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loadtests.generator", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--core", type=int, metavar="N", help="run on this CPU core only, with real-time priority where allowed"
    )
    options = parser.parse_args()
    if options.core is not None and options.core not in os.sched_getaffinity(0):
        parser.error(f"--core {options.core}: not among the cores {sorted(os.sched_getaffinity(0))} of this process")
    return options


def _lines(fd: int) -> Iterator[bytes]:
    """Lines as they come; the hub goes on turning meanwhile."""
    pending = b""
    while True:
        wait_read(fd)
        data = os.read(fd, READ_BYTES)
        if not data:
            return
        *lines, pending = (pending + data).split(b"\n")
        yield from (line for line in lines if line.strip())


def _write(fd: int, value: dict[str, Any]) -> None:
    data = json.dumps(value).encode() + b"\n"
    while data:
        data = data[os.write(fd, data) :]


def _end_with_the_reader(fd: int) -> None:
    """Whoever reads the answers has gone: nobody is there to stop the load, so it stops itself."""
    if stat.S_ISFIFO(os.fstat(fd).st_mode):
        get_hub().loop.io(fd, 1).start(os._exit, 0)


if __name__ == "__main__":
    main()
