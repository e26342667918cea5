"""Which masks each scan of a BIDS data set has.

A mask is of a scan if subject, session and run are the same (run-1 is run-01) and if the scan has the other entities of
the mask's name. If scans have more entities than the mask (`acq-a`), it has to be a mask of one of them only: where it
may be of several, or one scan has several, nobody can tell, and these scans are refused.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from hail_mri.apps.bids.dataset import BidsScan
from hail_mri.apps.bids.mask_files import BRAIN, LESION, WORDS, MaskFile, mask_files
from hail_mri.image.mask import is_blank
from hail_mri.provenance.links import real_path

MaskChoice = Literal["auto", "none"]
SAME = ("sub", "ses", "run")  # entities that a mask and its scan share, or that both have not
BLANK = "it is 0 everywhere, so there is no lesion"
OPTIONS = {LESION: "--lesion-masks none", BRAIN: "--brain-masks none"}


@dataclass(frozen=True)
class Masks:
    """The masks of scans.

    A lesion mask that is 0 everywhere is none: somebody has looked, and found no lesion. Only masks of scans that
    somebody asks for are read to know it, each once: a data set may have hundreds.

    Attributes
    ----------
    of_scan : mapping of BidsScan to mapping of str to Path
        By the names that requests have for them, `lesion_mask` and `brain_mask`, as far as names tell; a scan without
        any is not there.
    refused : mapping of BidsScan to str
        Scans of which it is not clear what their masks are, each with the reason.
    left_out : tuple of MaskFile
        Lesion masks in the folders of scans that are of no scan, or are not taken for another reason.
    roots : tuple of Path
        Data sets that the masks of scans are from.
    is_blank : callable
        Whether a mask is 0 everywhere; it remembers.
    """

    of_scan: Mapping[BidsScan, Mapping[str, Path]] = field(default_factory=dict)
    refused: Mapping[BidsScan, str] = field(default_factory=dict)
    left_out: tuple[MaskFile, ...] = ()
    roots: tuple[Path, ...] = ()
    is_blank: Callable[[Path], bool] = field(default_factory=lambda: cache(is_blank), repr=False, compare=False)

    def of(self, scan: BidsScan) -> Mapping[str, Path]:
        """Return the masks of a scan, by name; none if it has none."""
        own = self.of_scan.get(scan, {})
        return {kind: path for kind, path in own.items() if kind != LESION} if self.has_no_lesion(scan) else own

    def has_no_lesion(self, scan: BidsScan) -> bool:
        """Return whether the lesion mask of a scan says that there is no lesion; False if it has none."""
        path = self.of_scan.get(scan, {}).get(LESION)
        return path is not None and self.is_blank(path)

    def scan_masks(self, path: Path, scans: Iterable[BidsScan]) -> tuple[Mapping[str, Path], str]:
        """Return the masks of the scan that lies at a path, and why it is refused; none and nothing of any other."""
        scan = next((scan for scan in scans if real_path(scan.path) == real_path(path)), None)
        return ({}, "") if scan is None else (self.of(scan), self.refused.get(scan, ""))

    def not_taken(self, subjects: Collection[str]) -> list[tuple[Path, str]]:
        """Return the lesion masks of some subjects that are not taken, each with the reason."""
        by_name = [(mask.path, mask.reason) for mask in self.left_out if mask.source.get("sub") in subjects]
        mine = [scan for scan in self.of_scan if scan.subject in subjects]
        return by_name + [(self.of_scan[scan][LESION], BLANK) for scan in mine if self.has_no_lesion(scan)]

    def warnings(self, subjects: Collection[str]) -> list[str]:
        """Return a warning for each reason for which lesion masks of some subjects are not taken."""
        by_reason: dict[str, list[Path]] = defaultdict(list)
        for path, reason in self.not_taken(subjects):
            by_reason[reason].append(path)
        return [
            f"{paths[0]} is not taken as a lesion mask: {reason}"
            + (f"; nor are {len(paths) - 1} more for this reason" if len(paths) > 1 else "")
            for reason, paths in by_reason.items()
        ]


def find_masks(scans: Sequence[BidsScan], roots: Iterable[Path], kinds: Collection[str]) -> Masks:
    """Find the masks of scans by their names.

    Parameters
    ----------
    scans : sequence of BidsScan
        All of the data set: a mask may be of any of them.
    roots : iterable of Path
        Data sets to look in.
    kinds : collection of str
        `LESION`, `BRAIN` or both; none looks for nothing.
    """
    if not kinds:
        return Masks()
    of_subject: dict[str, list[BidsScan]] = defaultdict(list)
    for scan in scans:
        of_subject[scan.subject].append(scan)
    found: dict[tuple[BidsScan, str], dict[MaskFile, list[BidsScan]]] = defaultdict(dict)
    left_out = []
    for mask in mask_files(roots, dict.fromkeys(scan.relative.parent for scan in scans), kinds):
        owners = [] if mask.reason else _owners(mask, of_subject[mask.source.get("sub", "")])
        if not owners and mask.kind == LESION:
            left_out.append(mask if mask.reason else _of_no_scan(mask))
        for scan in owners:
            found[scan, mask.kind][mask] = owners
    return _told(found, tuple(left_out))


def _of_no_scan(mask: MaskFile) -> MaskFile:
    """Return a mask that no scan has, with the reason."""
    return MaskFile(mask.root, mask.path, mask.kind, mask.source, "no T1-weighted scan has the entities of its name")


def _owners(mask: MaskFile, scans: Iterable[BidsScan]) -> list[BidsScan]:
    """Return the scans that a mask may be of, or those that it names in full."""
    mine = [
        scan
        for scan in scans
        if scan.relative.parent == mask.path.parent.relative_to(mask.root)
        and all(_label(mask.source, key) == _label(scan.entities, key) for key in {*mask.source, *SAME})
    ]
    return [scan for scan in mine if scan.entities.keys() <= mask.source.keys()] or mine


def _label(entities: Mapping[str, str], key: str) -> str | None:
    """Return the label of an entity; of a run, without zeros in front."""
    label = entities.get(key)
    return label.lstrip("0") if label is not None and key == "run" else label


def _told(
    found: Mapping[tuple[BidsScan, str], Mapping[MaskFile, list[BidsScan]]], left_out: tuple[MaskFile, ...]
) -> Masks:
    """Return the masks of scans that are clear, and why others are not."""
    of_scan: dict[BidsScan, dict[str, Path]] = defaultdict(dict)
    refused: dict[BidsScan, str] = {}
    for (scan, kind), masks in found.items():
        reason = _unclear(kind, masks)
        if reason:
            refused.setdefault(scan, reason)
        else:
            of_scan[scan][kind] = next(iter(masks)).path
    used = {path for scan, masks in of_scan.items() if scan not in refused for path in masks.values()}
    roots = dict.fromkeys(mask.root for masks in found.values() for mask in masks if mask.path in used)
    return Masks({scan: of_scan[scan] for scan in of_scan if scan not in refused}, refused, left_out, tuple(roots))


def _unclear(kind: str, masks: Mapping[MaskFile, list[BidsScan]]) -> str:
    """Return why it is not clear which mask of a kind a scan has; nothing if it is."""
    advice = f"or leave such masks out with {OPTIONS[kind]}"
    if len(masks) > 1:
        names = " and ".join(str(mask.path) for mask in masks)
        return f"it has {len(masks)} {WORDS[kind]}s, expected one: {names}. Keep one, {advice}."
    ((mask, owners),) = masks.items()
    if len(owners) == 1:
        return ""
    names = " or ".join(scan.path.name for scan in owners)
    unclear = f"{mask.path} does not tell of which scan it is the {WORDS[kind]}: {names}"
    return f"{unclear}. Put the entities of that scan into its name, {advice}."
