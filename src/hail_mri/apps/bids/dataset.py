"""A BIDS data set with its T1-weighted scans, found by their names; no image is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hail_mri.apps.bids.side_files import read_json_object
from hail_mri.apps.bids.t1w_names import SUFFIX, entities_of, find_t1_weighted
from hail_mri.errors import InputError, MissingFileError
from hail_mri.provenance.folder_names import DESCRIPTION

OTHER_NAME = (
    "it is not called as BIDS has it, expected "
    f"sub-LABEL/[ses-LABEL/]anat/sub-LABEL_[ses-LABEL_][...]_{SUFFIX}.nii[.gz] with labels of letters and digits"
)


@dataclass(frozen=True)
class BidsScan:
    """A T1-weighted scan of a data set.

    Attributes
    ----------
    root : Path
        Of the data set.
    relative : Path
        From there to the scan.
    entities : mapping of str to str
        By the keys of names: sub, ses, acq, run.
    """

    root: Path
    relative: Path
    entities: Mapping[str, str] = field(hash=False)

    @property
    def path(self) -> Path:
        """Where the scan is."""
        return self.root / self.relative

    @property
    def subject(self) -> str:
        """Label of the subject, without `sub-`."""
        return self.entities["sub"]

    @property
    def session(self) -> str:
        """Label of the session, without `ses-`; empty if the data set has none."""
        return self.entities.get("ses", "")


@dataclass(frozen=True)
class Dataset:
    """A raw BIDS data set.

    Attributes
    ----------
    root : Path
    description : mapping
        What `dataset_description.json` holds.
    subjects : tuple of str
        Labels of all subjects, with or without a scan.
    scans : tuple of BidsScan
        T1-weighted, ordered by path.
    skipped : tuple of (Path, str)
        T1-weighted images that are not taken, each with the reason.
    """

    root: Path
    description: Mapping[str, Any]
    subjects: tuple[str, ...]
    scans: tuple[BidsScan, ...]
    skipped: tuple[tuple[Path, str], ...]


def open_dataset(root: Path) -> Dataset:
    """Open a raw BIDS data set, and find its T1-weighted scans.

    Raises
    ------
    MissingFileError
        If there is no such folder.
    InputError
        If it is no raw BIDS data set, or has no T1-weighted scan.
    """
    description = _description(root)
    subjects = tuple(sorted(path.name[4:] for path in root.glob("sub-*") if path.is_dir()))
    if not subjects:
        raise InputError(f"{root} has no folders of subjects, expected sub-01 and the like")
    named, others = find_t1_weighted(root)
    scans, skipped = [], [(root / path, OTHER_NAME) for path in others]
    for scan in (BidsScan(root, path, entities_of(path)) for path in named):
        reason = _reason(scan)
        if reason:
            skipped.append((scan.path, reason))
        else:
            scans.append(scan)
    if not scans:
        hint = "; ".join(f"{path}: {reason}" for path, reason in skipped[:1])
        raise InputError(f"{root} has no {SUFFIX} scan, expected sub-*/[ses-*/]anat/*_{SUFFIX}.nii.gz", hint)
    return Dataset(root, description, subjects, tuple(scans), tuple(sorted(skipped)))


def _description(root: Path) -> dict[str, Any]:
    """Return what describes a data set, if it is a raw one."""
    plain = "for a folder that is not BIDS use `hail-mri harmonize FOLDER`"
    if not root.exists():
        raise MissingFileError(f"{root} does not exist, expected the folder of a BIDS data set")
    if not root.is_dir():
        raise InputError(f"{root} is a file, expected the folder of a BIDS data set", plain)
    if not (root / DESCRIPTION).exists():
        raise InputError(f"{root} is no BIDS data set: it has no {DESCRIPTION}", f"add one, or {plain}")
    description = read_json_object(root / DESCRIPTION, expected="the description of a BIDS data set")
    for key in ("Name", "BIDSVersion"):
        if not isinstance(description.get(key), str):
            raise InputError(f"{root / DESCRIPTION} has no {key}, expected a text", "BIDS requires it: add it")
    if description.get("DatasetType", "raw") != "raw":
        found = description["DatasetType"]
        raise InputError(f"{root} is a data set of the type {found!r}, expected raw scans", "name the raw data set")
    return description


def _reason(scan: BidsScan) -> str:
    """Return why a T1-weighted image is not taken; nothing if it is."""
    for key in ("desc", "space"):
        if key in scan.entities:
            return f"{key}-{scan.entities[key]} in its name says that it is a derivative"
    if scan.entities.get("part", "mag") != "mag":
        return f"part-{scan.entities['part']} in its name says that it holds no magnitudes"
    if not scan.relative.name.startswith(f"sub-{scan.relative.parts[0][4:]}_"):
        return f"its name and its folder {scan.relative.parts[0]} tell of two subjects"
    session = f"ses-{scan.session}" if scan.session else ""
    expected = Path(f"sub-{scan.subject}", session, "anat")
    if scan.relative.parent != expected:
        return f"it lies in {scan.relative.parent}, expected {expected} by its name"
    return ""
