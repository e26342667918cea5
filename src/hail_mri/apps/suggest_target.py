"""Which scan of a site is the best example of its look: the medoid, the one that is nearest to all others.

The distance of two scans is that of their styles (`distance_within_site`): 1 is about how much two people of one site
differ. The medoid has the smallest mean distance to the others. Scans that fail a check are not asked; those of which a
check is worth a look come after those that are ok in all.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hail_mri.apps.engine.workers import THIS_PROCESS, Workers
from hail_mri.apps.kept_styles import KeptStyles, MaskedScan, MeasuredStyle
from hail_mri.apps.measured_styles import measure_styles
from hail_mri.apps.terminal import one_line
from hail_mri.errors import HailError, InputError
from hail_mri.harmonize.check import failures
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.harmonize.style_card import StyleCard
from hail_mri.model.tissue_exchange import distance_within_site
from hail_mri.model.tissue_style import TissueStyle
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.sidecar import relative_path
from hail_mri.provenance.tables import NO_VALUE

COLUMNS = ("source", "distance", "nearest", "farthest", "message")


@dataclass(frozen=True)
class Candidate:
    """A scan that may be the target of its site.

    Attributes
    ----------
    path : Path
    distance : float or None
        Mean distance to the other scans, in standard deviations of people of one site; None if it is not asked.
    nearest, farthest : float or None
        Distance to the scan that is nearest, and to the one that is farthest.
    message : str
        Why it is not asked, or which of its checks are not ok.
    """

    path: Path
    distance: float | None = None
    nearest: float | None = None
    farthest: float | None = None
    message: str = ""


def suggest_target(
    scans: Sequence[Path],
    settings: HarmonizeSettings,
    *,
    masks: Mapping[Path, Mapping[str, Path]] | None = None,
    kept_dir: Path | None = None,
    workers: Workers = THIS_PROCESS,
    advance: Callable[[], None] = lambda: None,
) -> list[Candidate]:
    """Order the scans of a site by how good an example of its look each is, the best one first.

    Parameters
    ----------
    scans : sequence of Path
    settings : HarmonizeSettings
        Of which model, threads and force (to ask scans that fail a check, too) matter.
    masks : mapping of Path to mapping of str to Path, optional
        `brain_mask` and `lesion_mask` of scans, as far as they have any.
    kept_dir : Path, optional
        Folder where styles are kept for the next time.
    workers : Workers
        Which processes of this machine measure, also where a cluster harmonizes. Distances have the same bits whatever
        their number, if settings tell how many threads compute each scan.
    advance : callable
        Called after each scan.

    Returns
    -------
    candidates : list of Candidate
        First those that are ok in all, then those of which a check is worth a look, then those that are not asked; by
        distance, and of two at the same distance by path. A scan that is alone is its own medoid, at distance 0.

    Raises
    ------
    InputError
        If there is no scan, none can be asked, or the model knows no tissues.
    """
    wanted = _wanted(scans, masks)
    found = measure_styles(wanted, settings, kept_dir=kept_dir, workers=workers, advance=advance)
    return _judged({scan.path: found[scan] for scan in wanted}, settings)


def suggest_kept(
    scans: Sequence[Path],
    settings: HarmonizeSettings,
    kept_dir: Path,
    *,
    masks: Mapping[Path, Mapping[str, Path]] | None = None,
) -> list[Candidate] | None:
    """Order scans as `suggest_target` does, if the styles of all were kept; None if one would have to be measured.

    Nothing is measured or written; parameters and errors as those of `suggest_target`.
    """
    styles = KeptStyles(settings, kept_dir)
    found: dict[Path, MeasuredStyle | HailError] = {}
    for scan in _wanted(scans, masks):
        try:
            kept = styles.kept(scan)
        except HailError as error:
            found[scan.path] = error
        else:
            if kept is None:
                return None
            found[scan.path] = kept
    return _judged(found, settings)


def _wanted(scans: Sequence[Path], masks: Mapping[Path, Mapping[str, Path]] | None) -> list[MaskedScan]:
    """Return each scan once, with its masks, ordered by path."""
    return [MaskedScan(path, {} if masks is None else masks.get(path, {})) for path in sorted(set(scans))]


def _judged(found: Mapping[Path, MeasuredStyle | HailError], settings: HarmonizeSettings) -> list[Candidate]:
    """Return candidates from what was measured of scans, the best one first."""
    styles: dict[Path, TissueStyle] = {}
    messages: dict[Path, str] = {}
    for path, measured in found.items():
        if isinstance(measured, HailError):
            messages[path] = one_line(measured)
            continue
        card, checks = measured
        messages[path] = "; ".join(str(check) for check in checks if check.verdict != "ok")
        if settings.force or not failures(checks):
            styles[path] = _tissue_style(card, settings)
    if not styles:
        first = next((f"{path}: {message}" for path, message in messages.items()), "")
        raise InputError(f"none of {len(messages)} scans can be an example of the site", first)
    return _ordered(styles, messages)


def write_candidates(candidates: Sequence[Candidate], path: Path) -> None:
    """Write a table of candidates, paths relative to its folder, the suggested one first.

    Raises
    ------
    UnwritableError
        If it cannot be written.
    """
    rows = rows_of(candidates, path.parent.resolve())
    text = "".join("\t".join(row) + "\n" for row in rows)
    write_together([path], lambda hidden: hidden[path].write_text(text, encoding="utf-8"))


def rows_of(candidates: Sequence[Candidate], folder: Path) -> list[tuple[str, ...]]:
    """Return the rows of a table of candidates, its header first; paths are as seen from a folder."""
    rows = [
        (
            relative_path(c.path, folder),
            *(NO_VALUE if number is None else f"{number:.3f}" for number in (c.distance, c.nearest, c.farthest)),
            " ".join(c.message.split()) or NO_VALUE,
        )
        for c in candidates
    ]
    return [COLUMNS, *rows]


def _ordered(styles: Mapping[Path, TissueStyle], messages: Mapping[Path, str]) -> list[Candidate]:
    """Return candidates by their mean distance to the others, those that are ok in all first, not asked ones last."""
    asked = []
    for path, style in styles.items():
        others = [distance_within_site(style, other) for name, other in styles.items() if name != path] or [0.0]
        mean = sum(others) / len(others)
        asked.append(Candidate(path, mean, min(others), max(others), messages[path]))
    asked.sort(key=lambda candidate: (candidate.message != "", candidate.distance, candidate.path))
    return asked + [Candidate(path, message=message) for path, message in messages.items() if path not in styles]


def _tissue_style(card: StyleCard, settings: HarmonizeSettings) -> TissueStyle:
    """Return the class means of a card, if its model has any."""
    if not isinstance(card.style, TissueStyle):
        raise InputError(f"the model {settings.model} knows no tissues, expected one that does", "use compact")
    return card.style
