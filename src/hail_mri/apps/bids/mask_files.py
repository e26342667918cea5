"""Masks of lesions and of the brain in data sets of derivatives, told by their names; no image is read.

A mask is `<entities of its scan>[_space-orig][_label-L][_desc-lesion]_mask.nii.gz`, in the folder that its scan has in
the raw data; the suffix may be `roi`, too, and `T1w` may stand among the entities, as fMRIPrep has both. What it is a
mask of is told by `label`, of which BIDS reserves `L` for lesions, or by `desc`.

References
----------
BIDS specification 1.10, "Derivatives: imaging data types": "Masks" and "Common image-derived labels".
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hail_mri.apps.bids.t1w_names import SUFFIX, entities_of
from hail_mri.errors import InputError, MissingFileError
from hail_mri.provenance.folder_names import DERIVATIVES
from hail_mri.provenance.links import real_path
from hail_mri.provenance.sidecar import NIFTI_SUFFIXES

LESION, BRAIN = "lesion_mask", "brain_mask"  # as requests call them
WORDS = {LESION: "lesion mask", BRAIN: "brain mask"}
SUFFIXES = ("mask", "roi")
LESION_WORDS = ("lesion", "tumor", "tumour")  # as labels and as descriptions; ATLAS writes T1lesion
RESERVED_LABEL = "L"
CALLED_OTHERWISE = f"masks are called otherwise, <entities of the scan>_label-{RESERVED_LABEL}_mask.nii.gz"
OF_THE_MASK = ("space", "res", "den", "label", "desc")  # entities that scans do not have
NATIVE = "orig"
# Names that speak of lesions, and suffixes of images that are no masks whatever else they say.
_SPEAKS_OF_LESIONS = re.compile("|".join((*LESION_WORDS, f"_label-{RESERVED_LABEL}_")), re.IGNORECASE)
_IMAGES = (SUFFIX, "T2w", "FLAIR", "PDw", "T2starw")


@dataclass(frozen=True)
class MaskFile:
    """An image that is a mask by its name.

    Attributes
    ----------
    root : Path
        Of the data set that it is in.
    path : Path
    kind : str
        `LESION` or `BRAIN`.
    source : mapping of str to str
        Entities of the scan that it is a mask of.
    reason : str
        Why it is not taken; empty if it is.
    """

    root: Path
    path: Path
    kind: str
    source: Mapping[str, str] = field(hash=False)
    reason: str = ""


def mask_roots(dataset_dir: Path, derivatives: Iterable[Path], output_dir: Path) -> list[Path]:
    """Return the data sets to look for masks in: the raw one, those in its folder of derivatives, and those given.

    Parameters
    ----------
    dataset_dir : Path
    derivatives : iterable of Path
        Those given.
    output_dir : Path
        Results are no masks.

    Raises
    ------
    MissingFileError, InputError
        If one that is given is no folder, or has no folders of subjects.
    """
    given = list(derivatives)
    for folder in given:
        if not folder.exists():
            raise MissingFileError(f"--derivatives {folder} does not exist, expected a data set with masks")
        if not any(path.is_dir() for path in folder.glob("sub-*")):
            raise InputError(f"--derivatives {folder} has no folders of subjects, expected a data set with masks")
    beside = sorted(path for path in (dataset_dir / DERIVATIVES).glob("*") if path.is_dir())
    roots: dict[Path, Path] = {}
    for root in (dataset_dir, *beside, *given):
        roots.setdefault(real_path(root), root)
    roots.pop(real_path(output_dir), None)
    return list(roots.values())


def mask_files(roots: Iterable[Path], folders: Collection[Path], kinds: Collection[str]) -> Iterator[MaskFile]:
    """Yield the masks in folders of some data sets, and what is called as if it were one of lesions.

    Parameters
    ----------
    roots : iterable of Path
    folders : collection of Path
        Of scans, from the root of a data set: `sub-01/ses-1/anat`.
    kinds : collection of str
        `LESION`, `BRAIN` or both.
    """
    for root in roots:
        for folder in folders:
            for path in sorted((root / folder).glob("*.nii*")):
                mask = mask_of_name(root, path) or _called_otherwise(root, path)
                if mask is not None and mask.kind in kinds:
                    yield mask


def mask_of_name(root: Path, path: Path) -> MaskFile | None:
    """Return which mask an image is by its name; None if it is none of lesions or of the brain.

    Examples
    --------
    >>> mask = mask_of_name(Path("m"), Path("m/sub-01/anat/sub-01_space-orig_label-L_desc-T1lesion_mask.nii.gz"))
    >>> mask.kind, dict(mask.source), mask.reason
    ('lesion_mask', {'sub': '01'}, '')
    >>> mask_of_name(Path("m"), Path("m/sub-01/anat/sub-01_label-GM_mask.nii.gz")) is None
    True
    """
    extension = next((suffix for suffix in reversed(NIFTI_SUFFIXES) if path.name.endswith(suffix)), None)
    if extension is None:
        return None
    *parts, suffix = path.name.removesuffix(extension).split("_")
    if suffix not in SUFFIXES:
        return None
    told = entities_of(path)
    kind = _kind(told)
    if kind is None:
        return None
    source = {key: label for key, label in told.items() if key not in OF_THE_MASK}
    return MaskFile(root, path, kind, source, _reason(told, [part for part in parts if "-" not in part]))


def _called_otherwise(root: Path, path: Path) -> MaskFile | None:
    """Return an image that may be a lesion mask, but has another name, with the reason; None for any other file."""
    stem = next((path.name.removesuffix(end) for end in reversed(NIFTI_SUFFIXES) if path.name.endswith(end)), "")
    parts = [part for part in stem.split("_") if not part.startswith(("sub-", "ses-"))]  # a patient may be sub-tumor01
    if not _SPEAKS_OF_LESIONS.search("_".join(["", *parts])) or parts[-1] in _IMAGES:
        return None
    subject = path.relative_to(root).parts[0].removeprefix("sub-")
    return MaskFile(root, path, LESION, {"sub": subject}, CALLED_OTHERWISE)


def _kind(told: Mapping[str, str]) -> str | None:
    """Return what a mask is of; also of one that has lesions in its name in a way that is not known."""
    label, described = told.get("label", ""), told.get("desc", "").lower()
    if label == RESERVED_LABEL or any(word in f"{label.lower()} {described}" for word in LESION_WORDS):
        return LESION
    return BRAIN if described == "brain" and not label else None


def _reason(told: Mapping[str, str], images: Collection[str]) -> str:
    """Return why a mask is not taken, by its entities and by what stands among them; nothing if it is."""
    others = [image for image in images if image != SUFFIX]
    if others:
        return f"{others[0]} in its name says that it is the mask of another image"
    if told.get("space", NATIVE) != NATIVE:
        return f"space-{told['space']} in its name says that it is in another space than the scan"
    for key in ("res", "den"):
        if key in told:
            return f"{key}-{told[key]} in its name says that it is on another grid than the scan"
    return "" if _is_whole(told) else "its name does not say that it is the mask of the whole lesion"


def _is_whole(told: Mapping[str, str]) -> bool:
    """Return whether a name is known to be that of a mask of all that is lesion, or of the brain."""
    if "label" in told:
        return told["label"] == RESERVED_LABEL or told["label"].lower() in LESION_WORDS
    described = told.get("desc", "").lower()
    return described in (
        "brain",
        *LESION_WORDS,
        *(f"{image}{word}" for image in ("t1", "t1w") for word in LESION_WORDS),
    )
