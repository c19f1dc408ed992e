"""Style, sheets of paper and export: what all pictures share.

Matplotlib reads its settings from one global dictionary, so all drawing takes place in `drawing`, which
puts settings of our own in force, one thread at a time, and takes them back: a picture depends on its
data alone. pyplot is not used.

Blue is synthetic and grey is real, everywhere.
"""

from __future__ import annotations

import hashlib
import io
import threading
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

WIDTH = 9.0
MINUS = "\N{MINUS SIGN}"
MAX_PANELS = 24
# Of a place, as a share of the sheet: a hundredth of a point.
DIGITS = 5
MAX_HEAT_VARIABLES = 30

# From the palette of Okabe & Ito (2008), which people with colour blindness can tell apart.
BLUE = "#0072B2"
VERMILLION = "#D55E00"
INK = "#1F2933"
MUTED = "#66717D"
RULE = "#C9D0D6"
REAL = "#C3C9CF"
PALE_BLUE = "#C5DDEE"


STYLE = {
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 8,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "figure.constrained_layout.hspace": 0.06,
    "figure.constrained_layout.w_pad": 0.08,
    "figure.constrained_layout.wspace": 0.05,
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "savefig.facecolor": "white",
    "svg.fonttype": "none",
    "svg.hashsalt": "prefect-synth",
    "text.color": INK,
    "text.hinting": "none",  # else widths differ from one resolution to another
    "xtick.color": RULE,
    "xtick.labelcolor": MUTED,
    "xtick.labelsize": 7.5,
    "ytick.color": RULE,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 7.5,
}

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"

_LOCK = threading.RLock()


@contextmanager
def drawing() -> Iterator[None]:
    """Draw with our settings, one thread at a time."""
    with _LOCK, style.context(STYLE, after_reset=True), warnings.catch_warnings():
        # Names in other scripts are measured with a replacement sign and drawn by the browser.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def new_figure(height: float) -> Figure:
    """Return an empty sheet of the width of a page."""
    return Figure(figsize=(WIDTH, height), layout="constrained")


def new_panels(count: int, columns: int, height: float) -> tuple[Figure, list[Axes]]:
    """Make a grid of `count` panels; places that are left over are removed."""
    columns = max(min(columns, count), 1)
    rows = max(-(-count // columns), 1)
    figure = new_figure(0.5 + height * rows)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[count:]:
        axes.remove()
    return figure, list(grid[:count])


def finish(figure: Figure, title: str) -> Figure:
    """Name the picture and lay it out once, so that it does not depend on how often it is drawn."""
    figure.set_label(title)
    layout = figure.get_layout_engine()
    if layout is not None and figure.axes:
        layout.execute(figure)
    figure.set_layout_engine("none")
    # The solver's last digits depend on where in memory its variables lie; the picture must not.
    for axes in figure.axes:
        left, bottom, width, height = (round(float(e), DIGITS) for e in axes.get_position().bounds)
        axes.set_position((left, bottom, width, height))
    for text in figure.texts:
        x, y = (round(float(place), DIGITS) for place in text.get_position())
        text.set_position((x, y))
    return figure


def say(title: str, sentence: str) -> Figure:
    """Make a picture that holds one sentence, where there is nothing to draw."""
    figure = new_figure(0.8)
    figure.text(0.5, 0.5, sentence, ha="center", va="center", color=MUTED)
    return finish(figure, title)


def add_legend(figure: Figure, handles: Sequence[Line2D | Patch]) -> None:
    """Put a legend above all panels."""
    figure.legend(handles=list(handles), loc="outside upper left", ncols=len(handles))


def add_note(figure: Figure, note: str) -> None:
    """Put a remark below all panels."""
    if note:
        figure.supxlabel(note, fontsize=8, color=MUTED)


def describe_cut(shown: int, total: int, things: str) -> str:
    """Say how many things are shown, if not all."""
    return f"{shown} of {total} {things}" if shown < total else ""


def count_things(number: int, thing: str) -> str:
    """Return a number with its noun."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def tidy(text: object, longest: int) -> str:
    """Return text that is short, on one line, valid in XML and no formula to matplotlib."""
    line = "".join(c if c.isprintable() else " " for c in str(text))
    if len(line) > longest:
        line = line[: longest - 1].rstrip() + "…"
    return line.replace("$", r"\$")


def to_svg(figure: Figure, description: str = "") -> str:
    """Write a picture as SVG that can stand inside an HTML page.

    Text stays text. Identifiers that nothing refers to are dropped and the others are made unique
    to the picture; the same picture gives the same text.

    Parameters
    ----------
    figure : Figure
        Its label becomes the title.
    description : str
        What people who cannot see the picture should read.

    Returns
    -------
    str
        One ``svg`` element, without XML declaration and document type.
    """
    buffer = io.StringIO()
    with drawing():
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    root = ET.fromstring(text)  # noqa: S314 - written a line above
    for child in root.findall(f"{{{SVG}}}metadata"):
        root.remove(child)
    prefix = "p" + hashlib.sha256((text + description).encode()).hexdigest()[:10]
    _rename_identifiers(root, prefix)
    _add_title(root, prefix, str(figure.get_label()), description)
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", XLINK)
    return ET.tostring(root, encoding="unicode")


def _rename_identifiers(root: ET.Element, prefix: str) -> None:
    link, mask = f"{{{XLINK}}}href", "clip-path"
    used = {e.get(link, "").removeprefix("#") for e in root.iter()}
    used |= {e.get(mask, "").removeprefix("url(#").removesuffix(")") for e in root.iter()}
    for element in root.iter():
        identifier = element.attrib.pop("id", "")
        if identifier and identifier in used:
            element.set("id", f"{prefix}-{identifier}")
        if link in element.attrib:
            element.set(link, f"#{prefix}-{element.attrib[link].removeprefix('#')}")
        if mask in element.attrib:
            element.set(mask, element.attrib[mask].replace("url(#", f"url(#{prefix}-"))


def _add_title(root: ET.Element, prefix: str, title: str, description: str) -> None:
    texts = [("title", title)] + ([("desc", description)] if description else [])
    root.set("role", "img")
    root.set("aria-labelledby", " ".join(f"{prefix}-{tag}" for tag, _ in texts))
    for position, (tag, text) in enumerate(texts):
        element = ET.Element(f"{{{SVG}}}{tag}", {"id": f"{prefix}-{tag}"})
        element.text = text
        root.insert(position, element)


def to_png(figure: Figure, dpi: int = 150) -> bytes:
    """Write a picture as PNG; the same picture gives the same bytes."""
    buffer = io.BytesIO()
    with drawing():
        figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()
