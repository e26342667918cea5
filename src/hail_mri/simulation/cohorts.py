"""A cohort of travelling subjects on disk, as a BIDS data set with the truth beside it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from hail_mri import __version__
from hail_mri.errors import InputError, OutputExistsError, UnwritableError
from hail_mri.image.nifti import save_volume
from hail_mri.provenance.atomic_write import write_folder
from hail_mri.provenance.sidecar import write_json
from hail_mri.simulation.bids import (
    README,
    TRUTH_DIR,
    anat_dir,
    dataset_description,
    entities,
    is_ours,
    sidecar,
    write_truth_descriptions,
    write_tsv,
)
from hail_mri.simulation.label_maps import LabelMap, find_label_maps, load_label_map
from hail_mri.simulation.mni import mni_label_map
from hail_mri.simulation.scanners import Site, site_by_name
from hail_mri.simulation.subjects import Subject, new_subject
from hail_mri.simulation.travelling import (
    Visit,
    as_volume,
    derive_seed,
    head_grid,
    scan_visit,
    truth_at,
    visit_site,
)

COARSE_MM = 4.0  # from here on the MNI head at 2 mm is fine enough
PARTICIPANT_COLUMNS = {
    "label_map": {"Description": "The head this subject is a deformed copy of"},
    "subject_seed": {"Description": "Seed of the deformation and of the tissue texture"},
}

LabelMapSource = Callable[[], LabelMap]


@dataclass(frozen=True)
class CohortPlan:
    """A cohort that can be simulated: everything was checked."""

    sites: tuple[Site, ...]
    label_maps: tuple[LabelMapSource, ...]
    label_map_names: tuple[str, ...]
    n_subjects: int
    spacing: float
    seed: int

    def label(self, number: int) -> str:
        """Label of a subject, all of the same width."""
        return str(number).zfill(max(2, len(str(self.n_subjects))))


def write_cohort(
    out_dir: str | Path,
    *,
    n_subjects: int,
    sites: Sequence[str],
    label_maps_dir: str | Path | None = None,
    spacing: float = 1.0,
    seed: int = 0,
    on_scan: Callable[[int, int], None] | None = None,
    overwrite: bool = False,
) -> Path:
    """Simulate subjects, each scanned at every site, and write them with the truth.

    Parameters
    ----------
    out_dir : str or Path
        The data set: all of it or nothing appears.
    n_subjects : int
        At least 1. Subject n is the same whatever their number, and so is a scan whatever the other sites.
    sites : sequence of str
        Names of sites, each once; a session is a site.
    label_maps_dir : str or Path, optional
        Folder of whole-head label maps, taken in turn by name; without one the MNI head is used. Each subject
        deforms its label map.
    spacing : float
        Isotropic, 0.5 to 8 mm.
    seed : int
        At least 0; the same seed gives the same bytes.
    on_scan : callable, optional
        Called after each scan with how many are done and how many there are.
    overwrite : bool
        Replace a cohort that was written here before; nothing else is ever replaced.

    Returns
    -------
    out_dir : Path

    Raises
    ------
    InputError
        If a number, a site or a label map is not what it has to be.
    MissingFileError
        If there is no such folder of label maps.
    OutputExistsError
        If there is something in the folder already.
    UnwritableError
        If the data set cannot be written there.
    """
    out_dir = Path(out_dir)
    plan = plan_cohort(n_subjects, sites, label_maps_dir, spacing, seed)
    require_cohort_free(out_dir, overwrite=overwrite)
    with write_folder(out_dir) as folder:
        _write_descriptions(plan, folder)
        n_scans = plan.n_subjects * len(plan.sites)
        for n_done, _ in enumerate(_write_scans(plan, folder), start=1):
            if on_scan is not None:
                on_scan(n_done, n_scans)
    return out_dir


def plan_cohort(
    n_subjects: int, names: Sequence[str], label_maps_dir: str | Path | None, spacing: float, seed: int
) -> CohortPlan:
    """Check a request for a cohort before any work is done; parameters and errors as those of `write_cohort`."""
    if n_subjects < 1:
        raise InputError(f"{n_subjects} subjects are asked for, expected at least 1")
    if seed < 0:
        raise InputError(f"the seed is {seed}, expected a whole number from 0")
    if isinstance(names, str) or not names:
        raise InputError(f"sites are {names!r}, expected a list of names", hint='For instance ["A", "B"].')
    if len(set(names)) < len(names):
        raise InputError(f"a site is named more than once: {', '.join(names)}")
    sites = tuple(site_by_name(name) for name in names)
    head_grid(spacing)
    if label_maps_dir is None:
        build = cache(partial(mni_label_map, 2.0 if spacing >= COARSE_MM else 1.0))
        return CohortPlan(sites, (build,), ("mni152",), n_subjects, spacing, seed)
    paths = find_label_maps(label_maps_dir)
    loaders = tuple(partial(load_label_map, path) for path in paths)
    return CohortPlan(sites, loaders, tuple(path.name.split(".")[0] for path in paths), n_subjects, spacing, seed)


def require_cohort_free(out_dir: Path, *, overwrite: bool) -> None:
    """Refuse a place that holds something else than a cohort that may be overwritten.

    Raises
    ------
    OutputExistsError, UnwritableError
    """
    if out_dir.exists() and not out_dir.is_dir():
        raise UnwritableError(f"{out_dir} is a file, expected a folder")
    if not out_dir.is_dir() or not any(out_dir.iterdir()):
        return
    if not overwrite:
        raise OutputExistsError(f"the folder {out_dir} is not empty", hint="choose another or ask to overwrite it")
    if not is_ours(out_dir):
        raise OutputExistsError(f"the folder {out_dir} is no cohort of hail-mri", hint="choose another folder")


def _write_descriptions(plan: CohortPlan, folder: Path) -> None:
    """Write what is about the data set as a whole."""
    truth_dir = folder / TRUTH_DIR
    truth_dir.mkdir(parents=True)
    write_json(dataset_description("Simulated travelling subjects", "raw"), folder / "dataset_description.json")
    write_json(PARTICIPANT_COLUMNS, folder / "participants.json")
    write_tsv([_participant(plan, number) for number in range(1, plan.n_subjects + 1)], folder / "participants.tsv")
    values: dict[str, Any] = {"n_subjects": plan.n_subjects, "seed": plan.seed, "spacing": plan.spacing}
    values["sites"] = ", ".join(site.name for site in plan.sites)
    values["label_maps"] = ", ".join(plan.label_map_names[: plan.n_subjects])
    values["version"] = __version__
    (folder / "README.md").write_text(README.format(**values), encoding="utf-8")
    write_truth_descriptions(truth_dir)


def _participant(plan: CohortPlan, number: int) -> dict[str, Any]:
    """Return the row of a subject, counted from 1."""
    label_map_name = plan.label_map_names[(number - 1) % len(plan.label_map_names)]
    row = {"participant_id": f"sub-{plan.label(number)}", "label_map": label_map_name}
    return row | {"subject_seed": subject_seed_of(plan, number)}


def subject_seed_of(plan: CohortPlan, number: int) -> int:
    """Return the seed of a subject's shape and texture."""
    return derive_seed(plan.seed, "subject", number)


