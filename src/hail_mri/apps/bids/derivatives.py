"""The data set of derivatives that the App writes: names of results, its description, and what BIDS does not know."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hail_mri.apps.bids.dataset import BidsScan, Dataset
from hail_mri.apps.bids.side_files import read_json_object
from hail_mri.apps.bids.t1w_names import SUFFIX
from hail_mri.errors import InputError, OutputExistsError
from hail_mri.provenance.atomic_write import HIDDEN_NAME, write_together
from hail_mri.provenance.bids_uris import RAW
from hail_mri.provenance.environment import DISTRIBUTION, MAKER
from hail_mri.provenance.folder_names import BIDS_VERSION, DERIVATIVES, DESCRIPTION, STATE_DIR
from hail_mri.provenance.free_paths import require_writable_folder
from hail_mri.provenance.links import real_path
from hail_mri.provenance.sidecar import NIFTI_SUFFIXES

LABEL = "harmonized"
README = """# {name}, harmonized

T1-weighted scans in the look of one scan or site, each on its own voxel grid; made by {Name}.

`harmonized.tsv` tells what became of each scan, and with which target; beside each result lies a sidecar with hashes,
settings, checks and warnings, and a report to open in a browser. For research only; not for diagnosis or treatment.
"""
IGNORED = ("*.html", "harmonized.tsv*", "features.tsv", "study_features", "target_*.tsv", STATE_DIR)


def result_path(scan: BidsScan, output_dir: Path) -> Path:
    """Return where the result of a scan goes.

    Examples
    --------
    >>> scan = BidsScan(Path("raw"), Path("sub-01/anat/sub-01_acq-a_T1w.nii"), {"sub": "01", "acq": "a"})
    >>> result_path(scan, Path("out")).as_posix()
    'out/sub-01/anat/sub-01_acq-a_desc-harmonized_T1w.nii.gz'
    """
    name = scan.relative.name
    stem = next(name[: -len(suffix)] for suffix in reversed(NIFTI_SUFFIXES) if name.endswith(suffix))
    return output_dir / scan.relative.with_name(f"{stem.removesuffix(SUFFIX)}desc-{LABEL}_{SUFFIX}.nii.gz")


def require_output_dir(output_dir: Path, dataset_dir: Path) -> None:
    """Refuse a folder for results that lies among the raw scans, or has anything in it and is not one of ours.

    Raises
    ------
    InputError, OutputExistsError, UnwritableError
    """
    results, raw = real_path(output_dir), real_path(dataset_dir)
    good = raw / DERIVATIVES
    advice = f"write to {dataset_dir / DERIVATIVES / DISTRIBUTION}, or to a folder elsewhere"
    if raw.is_relative_to(results):
        raise InputError(f"{output_dir} holds the data set {dataset_dir}, expected a folder for results", advice)
    if results.is_relative_to(raw) and (results == good or not results.is_relative_to(good)):
        raise InputError(f"{output_dir} lies among the raw scans of {dataset_dir}, expected a folder elsewhere", advice)
    if output_dir.exists() and not output_dir.is_dir():
        raise InputError(f"{output_dir} is a file, expected a folder for results")
    require_writable_folder(output_dir)
    if (output_dir / DESCRIPTION).exists() and not is_ours(output_dir):
        raise OutputExistsError(f"{output_dir} is a data set that another program has made", advice)
    others = [] if (output_dir / DESCRIPTION).exists() else _visible(output_dir)
    if others:
        found = f"it has {others[0]} in it, and no {DESCRIPTION} of {DISTRIBUTION}"
        raise OutputExistsError(f"{output_dir} is neither empty nor a folder of results: {found}", advice)


def _visible(folder: Path) -> list[str]:
    """Return what lies in a folder, without what runs that begin at the same time may have made."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return sorted(name for name in names if name != STATE_DIR and not HIDDEN_NAME.fullmatch(name))


