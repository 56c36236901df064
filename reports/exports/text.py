"""Text made safe for formats that are read line by line."""

from reports.words import printable


def one_line(text: str) -> str:
    """The text on one line, without control, format or unassigned characters: each stands as `?`."""
    return printable(" ".join(text.split()))


def lines(text: str) -> str:
    """The text with its line breaks, every line as `one_line` gives it."""
    return "\n".join(one_line(line) for line in text.splitlines())


def shortened(text: str, longest: int) -> str:
    """The text cut to so many characters, the last of them an ellipsis where any were cut."""
    return text if len(text) <= longest else text[: longest - 1] + "…"
