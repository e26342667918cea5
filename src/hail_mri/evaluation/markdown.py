"""Tables in Markdown."""

from collections.abc import Iterable, Sequence


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""Return a table; no cell can break it.

    Parameters
    ----------
    headings : sequence of str
    rows : iterable of sequence of str
        Each as long as the headings.

    Examples
    --------
    >>> print(markdown_table(["method", "PSNR"], [["a|b", "26.7"]]))
    | method | PSNR |
    |---|---|
    | a\|b | 26.7 |
    """
    first, *others = [f"| {' | '.join(_cell(text) for text in line)} |" for line in (headings, *rows)]
    return "\n".join([first, "|" + "---|" * len(headings), *others])


def _cell(text: str) -> str:
    """Return text that cannot break a table."""
    return text.replace("|", "\\|").replace("\n", " ")