def is_ours(output_dir: Path) -> bool:
    """Return whether a data set was made here, by its description."""
    makers = read_json_object(output_dir / DESCRIPTION, expected="the description of a data set").get("GeneratedBy")
    makers = makers if isinstance(makers, list) else []
    return any(isinstance(maker, dict) and maker.get("Name") == DISTRIBUTION for maker in makers)


def describe_output(output_dir: Path, dataset: Dataset, linked: Iterable[Path] = ()) -> None:
    """Write the description of the results, and which files BIDS does not know.

    Parameters
    ----------
    output_dir : Path
    dataset : Dataset
    linked : iterable of Path
        Data sets beside the raw one that scans have masks of; those that earlier runs have linked stay.

    Raises
    ------
    UnwritableError
        If they cannot be written.

    Notes
    -----
    What is as it should be stays. A README that is there stays, and so do lines that were added to `.bidsignore`.
    """
    description = dataset_description(output_dir, dataset, linked)
    # First, as it tells other runs that the folder is ours.
    _write(output_dir / DESCRIPTION, json.dumps(description, indent=2, ensure_ascii=False) + "\n")
    ignored = _text(output_dir / ".bidsignore")
    missing = [pattern for pattern in IGNORED if pattern not in ignored.splitlines()]
    end = "\n" if ignored and not ignored.endswith("\n") else ""
    _write(output_dir / ".bidsignore", ignored + end + "".join(f"{pattern}\n" for pattern in missing))
    if not os.path.lexists(output_dir / "README.md"):
        _write(output_dir / "README.md", README.format(name=_name(dataset), **MAKER))


def _write(path: Path, text: str) -> None:
    """Write a file, unless it says that already."""
    if not path.is_file() or _text(path) != text:
        write_together([path], lambda hidden: hidden[path].write_text(text, "utf-8", "surrogateescape"))


def _text(path: Path) -> str:
    """Return what a file says; nothing if there is none."""
    return path.read_text(encoding="utf-8", errors="surrogateescape") if path.is_file() else ""


def _name(dataset: Dataset) -> str:
    """Return the name of a data set as text that can be written; JSON may have halves of letters."""
    return str(dataset.description["Name"]).encode("utf-8", "replace").decode()


def dataset_description(output_dir: Path, dataset: Dataset, linked: Iterable[Path] = ()) -> dict[str, Any]:
    """Return the description of the results, as BIDS 1.10 wants it.

    Notes
    -----
    Links to other data sets are relative to the results: they stay right when all are moved, and do not tell who ran
    it where.
    """
    doi = dataset.description.get("DatasetDOI")
    links = _links(output_dir, dataset, linked)
    sources = [
        {"URL": f"bids:{name}:"} | ({"DOI": doi} if name == RAW and isinstance(doi, str) else {}) for name in links
    ]
    return {
        "Name": f"{_name(dataset)}, harmonized",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [{**MAKER, "Description": "T1-weighted scans in the look of one scan or site"}],
        "SourceDatasets": sources,
        "DatasetLinks": links,
    }


def _links(output_dir: Path, dataset: Dataset, linked: Iterable[Path]) -> dict[str, str]:
    """Return the links of the results by name: to the raw data, to those of earlier runs, and to further ones."""
    path = output_dir / DESCRIPTION
    told = read_json_object(path, expected="the description of a data set") if path.exists() else {}
    earlier = told.get("DatasetLinks")
    earlier = earlier if isinstance(earlier, dict) else {}
    links = {RAW: _link(dataset.root, output_dir)}
    links |= {name: link for name, link in earlier.items() if name != RAW and isinstance(link, str)}
    for root in linked:
        link = _link(root, output_dir)
        if link not in links.values():
            name = "".join(letter for letter in root.resolve().name if letter.isascii() and letter.isalnum()) or "masks"
            free = (name, *(f"{name}{number}" for number in range(2, len(links) + 2)))
            links[next(each for each in free if each not in links)] = link
    return links


def _link(root: Path, output_dir: Path) -> str:
    """Return where a data set is, as seen from the results."""
    # As bytes: a name may be no UTF-8.
    return quote(os.fsencode(Path(os.path.relpath(real_path(root), real_path(output_dir))).as_posix()))
