"""What the experiment observes, each once."""

from authbench.observed import Measure

FACTS = ("id", "username", "permissions")  # of the caller, as `whoami` names them
MEASURES = (
    Measure("facts_readable", f"of {', '.join(FACTS)}: readable without a key", "facts", exact=True, better="neither"),
    Measure("script_may_read", "a page's script may hold the credential (1) or not (0)", "1", exact=True),
)
