"""The data set of derivatives that the App writes: names of results, its description, and what BIDS does not know."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hail_mri.apps.bids.dataset import DESCRIPTION, SUFFIX, BidsScan, Dataset
from hail_mri.apps.bids.side_files import read_json_object
from hail_mri.errors import InputError, OutputExistsError
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.bids_uris import RAW
from hail_mri.provenance.environment import DISTRIBUTION, MAKER
from hail_mri.provenance.free_paths import require_writable_folder
from hail_mri.provenance.links import real_path
from hail_mri.provenance.sidecar import NIFTI_SUFFIXES

BIDS_VERSION = "1.10.0"
DERIVATIVES = "derivatives"
WORK_DIR = ".hail-mri"
LABEL = "harmonized"
README = """# {name}, harmonized

T1-weighted scans in the look of one scan or site, each on its own voxel grid; made by {Name} {Version}.

`harmonized.tsv` tells what became of each scan, and with which target; beside each result lies a sidecar with hashes,
settings, checks and warnings, and a report to open in a browser. For research only; not for diagnosis or treatment.
"""
IGNORED = ("*.html", "harmonized.tsv*", "features.tsv", "study_features", "target_*.tsv", WORK_DIR)


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
    """Refuse a folder for results that lies among the raw scans, or that is another program's data set.

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


def is_ours(output_dir: Path) -> bool:
    """Return whether a data set was made here, by its description."""
    makers = read_json_object(output_dir / DESCRIPTION, expected="the description of a data set").get("GeneratedBy")
    makers = makers if isinstance(makers, list) else []
    return any(isinstance(maker, dict) and maker.get("Name") == DISTRIBUTION for maker in makers)


def describe_output(output_dir: Path, dataset: Dataset) -> None:
    """Write the description of the results, and which files BIDS does not know; what is as it should be stays.

    Raises
    ------
    UnwritableError
        If they cannot be written.
    """
    description = dataset_description(output_dir, dataset)
    texts = {
        output_dir / DESCRIPTION: json.dumps(description, indent=2, ensure_ascii=False) + "\n",
        output_dir / ".bidsignore": "".join(f"{pattern}\n" for pattern in IGNORED),
        output_dir / "README.md": README.format(name=dataset.description["Name"], **MAKER),
    }
    if all(path.is_file() and path.read_text(encoding="utf-8") == text for path, text in texts.items()):
        return

    def write(hidden: Mapping[Path, Path]) -> None:
        for path, text in texts.items():
            hidden[path].write_text(text, encoding="utf-8")

    write_together(list(texts), write)


def dataset_description(output_dir: Path, dataset: Dataset) -> dict[str, Any]:
    """Return the description of the results, as BIDS 1.10 wants it.

    Notes
    -----
    The link to the raw data is relative to the results: it stays right when both are moved, and does not tell who ran
    it where.
    """
    doi = dataset.description.get("DatasetDOI")
    link = quote(Path(os.path.relpath(real_path(dataset.root), real_path(output_dir))).as_posix())
    source = {"URL": f"bids:{RAW}:"} | ({"DOI": doi} if isinstance(doi, str) else {})
    return {
        "Name": f"{dataset.description['Name']}, harmonized",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [{**MAKER, "Description": "T1-weighted scans in the look of one scan or site"}],
        "SourceDatasets": [source],
        "DatasetLinks": {RAW: link},
    }
