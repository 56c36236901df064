"""`python -m authbench.relaying ROUND_TRIP_US STATUS_PORT NAME:PORT:STORE_PORT…`; ends with its process group.

Port and token of its control come from its environment: without them it takes no commands.
"""

import contextlib
import gc
import os
import sys

from authbench.relaying.control import CONTROL_PORT, CONTROL_TOKEN
from authbench.relaying.loop import Relay


def main(arguments: list[str]) -> None:
    """Never returns. Raises OSError where a port is taken, ValueError or IndexError for other arguments."""
    relay = Relay(round(float(arguments[0]) * 1000))
    for route in arguments[2:]:
        name, port, store = route.split(":")
        relay.listen(name, int(port), int(store))
    if control := os.environ.get(CONTROL_PORT):
        relay.obey(int(control), os.environ[CONTROL_TOKEN])
    relay.answer(int(arguments[1]))  # the last: who is answered may connect
    with contextlib.suppress(OSError, AttributeError):  # without it the process waits its turn; its lateness tells
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(2))  # ahead of the generator
    gc.disable()  # nothing here refers to itself, and a collection would be a delay
    relay.run()


if __name__ == "__main__":
    main(sys.argv[1:])