def _write_scans(plan: CohortPlan, folder: Path) -> Iterator[Visit]:
    """Simulate and write one visit after the other."""
    for number in range(1, plan.n_subjects + 1):
        label_map = plan.label_maps[(number - 1) % len(plan.label_maps)]()
        subject: Subject = new_subject(label_map, subject_seed_of(plan, number))
        for site in plan.sites:
            seed = derive_seed(plan.seed, "visit", number, site.name)
            visit = visit_site(subject, site, spacing=plan.spacing, seed=seed)
            _write_visit(visit, plan.label(number), plan.sites, folder)
            yield visit


def _write_visit(visit: Visit, label: str, sites: tuple[Site, ...], folder: Path) -> None:
    """Write a scan, and the truth about it."""
    site, start = visit.site, entities(label, visit.site.name)
    raw_dir = folder / anat_dir(label, site.name)
    truth_dir = folder / TRUTH_DIR / anat_dir(label, site.name)
    for made in (raw_dir, truth_dir):
        made.mkdir(parents=True)
    save_volume(scan_visit(visit), raw_dir / f"{start}_T1w.nii.gz")
    write_json(sidecar(site) | {"SimulationSeed": visit.seed}, raw_dir / f"{start}_T1w.json")
    for other in sites:
        if other is not site:
            name = f"{start}_desc-truth{other.name}_T1w"
            save_volume(truth_at(visit, other), truth_dir / f"{name}.nii.gz")
            write_json(sidecar(other) | {"SimulationSeed": visit.seed}, truth_dir / f"{name}.json")
    save_volume(as_volume(visit, visit.head.brain), truth_dir / f"{start}_desc-brain_mask.nii.gz")
    save_volume(as_volume(visit, visit.head.head), truth_dir / f"{start}_desc-head_mask.nii.gz")
    save_volume(as_volume(visit, visit.head.tissue_labels), truth_dir / f"{start}_dseg.nii.gz")
