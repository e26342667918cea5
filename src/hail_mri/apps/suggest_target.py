"""Which scan of a site is the best example of its look: the medoid, the one that is nearest to all others.

The distance of two scans is that of their styles (`distance_within_site`): 1 is about how much two people of one site
differ. The medoid has the smallest mean distance to the others. Scans that fail a check are not asked; those of which a
check is worth a look come after those that are ok in all.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from hail_mri import __version__
from hail_mri.apps.requests import ScanRequest
from hail_mri.apps.scan_files import Scan, read_scan
from hail_mri.apps.terminal import one_line
from hail_mri.errors import HailError, InputError
from hail_mri.harmonize.check import Check, failures
from hail_mri.harmonize.limits import LIMITS
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.harmonize.style_card import StyleCard, StyleMeter
from hail_mri.model.tissue_exchange import distance_within_site
from hail_mri.model.tissue_style import TissueStyle
from hail_mri.model.weights import weights_hash
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
    kept_dir: Path | None = None,
    advance: Callable[[], None] = lambda: None,
) -> list[Candidate]:
    """Order the scans of a site by how good an example of its look each is, the best one first.

    Parameters
    ----------
    scans : sequence of Path
    settings : HarmonizeSettings
        Of which model, threads and force (to ask scans that fail a check, too) matter.
    kept_dir : Path, optional
        Folder where styles are kept for the next time.
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
    meter = _KeptStyles(settings, kept_dir)
    styles: dict[Path, TissueStyle] = {}
    messages: dict[Path, str] = {}
    for path in sorted(set(scans)):
        try:
            card, checks = meter.measure(path)
        except HailError as error:
            messages[path] = one_line(error)
        else:
            messages[path] = "; ".join(str(check) for check in checks if check.verdict != "ok")
            if settings.force or not failures(checks):
                styles[path] = _tissue_style(card, settings)
        advance()
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


class _KeptStyles:
    """Measures styles, or reads them where they were kept: by the hashes of scan, weights, and how it is judged."""

    def __init__(self, settings: HarmonizeSettings, folder: Path | None) -> None:
        self._settings = settings
        self._folder = folder
        self._weights = weights_hash(settings.model)
        self._meter: StyleMeter | None = None

    def measure(self, path: Path) -> tuple[StyleCard, tuple[Check, ...]]:
        """Return the style of a scan and its checks."""
        scan = read_scan(ScanRequest(path, path, label=str(path)))
        if self._folder is None:
            return self._measure(scan)
        start = f"{scan.file.sha256[:32]}-{self._weights[:16]}-{_judgement(self._settings)[:16]}"
        card_path, checks_path = (self._folder / f"{start}.{name}.json" for name in ("style", "checks"))
        try:
            checks = tuple(Check(**entries) for entries in json.loads(checks_path.read_text(encoding="utf-8")))
            return StyleCard.load(card_path), checks
        except (OSError, ValueError, TypeError):  # not there, or not as we write it
            card, checks = self._measure(scan)
        text = json.dumps([asdict(check) for check in checks])
        write_together([checks_path], lambda hidden: hidden[checks_path].write_text(text, encoding="utf-8"))
        card.save(card_path, overwrite=True)
        return card, checks

    def _measure(self, scan: Scan) -> tuple[StyleCard, tuple[Check, ...]]:
        """Measure the style of a scan that was read."""
        if self._meter is None:
            self._meter = StyleMeter(self._settings.model, threads=self._settings.threads)
        return self._meter.measure(scan.volume, brain_mask=scan.brain_mask)


def _judgement(settings: HarmonizeSettings) -> str:
    """Return a hash of what decides, beside scan and weights, what is measured and said of a scan."""
    return sha256(repr((__version__, settings.threads, LIMITS)).encode()).hexdigest()
