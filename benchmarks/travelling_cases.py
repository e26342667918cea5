"""Travelling subjects for the studies: validation label maps, all directions between three sites, kept on disk.

Placing a head at 1 mm takes some twenty seconds, so that every scan is simulated once and read from a folder after
that. The files know nothing of the simulator's version: empty the folder when the simulator has changed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError
from hail_mri.evaluation.scored_pair import ScoredPair
from hail_mri.evaluation.simulated import simulated_pair
from hail_mri.image.nifti import load_volume, save_volume
from hail_mri.image.volume import Volume
from hail_mri.simulation.label_maps import LabelMap, load_label_map
from hail_mri.simulation.scanners import site_by_name
from hail_mri.simulation.subjects import new_subject
from hail_mri.simulation.tissues import classes_of_tissues
from hail_mri.simulation.travelling import (
    TravellingPair,
    Visit,
    as_volume,
    derive_seed,
    rescan_at,
    scan_visit,
    truth_at,
    visit_site,
)
from hail_mri.training.data.label_map_split import split_label_maps

Split = Literal["validation", "test"]

SITES = ("A", "B", "C")
SUITE = "travelling study"  # part of every seed: training draws its own by another rule


@dataclass(frozen=True)
class Case:
    """One subject in one direction; nothing is read before it is asked for.

    Attributes
    ----------
    subject, target_subject : str
        Made of different label maps.
    source_site, target_site : str
    folder : Path
    """

    subject: str
    target_subject: str
    source_site: str
    target_site: str
    folder: Path

    @property
    def direction(self) -> str:
        """The sites, such as "A to B"."""
        return f"{self.source_site} to {self.target_site}"

    @property
    def keys(self) -> tuple[str, str]:
        """What source and target are called in `known_classes`."""
        return f"{self.subject} at {self.source_site}", f"{self.target_subject} at {self.target_site}"

    def scored_pair(self) -> ScoredPair:
        """Read everything, and bring truth and rescan to the target's unit."""
        white_matter = load_volume(_path(self.folder, self.target_subject, self.target_site, "white")).data > 0
        return simulated_pair(self.pair(), self.target(), target_white_matter=white_matter)

    def pair(self) -> TravellingPair:
        """Read source, truth, rescan and masks, truth and rescan in their own unit."""
        names = ("scan", f"truth-{self.target_site}", f"rescan-{self.target_site}", "brain", "head", "white")
        source, truth, rescan, *masks = (
            load_volume(_path(self.folder, self.subject, self.source_site, name)) for name in names
        )
        return TravellingPair(source, truth, rescan, *(mask.data > 0 for mask in masks))

    def target(self) -> Volume:
        """Read the other subject's scan at the target site."""
        return load_volume(_path(self.folder, self.target_subject, self.target_site, "scan"))


def travelling_cases(
    label_maps_dir: Path, cache_dir: Path, *, n_subjects: int, spacing: float, split: Split = "validation"
) -> Iterator[Case]:
    """Simulate what is missing, and yield every subject in all directions.

    Parameters
    ----------
    label_maps_dir : Path
        Whole-head label maps, split by name.
    cache_dir : Path
        One folder per spacing is made in it.
    n_subjects : int
        At least 2; they take the label maps in turn, and each has the next one as its target.
    spacing : float
        Isotropic, mm.
    split : "validation" or "test"
        The label maps that choose weights and settings, or those that choose nothing.

    Raises
    ------
    InputError
        If there are too few label maps, or fewer than two subjects.
    """
    both = split_label_maps(label_maps_dir)
    paths = both.validation if split == "validation" else both.test
    n_label_maps = len(paths)
    if n_subjects < n_label_maps:
        raise InputError(f"{n_subjects} subjects, expected at least {n_label_maps}: a target is of the other label map")
    folder = cache_dir / f"{spacing:g}mm"
    folder.mkdir(parents=True, exist_ok=True)
    subjects = [f"{paths[n % n_label_maps].name.split('.')[0]}-{n // n_label_maps}" for n in range(n_subjects)]
    for first, path in enumerate(paths):
        _simulate_missing(folder, path, subjects[first::n_label_maps], spacing)
    for n, subject in enumerate(subjects):
        # The neighbour is of the other label map, also for the last of an odd number.
        target_subject = subjects[n + 1] if n + 1 < n_subjects else subjects[n - 1]
        for source_site, target_site in permutations(SITES, 2):
            yield Case(subject, target_subject, source_site, target_site, folder)


