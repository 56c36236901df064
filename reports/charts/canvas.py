"""What all charts share: style, caption, and byte-stable files (no date, fixed ids, text kept as text in SVG)."""

import io
import re
import textwrap
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from authbench.records import Manifest
from reports.palette import FAINT, INK, RULE

PNG_DPI = 160
WIDTH_IN = 10.0
CAPTION_IN = 0.62
# DejaVu Sans comes with matplotlib, so that text is laid out alike on every machine; a viewer may lack it.
VIEWER_FONTS = "'DejaVu Sans', Verdana, 'Segoe UI', Helvetica, Arial, sans-serif"
# A document type and a licence block that name addresses on the network, of no use to a reader.
_DECLARATIONS = re.compile(r"<!DOCTYPE.*?>\n?| *<metadata>.*?</metadata>\n?", re.DOTALL)
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": RULE,
    "axes.labelcolor": FAINT,
    "axes.labelsize": 9.5,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": False,
    "axes.axisbelow": True,
    "grid.color": "#E6E9ED",
    "grid.linewidth": 0.8,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "none",
    "svg.hashsalt": "authbench",
}


@dataclass(frozen=True, slots=True)
class Chart:
    """A finished chart: its pictures, what it shows in words, and how to read it."""

    name: str  # file name without suffix
    title: str
    alt: str
    how_to_read: str
    svg: bytes
    png: bytes


def caption(manifest: Manifest) -> str:
    """Where, when and by which command: stands under every chart."""
    machine = manifest.machine
    where = f"{machine.cpu_model}, {machine.cores} cores, {machine.memory_bytes / 2**30:.0f} GiB"
    if machine.hypervisor:
        where += f", {machine.hypervisor} guest"
    return f"{where} · {manifest.started_utc} · authbench {manifest.authbench}\n{manifest.command}"


def canvas(title: str, subtitle: str, height_in: float, foot: str) -> Figure:
    """A figure with title above and caption below; add axes between `top` and `bottom` (see `area`)."""
    figure = Figure(figsize=(WIDTH_IN, height_in))
    FigureCanvasAgg(figure)
    figure.text(0.012, 1 - 0.16 / height_in, title, fontsize=13, fontweight="bold", va="top")
    figure.text(0.012, 1 - 0.43 / height_in, subtitle, fontsize=9.5, color=FAINT, va="top")
    lines = [textwrap.shorten(line, 150, placeholder=" …") for line in foot.splitlines()]
    figure.text(0.012, 0.1 / height_in, "\n".join(lines), fontsize=7.5, color=FAINT, va="bottom", linespacing=1.35)
    return figure


def axes(figure: Figure, left: float, right: float, below_in: float = 0.45, above_in: float = 0.8) -> Axes:
    """Axes between title and caption; `left` and `right` are shares of the width, the others inches."""
    height = figure.get_size_inches()[1]
    bottom = (CAPTION_IN + below_in) / height
    return figure.add_axes((left, bottom, right - left, 1 - above_in / height - bottom))


def finish(figure: Figure, name: str, title: str, alt: str, how_to_read: str) -> Chart:
    """The pictures of a finished figure."""
    svg, png = io.BytesIO(), io.BytesIO()
    figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    figure.savefig(png, format="png", dpi=PNG_DPI, metadata={"Software": None})
    text = svg.getvalue().decode().replace("'DejaVu Sans'", VIEWER_FONTS)
    text = _DECLARATIONS.sub("", text)
    return Chart(name, title, alt, how_to_read, text.encode(), png.getvalue())


def styled() -> AbstractContextManager[None]:
    """Context in which all charts are drawn; nothing of a user's matplotlibrc takes part."""
    fixed = {key: value for key, value in mpl.rcParamsDefault.items() if not key.startswith(("backend", "toolbar"))}
    return mpl.rc_context({**fixed, **STYLE})


def label(name: str, longest: int = 30) -> str:
    """A name as a chart may show it: printable, in the font, and short enough for its place."""
    shown = "".join(char if char.isprintable() and ord(char) < 0x180 else "?" for char in name)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"
