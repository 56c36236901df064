"""Made folders that stand in for /proc and /sys."""

from pathlib import Path


def made(root: Path, files: dict[str, str]) -> Path:
    """Writes the files, relative path -> text, and hands the folder back."""
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return root
