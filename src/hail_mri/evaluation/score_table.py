"""Scores as tables of plain text, for terminals and logs."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hail_mri.evaluation.comparison import Score

_HISTOGRAM_HEADINGS = ("nWD(i,p) %", "nWD(t,p) %")
_HEADINGS = ("method", "PSNR head dB", "SSIM head", "PSNR brain dB", "SSIM brain", *_HISTOGRAM_HEADINGS)
_GAP = "  "


def format_scores(scores: "Sequence[Score]") -> str:
    """Return scores as a table, one method a line.

    Parameters
    ----------
    scores : sequence of Score

    Examples
    --------
    >>> from hail_mri.evaluation.comparison import Score
    >>> print(format_scores([Score("hail-mri", 33.41, 0.97, 32.0, 0.96, 95.0, 12.34)]))
    method    PSNR head dB  SSIM head  PSNR brain dB  SSIM brain  nWD(i,p) %  nWD(t,p) %
    hail-mri          33.4     0.9700           32.0      0.9600        95.0        12.3
    """
    rows = [
        (
            score.method,
            f"{score.psnr_head:.1f}",
            f"{score.ssim_head:.4f}",
            f"{score.psnr_brain:.1f}",
            f"{score.ssim_brain:.4f}",
            f"{score.nwd_ip:.1f}",
            f"{score.nwd_tp:.1f}",
        )
        for score in scores
    ]
    return format_table(_HEADINGS, rows)


def format_distances(distances: Mapping[str, tuple[float, float]]) -> str:
    """Return normalized Wasserstein distances as a table, one method a line.

    Parameters
    ----------
    distances : mapping of str to (float, float)
        nWD(i, p) and nWD(t, p) in percent, by method.
    """
    rows = [(method, f"{nwd_ip:.1f}", f"{nwd_tp:.1f}") for method, (nwd_ip, nwd_tp) in distances.items()]
    return format_table(("method", *_HISTOGRAM_HEADINGS), rows)


def format_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Align cells under their headings: the first column to the left, the others to the right.

    Parameters
    ----------
    headings : sequence of str
    rows : sequence of sequence of str
        Each as long as the headings.

    Examples
    --------
    >>> print(format_table(("stage", "seconds"), [("read", "0.31"), ("network", "12.00")]))
    stage    seconds
    read        0.31
    network    12.00
    """
    lines = [headings, *rows]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    return "\n".join(
        _GAP.join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )
