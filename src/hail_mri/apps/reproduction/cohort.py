"""The simulated cohort of a reproduction on disk: subjects at the paper's sites, with truths, masks and label maps.

Every subject visits every site. The *target* of a site is a scan there of one more subject, who is never harmonized.
The *truth* of a scan at another site is the same head in the same place with that site's look, without noise; the
*rescan* is the truth with that site's noise: no method can be expected to come closer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import cycle
from pathlib import Path

import numpy as np

from hail_mri.apps.reproduction.study import Study, ends
from hail_mri.evaluation.scored_pair import unit_factor
from hail_mri.image.nifti import load_volume, save_bytes, save_volume
from hail_mri.image.volume import Volume
from hail_mri.provenance.atomic_write import write_together
from hail_mri.simulation.bids import write_tsv
from hail_mri.simulation.cohorts import COARSE_MM
from hail_mri.simulation.label_maps import LabelMap, find_label_maps, load_label_map
from hail_mri.simulation.mni import mni_label_map
from hail_mri.simulation.scanners import site_by_name
from hail_mri.simulation.subjects import new_subject
from hail_mri.simulation.tissues import TISSUES
from hail_mri.simulation.travelling import Visit, derive_seed, rescan_at, scan_visit, truth_at, visit_site

TARGET = "target"  # the subject who is never harmonized
SUITE = "reproduction"  # part of every seed: training draws its own by another rule
MNI = "mni152"
KNOWN = "dseg"  # what the tissues of a scan really are


@dataclass(frozen=True)
class Case:
    """One subject in one direction; nothing is read.

    Attributes
    ----------
    subject : str
    direction : str
    folder : Path
        Of the cohort.
    """

    subject: str
    direction: str
    folder: Path

    @property
    def sites(self) -> tuple[str, str]:
        """Of source and target."""
        return ends(self.direction)

    @property
    def name(self) -> str:
        """The beginning of the names of its results."""
        return f"{self.subject}_{self.direction.replace(' ', '-')}"

    def source(self, kind: str) -> Path:
        """Return a file of the source: scan, brain or labels."""
        return scan_path(self.folder, self.subject, self.sites[0], kind)

    def target(self, kind: str) -> Path:
        """Return a file of the target: scan, brain or labels."""
        return scan_path(self.folder, TARGET, self.sites[1], kind)

    def answer(self, kind: str) -> Path:
        """Return truth or rescan, on the source's grid in the target's unit."""
        return self.source(f"{kind}-{self.sites[1]}")


def scan_path(folder: Path, subject: str, site: str, kind: str) -> Path:
    """Return the file of one volume of a visit."""
    return folder / f"{subject}_site-{site}_{kind}.nii.gz"


def cases_of(study: Study, folder: Path) -> Iterator[Case]:
    """Yield every subject in every direction."""
    for subject in study.subjects:
        for direction in study.directions:
            yield Case(subject, direction, folder)


def visits_of(study: Study) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return subject and site of every visit: first those of the target, which the others need, then the others."""
    targets = sorted({ends(direction)[1] for direction in study.directions})
    sources = [site for site in study.sites if study.targets_of(site)]
    return [(TARGET, site) for site in targets], [(subject, site) for subject in study.subjects for site in sources]


def label_map_names(study: Study) -> dict[str, str]:
    """Return the label map that each subject is a deformed copy of: where there are several, the first is the target's.

    Parameters
    ----------
    study : Study
    """
    if study.label_maps_dir is None:
        return dict.fromkeys((TARGET, *study.subjects), MNI)
    first, *others = (path.name for path in find_label_maps(study.label_maps_dir))
    return {TARGET: first} | dict(zip(study.subjects, cycle(others or [first]), strict=False))


def write_visit(visit_of: tuple[str, str], study: Study, folder: Path) -> None:
    """Simulate a visit and write what is not there of it: scan, masks, and truths and rescans in the target's unit.

    Parameters
    ----------
    visit_of : (str, str)
        Subject and site.
    study : Study
    folder : Path
        Of the cohort; the target's visits are there already.
    """
    subject, site = visit_of
    targets = () if subject == TARGET else study.targets_of(site)
    kinds = ["scan", "brain", "white", KNOWN, *(f"{kind}-{to}" for to in targets for kind in ("truth", "rescan"))]
    if all(scan_path(folder, subject, site, kind).is_file() for kind in kinds):
        return
    visit = _visit(subject, site, study)
    scan = scan_visit(visit)
    save_volume(scan, scan_path(folder, subject, site, "scan"), overwrite=True)
    for kind, mask in (("brain", visit.head.brain), ("white", visit.head.white_matter)):
        save_bytes(mask.cpu().numpy().astype(np.uint8), scan, scan_path(folder, subject, site, kind))
    save_bytes(visit.head.tissue_labels.cpu().numpy().astype(np.uint8), scan, scan_path(folder, subject, site, KNOWN))
    _write_names(folder / f"{KNOWN}.tsv")
    for to in targets:
        for kind, volume in _answers(visit, to, folder).items():
            save_volume(volume, scan_path(folder, subject, site, f"{kind}-{to}"), overwrite=True)


def _write_names(path: Path) -> None:
    """Write which number is which tissue, for all label maps of the folder, as BIDS has it."""
    rows = [{"index": index, "name": tissue.name} for index, tissue in enumerate(TISSUES)]
    write_together([path], lambda hidden: write_tsv(rows, hidden[path]))


def _answers(visit: Visit, to: str, folder: Path) -> dict[str, Volume]:
    """Return what the visit looks like at another site, in the unit of the target there."""
    truth, rescan = truth_at(visit, site_by_name(to)), rescan_at(visit, site_by_name(to))
    factor = unit_factor(
        truth,
        load_volume(scan_path(folder, TARGET, to, "scan")),
        white_matter=visit.head.white_matter.cpu().numpy(),
        target_white_matter=load_volume(scan_path(folder, TARGET, to, "white")).data > 0,
    )
    return {"truth": truth.with_data(truth.data * factor), "rescan": rescan.with_data(rescan.data * factor)}


def _visit(subject: str, site: str, study: Study) -> Visit:
    """Lay a subject into a scanner; body and place depend on names and seed alone."""
    label_map = _label_map(study.label_maps_dir, label_map_names(study)[subject], study.spacing)
    body = new_subject(label_map, derive_seed(SUITE, study.seed, subject))
    seed = derive_seed(SUITE, study.seed, subject, site)
    return visit_site(body, site_by_name(site), spacing=study.spacing, seed=seed)


@cache
def _label_map(folder: Path | None, name: str, spacing: float) -> LabelMap:
    """Read or build a label map, once in a process."""
    if folder is None:
        return mni_label_map(2.0 if spacing >= COARSE_MM else 1.0)
    return load_label_map(folder / name)
