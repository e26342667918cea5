"""The blocks of a page: paragraphs, tables, figures, badges. Whatever text they are given is escaped."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from markupsafe import Markup

from hail_mri.report.page import environment

Text = str | Markup  # a str is text and nothing else; Markup comes from a function of this module
VERDICTS = ("ok", "check", "fail")  # each has a colour and a shape; other words have a neutral one


@dataclass(frozen=True)
class Picture:
    """A PNG with what it shows, in words for those who cannot see it; width and height in pixels."""

    png: bytes
    width: int
    height: int
    alt: str

    @property
    def uri(self) -> str:
        """The picture as an address that holds it."""
        return f"data:image/png;base64,{base64.b64encode(self.png).decode()}"


@dataclass(frozen=True)
class Column:
    """A column of a table; numbers stand at its right."""

    name: str
    is_number: bool = False


@dataclass(frozen=True)
class Cell:
    """What a cell of a table shows, and what it is sorted by: what it shows, if nothing else is given."""

    content: Text
    order: float | str | None = None


def plain(text: str) -> Markup:
    """Return a text that is to stand within other HTML, with letters that nobody sees written out."""
    return Markup(environment().from_string("{{ text }}").render(text=text))


def paragraph(text: Text, kind: str = "") -> Markup:
    """Return a paragraph; kinds are those of the style: soft, verdict ok, verdict check, verdict fail."""
    return _block("paragraph", text, kind)


def subheading(text: str) -> Markup:
    """Return a heading below that of the section."""
    return _block("subheading", text)


def listing(items: Sequence[Text]) -> Markup:
    """Return a list."""
    return _block("listing", items)


def link(text: Text, address: str) -> Markup:
    """Return a link; the address is an anchor of the page (#...) or a relative path, quoted as in a URL."""
    return _block("link", text, address)


def badge(verdict: str, word: str | None = None) -> Markup:
    """Return a verdict as shape, colour and word; the word is the verdict without another one."""
    known = verdict if verdict in VERDICTS else "none"
    return _block("badge", known, verdict if word is None else word)


def definitions(entries: Mapping[str, Text]) -> Markup:
    """Return names and what belongs to each."""
    return _block("definitions", list(entries.items()))


def table(
    caption: str, columns: Sequence[Column], rows: Sequence[Sequence[Cell | Text]], *, sortable: bool = True
) -> Markup:
    """
    Return a table.

    Parameters
    ----------
    caption : str
    columns : sequence of Column
    rows : sequence of sequences of Cell or text
        As many cells as columns; the first one names the row.
    sortable : bool
        Whether the headings are buttons that sort the rows.
    """
    cells = [[c if isinstance(c, Cell) else Cell(c) for c in row] for row in rows]
    return _block("table", caption, columns, [list(zip(row, columns, strict=True)) for row in cells], sortable)


def figure(content: Picture | Markup, caption: Text = "") -> Markup:
    """Return a picture, or a chart, with a caption."""
    return _block("figure", _block("image", content) if isinstance(content, Picture) else content, caption)


def picture_grid(columns: Sequence[str], rows: Sequence[Sequence[Picture | None]], caption: Text = "") -> Markup:
    """Return pictures in rows below the names of at most five columns; None leaves a place empty."""
    return _block("picture_grid", columns, rows, caption)


def before_after(
    anchor: str, views: Mapping[str, tuple[Picture, Picture]], *, names: tuple[str, str], caption: Text = ""
) -> Markup:
    """
    Return a slider that uncovers one picture over another, by mouse, touch or keyboard.

    Parameters
    ----------
    anchor : str
        Unique on the page.
    views : mapping of str to pair of Picture
        Before and after, alike in size, by the name of the plane; one is shown at a time.
    names : pair of str
        Of before and after.
    caption : str or Markup
    """
    return _block("before_after", anchor, list(views.items()), *names, caption)


def text_to_copy(anchor: str, paragraphs: Sequence[Text]) -> Markup:
    """Return paragraphs with a button that copies them; the anchor is unique on the page."""
    return _block("text_to_copy", anchor, paragraphs)


def details(summary: str, blocks: Sequence[Markup]) -> Markup:
    """Return blocks that are shown when they are asked for."""
    return _block("details", summary, blocks)


def side_by_side(blocks: Sequence[Markup], kind: str = "two") -> Markup:
    """Return blocks beside each other where there is room: two of them, or, of the kind charts, as many as fit."""
    return Markup('<div class="{}">{}</div>').format(kind, Markup("\n").join(blocks))


def _block(name: str, *arguments: Any) -> Markup:
    """Return what a macro of the template makes."""
    return Markup(getattr(_macros(), name)(*arguments))


@cache
def _macros() -> Any:
    """Return the macros of the template."""
    return environment().get_template("blocks.html").module
