"""`python -m apps.shop.manage`: Django's commands, with DJANGO_SETTINGS_MODULE naming the strategy."""

import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> int:
    """Exit code 2 with one line when the settings are wrong; otherwise whatever the command says."""
    # A command has no auth service and no load balancer beside it: it does their work in its own process.
    os.environ |= {"AUTHBENCH_AUTH_URL": "in-process:", "AUTHBENCH_EDGE": "in-process"}
    try:
        settings.INSTALLED_APPS  # noqa: B018 - Django would go on with a wrong configuration and call the command unknown
        execute_from_command_line(["manage.py", *sys.argv[1:]])
    except ImproperlyConfigured as error:
        sys.stderr.write(f"shop: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
