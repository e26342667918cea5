"""The side files of a simulated cohort in BIDS: descriptions, sidecars, tables and names.

References
----------
Gorgolewski et al., Sci Data 3:160044 (2016), and the BIDS specification 1.10.
"""

import json
from pathlib import Path
from typing import Any

from hail_mri.provenance.environment import DISTRIBUTION, MAKER
from hail_mri.provenance.folder_names import BIDS_VERSION, DERIVATIVES
from hail_mri.provenance.sidecar import write_json
from hail_mri.simulation.scanners import Site
from hail_mri.simulation.sequences import Mprage, Sequence, SpinEcho
from hail_mri.simulation.tissues import TISSUES

SECONDS_PER_MS = 1e-3
TRUTH_DIR = Path(DERIVATIVES, "truth")

README = """# Simulated travelling subjects

T1-weighted scans of {n_subjects} simulated subject(s), each at the site(s) {sites}; a session is a site. A subject lies
differently at every site. Nothing here was measured on a person; heads are deformed copies of: {label_maps}.

`derivatives/truth` tells, for each scan, what it would look like at each other site: `sub-01_ses-A_desc-truthB_T1w` is
the head of the scan at A, in the same place and under A's receive field, with the contrast, resolution and units of B,
without noise. Beside it are the brain mask, the head mask and the tissue of every voxel (names in `dseg.tsv`).

Made by hail-mri {version}, seed {seed}, {spacing:g} mm: the same call gives the same files.
"""


def entities(subject: str, session: str) -> str:
    """Return the start of a file's name.

    Parameters
    ----------
    subject, session : str
        Labels, without "sub-" and "ses-".

    Examples
    --------
    >>> entities("01", "A")
    'sub-01_ses-A'
    """
    return f"sub-{subject}_ses-{session}"


def anat_dir(subject: str, session: str) -> Path:
    """Return the folder of a scan in its data set.

    Parameters
    ----------
    subject, session : str
        Labels, without "sub-" and "ses-".

    Examples
    --------
    >>> anat_dir("01", "A").as_posix()
    'sub-01/ses-A/anat'
    """
    return Path(f"sub-{subject}", f"ses-{session}", "anat")


def sidecar(site: Site) -> dict[str, Any]:
    """Describe a site's scanner and protocol in the words of BIDS, times in seconds, lengths in mm.

    Parameters
    ----------
    site : Site

    Examples
    --------
    >>> from hail_mri.simulation.scanners import SITES
    >>> described = sidecar(SITES["B"])
    >>> described["Manufacturer"], described["RepetitionTime"], described["InversionTime"]
    ('Siemens', 1.9, 0.9)
    """
    in_plane, thickness = site.resolution
    return {
        "Modality": "MR",
        "Manufacturer": site.vendor,
        "InstitutionName": f"simulated site {site.name}",
        "MagneticFieldStrength": site.field_strength,
        **_sequence_fields(site.sequence),
        "SliceThickness": thickness,
        "InPlaneResolution": in_plane,
        "AcquisitionPlane": site.plane,
    }


def _sequence_fields(sequence: Sequence) -> dict[str, Any]:
    """Name the pulse sequence and its settings."""
    fields: dict[str, Any]
    if isinstance(sequence, SpinEcho):
        fields = {"PulseSequenceType": "Spin echo", "ScanningSequence": "SE", "MRAcquisitionType": "2D"}
    elif isinstance(sequence, Mprage):
        fields = {"PulseSequenceType": "MPRAGE", "ScanningSequence": ["GR", "IR"], "SequenceVariant": "MP"}
        fields |= {"MRAcquisitionType": "3D", "InversionTime": _seconds(sequence.ti)}
    else:
        fields = {"PulseSequenceType": "Spoiled gradient echo", "ScanningSequence": "GR", "SequenceVariant": "SP"}
        fields |= {"MRAcquisitionType": "3D"}
    times = {"EchoTime": _seconds(sequence.te), "RepetitionTime": _seconds(sequence.tr)}
    return {**fields, "SequenceName": type(sequence).__name__, **times, "FlipAngle": sequence.flip_angle}


def _seconds(milliseconds: float) -> float:
    """Convert, without the digits that only the conversion adds."""
    return round(milliseconds * SECONDS_PER_MS, 9)


def dataset_description(name: str, dataset_type: str) -> dict[str, Any]:
    """Return what dataset_description.json holds.

    Parameters
    ----------
    name : str
    dataset_type : str
        "raw" or "derivative".
    """
    return {
        "Name": name,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": dataset_type,
        "License": "CC0",
        "GeneratedBy": [MAKER],
    }


def is_ours(folder: Path) -> bool:
    """Tell whether a folder is a cohort that was written here, by its description.

    Parameters
    ----------
    folder : Path
    """
    try:
        description = json.loads((folder / "dataset_description.json").read_text(encoding="utf-8"))
        return any(maker.get("Name") == DISTRIBUTION for maker in description["GeneratedBy"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def write_tsv(rows: list[dict[str, Any]], path: Path) -> None:
    """Write a table, its columns from the first row.

    Parameters
    ----------
    rows : list of dict
        At least one.
    path : Path
    """
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    path.write_text("".join("\t".join(map(str, line)) + "\n" for line in lines), encoding="utf-8")


def write_truth_descriptions(truth_dir: Path) -> None:
    """Describe the derivatives: the data set, the masks and the tissue numbers.

    Parameters
    ----------
    truth_dir : Path
    """
    description = dataset_description("What the simulated scans would look like at the other sites", "derivative")
    write_json(description | {"DatasetLinks": {"raw": "../.."}}, truth_dir / "dataset_description.json")
    write_json({"Type": "Brain", "RawSources": "the simulation"}, truth_dir / "desc-brain_mask.json")
    write_json({"Type": "Head", "RawSources": "the simulation"}, truth_dir / "desc-head_mask.json")
    tissues = [{"index": index, "name": tissue.name} for index, tissue in enumerate(TISSUES)]
    write_tsv(tissues, truth_dir / "dseg.tsv")
