"""The T1-weighted scans of a BIDS data set, found by their names; no image is read.

An *entity* is a part of a name, `sub-01` or `acq-mprage`: a key and a label. Names are parsed by bids2table.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hail_mri.apps.bids.side_files import read_json_object
from hail_mri.errors import HailError, InputError, MissingFileError
from hail_mri.provenance.folder_names import DESCRIPTION
from hail_mri.provenance.links import real_path
from hail_mri.provenance.sidecar import NIFTI_SUFFIXES

SUFFIX = "T1w"
NAMED = ("datatype", "suffix", "ext")  # what the library tells beside entities


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
    scans, skipped = [], []
    for scan in _t1_weighted(root):
        reason = _reason(scan)
        if reason:
            skipped.append((scan.path, reason))
        else:
            scans.append(scan)
    if not scans:
        hint = "; ".join(f"{path}: {reason}" for path, reason in skipped[:1])
        raise InputError(f"{root} has no {SUFFIX} scan, expected sub-*/[ses-*/]anat/*_{SUFFIX}.nii.gz", hint)
    return Dataset(root, description, subjects, tuple(scans), tuple(skipped))


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


def _t1_weighted(root: Path) -> list[BidsScan]:
    """Return all images that are T1-weighted by their names, ordered by path."""
    bids2table = _library()
    with _plain_name(root) as link:
        try:
            table = bids2table.index_dataset(link)
        except UnicodeEncodeError as error:
            raise _not_utf8(root) from error
        rows = table.select(["suffix", "ext", "datatype", "path"]).to_pylist()
    wanted = {"suffix": SUFFIX, "datatype": "anat"}
    paths = sorted(row["path"] for row in rows if row["ext"] in NIFTI_SUFFIXES and wanted.items() <= row.items())
    return [BidsScan(root, Path(path), entities_of(path)) for path in paths]


def _not_utf8(root: Path) -> InputError:
    """Return what to say of a data set with a name that cannot be indexed."""
    names = (path.relative_to(root).as_posix() for path in sorted(root.glob("sub-*/**/*")))
    first = next((name for name in names if os.fsencode(name).decode(errors="replace") != name), "one")
    shown = os.fsencode(first).decode(errors="backslashreplace")
    return InputError(f"{root} has the name {shown}, expected letters and digits, as BIDS has them", "rename that file")


def entities_of(path: str | Path) -> dict[str, str]:
    """Return the entities of a name, with the label of each.

    Examples
    --------
    >>> entities_of("sub-01/ses-A/anat/sub-01_ses-A_acq-mprage_T1w.nii.gz")
    {'sub': '01', 'ses': 'A', 'acq': 'mprage'}
    """
    parsed = _library().parse_bids_entities(str(path))
    return {key: label for key, label in parsed.items() if key not in NAMED}


def _library() -> Any:
    """Return bids2table, which is installed only by whoever wants it."""
    try:
        import bids2table
    except ImportError as error:
        raise HailError("bids2table is not installed", "install hail-mri[bids]") from error
    return bids2table


@contextmanager
def _plain_name(root: Path) -> Iterator[Path]:
    """Give a folder another name for a while: the library finds nothing in `ds.v1`, nor in `ds[1]`."""
    with tempfile.TemporaryDirectory(prefix="bids") as folder:
        link = Path(folder, "dataset")
        link.symlink_to(real_path(root), target_is_directory=True)
        yield link


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