def travelling_visits(
    label_maps_dir: Path, *, spacing: float, split: Split = "validation"
) -> Iterator[tuple[str, Visit]]:
    """Yield the first subject of each label map at each site, with its name; nothing is kept on disk.

    Parameters
    ----------
    label_maps_dir : Path
    spacing : float
        Isotropic, mm.
    split : "validation" or "test"
    """
    both = split_label_maps(label_maps_dir)
    for path in both.validation if split == "validation" else both.test:
        label_map, subject = load_label_map(path), f"{path.name.split('.')[0]}-0"
        for site in SITES:
            yield f"{subject} at {site}", _visit(label_map, subject, site, spacing)


def known_classes(label_maps_dir: Path, *, spacing: float, split: Split = "validation") -> dict[str, NDArray[np.uint8]]:
    """Return the tissue class of each voxel of the first subject of each label map at each site, by `Case.keys`.

    Parameters
    ----------
    label_maps_dir : Path
    spacing : float
        Isotropic, mm.
    split : "validation" or "test"
    """
    classes = classes_of_tissues().numpy().astype(np.uint8)
    return {
        name: classes[visit.head.tissue_labels.long().numpy()]
        for name, visit in travelling_visits(label_maps_dir, spacing=spacing, split=split)
    }


def _simulate_missing(folder: Path, label_map_path: Path, subjects: list[str], spacing: float) -> None:
    """Write the visits of one label map's subjects that are not there; the head mask is written last."""
    missing = [(s, site) for s in subjects for site in SITES if not _path(folder, s, site, "head").exists()]
    if not missing:
        return
    label_map = load_label_map(label_map_path)
    for subject, site in missing:
        print(f"simulating {subject} at site {site}, {spacing:g} mm", flush=True)
        _write_visit(folder, subject, _visit(label_map, subject, site, spacing))


def _visit(label_map: LabelMap, subject: str, site: str, spacing: float) -> Visit:
    """Lay the subject into the scanner; body and place depend on its name and the site's alone."""
    body = new_subject(label_map, derive_seed(SUITE, subject))
    return visit_site(body, site_by_name(site), spacing=spacing, seed=derive_seed(SUITE, subject, site))


def _write_visit(folder: Path, subject: str, visit: Visit) -> None:
    """Write scan, truths, rescans and masks, one after the other: they do not have to be in memory together."""
    here = visit.site.name
    save_volume(scan_visit(visit), _path(folder, subject, here, "scan"), overwrite=True)
    for name in SITES:
        if name != here:
            site = site_by_name(name)
            save_volume(truth_at(visit, site), _path(folder, subject, here, f"truth-{name}"), overwrite=True)
            save_volume(rescan_at(visit, site), _path(folder, subject, here, f"rescan-{name}"), overwrite=True)
    save_volume(as_volume(visit, visit.head.white_matter), _path(folder, subject, here, "white"), overwrite=True)
    save_volume(as_volume(visit, visit.head.brain), _path(folder, subject, here, "brain"), overwrite=True)
    save_volume(as_volume(visit, visit.head.head), _path(folder, subject, here, "head"), overwrite=True)


def _path(folder: Path, subject: str, site: str, name: str) -> Path:
    """Return the file of one volume of a visit."""
    return folder / f"{subject}_site-{site}_{name}.nii.gz"
