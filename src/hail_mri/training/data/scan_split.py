"""Which scans are learned from, which choose the weights, and which choose nothing: by subject, alike at every site.

The paper splits 80:20 for phase 1, over all sites, and 70:20:10 for phase 2, over the sites trained on. Here the test
part of phase 2 is taken out of phase 1 first, and its validation subjects are among those of phase 2: what chooses
nothing is never seen. Sites that are held out have no part in either.

References
----------
Parida et al., HAIL, 2023, section 2.1.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hail_mri.errors import InputError
from hail_mri.provenance.atomic_write import write_together
from hail_mri.training.data.scan_table import Part, ScanRow

Phase = Literal["encoder", "style"]
VALIDATION, TEST = 0.2, 0.1  # of the subjects
FEWEST_SUBJECTS, FEWEST_SITES = 2, 2
COLUMNS = ("subject", "site", "path", "encoder", "style")


@dataclass(frozen=True)
class ScanSplit:
    """What every scan is for.

    Attributes
    ----------
    rows : tuple of ScanRow
        In the order of the table.
    parts : mapping of phase to mapping of subject to part
        Subjects of held-out sites alone are in none.
    held_out : tuple of str
        Sites.
    """

    rows: tuple[ScanRow, ...]
    parts: Mapping[Phase, Mapping[str, Part]]
    held_out: tuple[str, ...]

    def of(self, phase: Phase, part: Part) -> tuple[ScanRow, ...]:
        """Return the scans of a part, without those of held-out sites."""
        parts = self.parts[phase]
        return tuple(r for r in self.rows if r.site not in self.held_out and parts.get(r.subject) == part)

    def text(self) -> str:
        """Return the split as a table."""
        lines = ["\t".join(COLUMNS)]
        for row in self.rows:
            parts = [self.parts[phase].get(row.subject, "") for phase in ("encoder", "style")]
            parts = ["held out"] * 2 if row.site in self.held_out else parts
            lines.append("\t".join([row.subject, row.site, str(row.path), *parts]))
        return "\n".join(lines) + "\n"


def split_scans(rows: Sequence[ScanRow], *, held_out: tuple[str, ...], seed: int) -> ScanSplit:
    """
    Split scans by subject, in the same proportions at every site; the table's own split, if it has one, is kept.

    Parameters
    ----------
    rows : sequence of ScanRow
    held_out : tuple of str
        Sites that are never touched.
    seed : int

    Raises
    ------
    InputError
        If a held-out site is not in the table, fewer than two sites are left, or a site has too few subjects to learn
        from some and validate with others.

    Examples
    --------
    >>> rows = [ScanRow(f"{site}{n}", site, Path(f"{site}{n}.nii")) for site in "ab" for n in range(10)]
    >>> split = split_scans(rows, held_out=(), seed=1)
    >>> [len(split.of("style", part)) for part in ("train", "validation", "test")]
    [14, 4, 2]
    >>> [len(split.of("encoder", part)) for part in ("train", "validation", "test")]
    [14, 4, 2]
    """
    sites = _subjects_by_site(rows, held_out)
    parts: dict[Phase, dict[str, Part]] = {"encoder": {}, "style": {}}
    if rows[0].part is not None:
        given: dict[str, Part] = {row.subject: row.part for row in rows if row.part and row.site not in held_out}
        parts = {"encoder": given, "style": dict(given)}
    else:
        for site, subjects in sites.items():
            _split_site(site, subjects, seed, parts)
    split = ScanSplit(tuple(rows), parts, held_out)
    for site in sites:
        for part in ("train", "validation"):
            if not any(row.site == site for row in split.of("style", part)):
                raise InputError(f"site {site} has no subject for {part}", "give it more, or change the table's split")
    return split


def write_split(split: ScanSplit, path: Path, *, has_begun: bool) -> None:
    """
    Keep the split beside the run.

    Parameters
    ----------
    split : ScanSplit
    path : Path
    has_begun : bool
        Whether a phase of the run has begun to learn; until then a table may be mended.

    Raises
    ------
    InputError
        If a run that has begun has another split.
    """
    if has_begun and path.is_file():
        if path.read_text(encoding="utf-8") != split.text():
            raise InputError(
                f"{path} holds another split than that of these scans",
                "a run goes on with the scans it began with; give others another folder",
            )
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_together([path], lambda hidden: hidden[path].write_text(split.text(), encoding="utf-8"))


def _subjects_by_site(rows: Sequence[ScanRow], held_out: tuple[str, ...]) -> dict[str, list[str]]:
    """Return the subjects of each site that is trained on; one who travels counts where the table has it first."""
    known = {row.site for row in rows}
    if unknown := [site for site in held_out if site not in known]:
        raise InputError(
            f"held_out_sites names {', '.join(unknown)}, the table has {', '.join(sorted(known))}",
            "a site that is not there cannot be held out: is it misspelt?",
        )
    home: dict[str, str] = {}
    at: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.site not in held_out:
            home.setdefault(row.subject, row.site)
            at[row.site].add(row.subject)
    if len(at) < FEWEST_SITES:
        raise InputError(
            f"{len(at)} site is left to train on, expected at least {FEWEST_SITES}", "pairs are of two sites"
        )
    for site, subjects in at.items():
        if len(subjects) < FEWEST_SUBJECTS:
            raise InputError(
                f"site {site} has {len(subjects)} subject, expected at least {FEWEST_SUBJECTS}",
                "one to learn from and one to validate with; or hold the site out",
            )
    return {site: sorted(s for s, first in home.items() if first == site) for site in sorted(at)}


def _split_site(site: str, subjects: list[str], seed: int, parts: dict[Phase, dict[str, Part]]) -> None:
    """Split the subjects of one site: in random order first those to learn from, last those of the test."""
    subjects = list(subjects)
    random.Random(f"{seed} {site}").shuffle(subjects)
    n_test, n_validation = round(TEST * len(subjects)), max(1, round(VALIDATION * len(subjects)))
    n_seen = len(subjects) - n_test
    n_encoder = min(n_validation, max(1, round(VALIDATION * n_seen)))
    for phase, n in (("encoder", n_encoder), ("style", n_validation)):
        for place, subject in enumerate(subjects):
            part: Part = "test" if place >= n_seen else "validation" if place >= n_seen - n else "train"
            parts[phase][subject] = part  # type: ignore[index]
