"""A simulated study of several sites on disk: each subject at one site, some of them twice, as a raw BIDS data set."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hail_mri import __version__
from hail_mri.errors import InputError
from hail_mri.image.nifti import save_volume
from hail_mri.provenance.atomic_write import write_folder
from hail_mri.provenance.sidecar import write_json
from hail_mri.simulation.bids import anat_dir, dataset_description, entities, sidecar, write_tsv
from hail_mri.simulation.cohorts import CohortPlan, plan_cohort, require_cohort_free, subject_seed_of
from hail_mri.simulation.scanners import Site
from hail_mri.simulation.subjects import Subject, new_subject
from hail_mri.simulation.travelling import derive_seed, scan_visit, visit_site

SESSIONS = ("1", "2")
COLUMNS = {
    "site": {"Description": "Where the subject was scanned"},
    "label_map": {"Description": "The head this subject is a deformed copy of"},
    "subject_seed": {"Description": "Seed of the deformation and of the tissue texture"},
}
README = """# Simulated study of several sites

T1-weighted scans of {n_subjects} simulated subject(s) at each of the site(s) {sites}; {n_twice} of each came twice.
Nothing here was measured on a person; heads are deformed copies of: {label_maps}.

Made by hail-mri {version}, seed {seed}, {spacing:g} mm: the same call gives the same files.
"""


def write_multisite_study(
    out_dir: str | Path,
    *,
    n_subjects: int,
    sites: Sequence[str],
    n_twice: int = 0,
    label_maps_dir: str | Path | None = None,
    spacing: float = 1.0,
    seed: int = 0,
    on_scan: Callable[[int, int], None] | None = None,
    overwrite: bool = False,
) -> Path:
    """Simulate subjects of several sites, and write their scans.

    Parameters
    ----------
    out_dir : str or Path
        The data set: all of it or nothing appears.
    n_subjects : int
        Of each site, at least 1.
    sites : sequence of str
        Names of sites, each once.
    n_twice : int
        How many subjects of each site have a second session, in which they lie differently.
    label_maps_dir, spacing, seed, on_scan, overwrite
        As those of `write_cohort`.

    Returns
    -------
    out_dir : Path

    Raises
    ------
    HailError
        As `write_cohort`; InputError also if more subjects come twice than there are.
    """
    out_dir = Path(out_dir)
    plan = plan_cohort(n_subjects, sites, label_maps_dir, spacing, seed)
    if not 0 <= n_twice <= n_subjects:
        raise InputError(f"{n_twice} of {n_subjects} subjects are to come twice, expected 0 to {n_subjects}")
    require_cohort_free(out_dir, overwrite=overwrite)
    # Labels and seeds count subjects of all sites.
    everybody = replace(plan, n_subjects=n_subjects * len(plan.sites))
    with write_folder(out_dir) as folder:
        _write_descriptions(plan, everybody, n_twice, folder)
        n_scans = len(plan.sites) * (n_subjects + n_twice)
        for n_done, _ in enumerate(_write_scans(plan, everybody, n_twice, folder), start=1):
            if on_scan is not None:
                on_scan(n_done, n_scans)
    return out_dir


def _write_descriptions(plan: CohortPlan, everybody: CohortPlan, n_twice: int, folder: Path) -> None:
    """Write what is about the data set as a whole."""
    write_json(dataset_description("Simulated study of several sites", "raw"), folder / "dataset_description.json")
    write_json(COLUMNS, folder / "participants.json")
    write_tsv([_participant(everybody, number, site) for number, site in _subjects(plan)], folder / "participants.tsv")
    values: dict[str, Any] = {"n_subjects": plan.n_subjects, "n_twice": n_twice, "seed": plan.seed}
    values |= {"spacing": plan.spacing, "version": __version__}
    values["sites"] = ", ".join(site.name for site in plan.sites)
    values["label_maps"] = ", ".join(plan.label_map_names)
    (folder / "README.md").write_text(README.format(**values), encoding="utf-8")


def _subjects(plan: CohortPlan) -> Iterator[tuple[int, Site]]:
    """Yield the number of each subject, from 1, and the site."""
    for index, site in enumerate(plan.sites):
        for number in range(1, plan.n_subjects + 1):
            yield index * plan.n_subjects + number, site


def _participant(plan: CohortPlan, number: int, site: Site) -> dict[str, Any]:
    """Return the row of a subject."""
    row: dict[str, Any] = {"participant_id": f"sub-{plan.label(number)}", "site": site.name}
    row["label_map"] = plan.label_map_names[(number - 1) % len(plan.label_maps)]
    return row | {"subject_seed": subject_seed_of(plan, number)}


def _write_scans(plan: CohortPlan, everybody: CohortPlan, n_twice: int, folder: Path) -> Iterator[None]:
    """Simulate and write one scan after the other."""
    for number, site in _subjects(plan):
        label_map = plan.label_maps[(number - 1) % len(plan.label_maps)]()
        subject: Subject = new_subject(label_map, subject_seed_of(everybody, number))
        twice = (number - 1) % plan.n_subjects < n_twice
        for session in SESSIONS if twice else SESSIONS[:1]:
            seed = derive_seed(plan.seed, "visit", number, site.name, session)
            visit = visit_site(subject, site, spacing=plan.spacing, seed=seed)
            label = everybody.label(number)
            raw_dir = folder / anat_dir(label, session)
            raw_dir.mkdir(parents=True)
            start = entities(label, session)
            save_volume(scan_visit(visit), raw_dir / f"{start}_T1w.nii.gz")
            write_json(sidecar(site) | {"SimulationSeed": seed}, raw_dir / f"{start}_T1w.json")
            yield
