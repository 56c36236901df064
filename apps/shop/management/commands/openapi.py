"""`manage.py openapi`: the endpoint contract as an OpenAPI document."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Asks no store; docs/schemas/openapi.json is what it prints, whatever strategy's settings it is called with."""

    help = "Prints the OpenAPI document of the endpoints, as JSON"
    requires_system_checks = ()

    def handle(self, *_: Any, **__: Any) -> None:
        """Raises CommandError where drf-spectacular, which is a development dependency, is not installed."""
        try:
            from apps.shop.schema import document  # noqa: PLC0415 - no replica needs it
        except ModuleNotFoundError as error:
            raise CommandError(f"{error.name} is missing: install the group `dev` of pyproject.toml") from None
        self.stdout.write(json.dumps(document(), indent=2, ensure_ascii=False))
