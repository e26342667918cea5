"""The page of a report: one HTML file that is read offline, and takes nothing that it is told for more than text.

Terms
-----
block
    A piece of HTML that `blocks` made, of type `Markup`. Any other text, wherever it comes from (names of files, texts
    of sidecars), is escaped when it gets onto the page.
section
    A heading with blocks below it.

The page holds its style, its script and its pictures. Its content security policy forbids all else: a browser runs no
script but the one of this folder, and asks no network for anything.
"""

import base64
import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.environment import MAKER
from hail_mri.provenance.free_paths import require_file_free

TEMPLATES = "templates"
INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")  # Unicode categories: among them what turns the direction of a line around
LAYOUT = "\n\t"


@dataclass(frozen=True)
class Section:
    """A heading of a page, and what is below it.

    Attributes
    ----------
    anchor : str
        Where a link leads, unique on the page: lower-case letters and hyphens.
    heading : str
    blocks : sequence of Markup
    """

    anchor: str
    heading: str
    blocks: Sequence[Markup]


def page(
    title: str, sections: Sequence[Section], *, lead: Sequence[Markup] = (), result_sha256: str | None = None
) -> str:
    """
    Return a page as HTML.

    Parameters
    ----------
    title : str
    sections : sequence of Section
        Named in a list of links if there are several.
    lead : sequence of Markup
        Blocks above the first section: what one has to see first.
    result_sha256 : str, optional
        Of the result that the page is of, for programs; see `report_state`.

    Examples
    --------
    >>> html = page("<b>.nii.gz", [Section("checks", "Checks", [Markup("<p>All ok.</p>")])])
    >>> "<title>&lt;b&gt;.nii.gz</title>" in html, "<p>All ok.</p>" in html
    (True, True)
    """
    style, script = _resource("page.css"), _resource("page.js")
    return (
        environment()
        .get_template("page.html")
        .render(
            title=title,
            lead=lead,
            sections=sections,
            style=Markup(style),
            script=Markup(script),
            policy=content_security_policy(style, script),
            maker=MAKER,
            result_sha256=result_sha256,
        )
    )


def write_page(html: str, path: Path, *, overwrite: bool) -> None:
    """
    Write a page, whole or not at all.

    Parameters
    ----------
    html : str
    path : Path
        Folders that are missing are made.
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    InputError, OutputExistsError, UnwritableError
        As `require_file_free`; UnwritableError also when the disk is full.
    """
    require_file_free(path, overwrite=overwrite)
    write_together([path], lambda hidden: hidden[path].write_text(html, encoding="utf-8", newline="\n"))


def content_security_policy(style: str, script: str) -> str:
    """Return the policy that allows this style, this script and pictures within the page, and nothing else."""
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def environment() -> Environment:
    """Return where templates come from; whatever they are given is escaped, and a name they miss is an error."""
    return Environment(
        loader=PackageLoader("hail_mri.report", TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _visible(value: object) -> object:
    """Return a text with letters that cannot be seen or written as UTF-8 in their escaped form; all else as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return "".join(_escaped(letter) if _is_invisible(letter) else letter for letter in value)


def _is_invisible(letter: str) -> bool:
    """Return whether a letter is one that nobody sees."""
    return unicodedata.category(letter) in INVISIBLE and letter not in LAYOUT


def _escaped(letter: str) -> str:
    """Return a letter as Python writes it in ASCII."""
    return ascii(letter)[1:-1]


@cache
def _resource(name: str) -> str:
    """Return a file of the templates' folder as it is."""
    environment_loader = environment().loader
    if environment_loader is None:
        raise AssertionError("the environment has a loader")
    text, _, _ = environment_loader.get_source(environment(), name)
    return text


def _hash(text: str) -> str:
    """Return a hash as a content security policy has it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
