"""`manage.py serve_in_process`: handles requests without a server, on command, for whoever counts what that takes."""

import gc
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.contract.endpoints import ENDPOINTS
from apps.shop.management.commands.operations import analyst, repeatable

WARM_UP = 3


class Command(BaseCommand):
    """Reads `<endpoint> <count>` a line and answers `prepared`; at the next line handles them and answers `done`.

    Between the two lines a counter may be switched on. It ends with its input.
    """

    help = "Handles requests in this process as lines on stdin tell it: `whoami 10`"
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which endpoints will be asked for."""
        parser.add_argument("endpoints", nargs="+", choices=[name for name in ENDPOINTS if name != "healthz"])

    def handle(self, *_: Any, endpoints: list[str], **__: Any) -> None:
        """Needs a seeded database. Everything but the requests themselves is prepared before it says `ready`."""
        user = analyst()
        prepare = {name: repeatable(name, user) for name in endpoints}
        for name in endpoints:
            for _ in range(WARM_UP):
                prepare[name]()()
        gc.collect()
        gc.disable()  # when it runs is a matter of what ran before
        self._say("ready")
        for line in sys.stdin:
            name, _, count = line.partition(" ")
            if name not in prepare or not count.strip().isdigit():
                raise CommandError(f"{line.strip()!r}: write an endpoint of {', '.join(endpoints)} and a count")
            requests = [prepare[name]() for _ in range(int(count))]
            self._say("prepared")
            sys.stdin.readline()
            for request in requests:
                request()
            self._say("done")

    def _say(self, word: str) -> None:
        self.stdout.write(word)
        self.stdout.flush()
