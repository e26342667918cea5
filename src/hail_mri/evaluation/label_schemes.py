"""Which labels of a label map are grey matter, white matter and fluid.

References
----------
FreeSurferColorLUT.txt, as distributed with FreeSurfer 7: numbers of `aseg`, `aparc+aseg`, `wmparc` and SynthSeg.
BIDS specification 1.10, imaging derivatives: a table of index and name beside a label map (`dseg.tsv`).
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError
from hail_mri.evaluation.structures import Structures, structure_masks
from hail_mri.provenance.tables import read_lines

GREY_MATTER, WHITE_MATTER, CSF = "grey matter", "white matter", "csf"

# Of Atropos, FAST and others that number three tissues by their intensity in a T1-weighted scan.
THREE_TISSUES: Structures = {GREY_MATTER: (2,), WHITE_MATTER: (3,), CSF: (1,)}

_NUMBERED = {number for values in THREE_TISSUES.values() for number in values}

FEWEST_LABELS = 10  # of FreeSurfer's numbers, from which a map is taken for FreeSurfer's whatever they are
MOST_TOLD = 12  # labels that an error names
_RIGHT = {41, 42}  # white matter and cortex of the right: no other scheme begins to count there
_CORTEX = (3, 42, *range(1000, 1036), *range(2000, 2036), 8, 47)  # of cerebrum and cerebellum
_CORTEX_BY_SULCI = (*range(11101, 11176), *range(12101, 12176))  # aparc.a2009s+aseg
_NUCLEI = (10, 11, 12, 13, 17, 18, 26, 49, 50, 51, 52, 53, 54, 58)
_WHITE_BELOW_CORTEX = (*range(3000, 3036), *range(4000, 4036), 5001, 5002)  # wmparc
FREESURFER: Structures = {
    GREY_MATTER: (*_CORTEX, *_CORTEX_BY_SULCI, *_NUCLEI),
    WHITE_MATTER: (2, 41, 7, 46, 77, 78, 79, *range(251, 256), *_WHITE_BELOW_CORTEX),
    CSF: (4, 5, 14, 15, 24, 43, 44, 72),
}

# By the names of a table beside a label map: those of `hail-mri segment` and `hail-mri simulate`, and BIDS' own.
_NAMES = {
    GREY_MATTER: (
        *("grey_matter", "gray_matter", "cortex", "hippocampus", "cerebellar_cortex"),
        *("striatum", "thalamus", "pallidum"),
    ),
    WHITE_MATTER: ("white_matter", "cerebellar_white_matter"),
    CSF: ("csf", "cerebrospinal_fluid"),
}


def scheme_of(labels: NDArray[np.integer], name: str = "the label map") -> Structures:
    """Return which labels stand for what, by the numbers that are there: three tissues, or FreeSurfer's.

    Parameters
    ----------
    labels : array of int
    name : str
        Of the label map, in an error.

    Raises
    ------
    InputError
        If there are labels above 3 that are not surely FreeSurfer's: without white matter or cortex of the right
        (41, 42) and nine more in number at most, or with label 1, which no volume of FreeSurfer has.

    Examples
    --------
    >>> scheme_of(np.array([0, 1, 2, 3])) is THREE_TISSUES
    True
    >>> scheme_of(np.array([0, 2, 3, 41, 42])) is FREESURFER
    True
    """
    there = set(np.unique(labels).tolist()) - {0}
    if there <= _NUMBERED:
        return THREE_TISSUES
    of_freesurfer = {n for values in FREESURFER.values() for n in values}
    if 1 not in there and (there & _RIGHT or len(there & of_freesurfer) >= FEWEST_LABELS):
        return FREESURFER
    told = ", ".join(map(str, sorted(there)[:MOST_TOLD])) + (", ..." if len(there) > MOST_TOLD else "")
    raise InputError(
        f"{name} has the labels {told}: more than 1 fluid, 2 grey, 3 white, and not surely FreeSurfer's numbers",
        "put a table with the columns index and name beside it (NAME_dseg.tsv for NAME_dseg.nii.gz), as BIDS has it",
    )


def told_scheme(scheme: Structures) -> str:
    """Return in words by what the labels of a map were understood.

    Examples
    --------
    >>> told_scheme(FREESURFER)
    "FreeSurfer's numbers"
    """
    if scheme is THREE_TISSUES:
        return "1 fluid, 2 grey, 3 white"
    return "FreeSurfer's numbers" if scheme is FREESURFER else "names of the table beside it"


def scheme_of_file(path: Path, labels: NDArray[np.integer]) -> Structures:
    """Return which labels of a file stand for what: by the table of names that BIDS has beside it, or by its numbers.

    Parameters
    ----------
    path : Path
        Of the label map. A table belongs to it if it has its name, or if both are `dseg` and the table is in its folder
        or in one above, up to that of the data set.
    labels : array of int
        What it holds.

    Raises
    ------
    InputError
        If the table has no columns index and name, or names no tissue that is known; or, without a table, as
        `scheme_of`.
    """
    table = names_table(path)
    return scheme_of(labels, str(path)) if table is None else _scheme_of_names(table)


def names_table(path: Path) -> Path | None:
    """Find the table of names of a label map; None if there is none.

    Parameters
    ----------
    path : Path
        See `scheme_of_file`.
    """
    stem = path.name.split(".")[0]
    own = path.with_name(f"{stem}.tsv")
    if _names_labels(own):
        return own
    if not stem.endswith("_dseg"):
        return None
    for folder in path.absolute().parents:
        if (folder / "dseg.tsv").is_file():
            return folder / "dseg.tsv"
        if (folder / "dataset_description.json").is_file():
            return None
    return None


def three_tissues(labels: NDArray[np.integer], scheme: Structures) -> NDArray[np.uint8]:
    """Return labels as those of `THREE_TISSUES`; what is neither of them becomes 0.

    Parameters
    ----------
    labels : (...) array of int
    scheme : Structures
        What they stand for.

    Examples
    --------
    >>> three_tissues(np.array([0, 2, 3, 4, 16]), FREESURFER).tolist()
    [0, 3, 2, 1, 0]
    """
    found = np.zeros(labels.shape, np.uint8)
    for name, mask in structure_masks(labels, scheme):
        found[mask] = next(iter(THREE_TISSUES[name]))
    return found


def _names_labels(path: Path) -> bool:
    """Return whether a file is a table of labels by its first line: others may have the name of a label map, too."""
    if not path.is_file():
        return False
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        return {"index", "name"} <= set(file.readline().strip().split("\t"))


def _scheme_of_names(path: Path) -> Structures:
    """Read which index has which name."""
    lines = read_lines(path, expected="a table of labels")
    header = [name.strip() for name in lines[0][1]] if lines else []
    try:
        rows = [dict(zip(header, cells, strict=False)) for _, cells in lines[1:]]
        index_of = {row["name"].strip().lower(): int(row["index"]) for row in rows}
    except (KeyError, ValueError) as error:
        raise InputError(f"{path} is no table of labels with the columns index and name ({error})") from error
    scheme = {tissue: [index_of[name] for name in names if name in index_of] for tissue, names in _NAMES.items()}
    if unnamed := [tissue for tissue, values in scheme.items() if not values]:
        raise InputError(
            f"{path} names no {' and no '.join(unnamed)}, but {', '.join(index_of) or 'nothing'}",
            f"names that are known: {', '.join(name for names in _NAMES.values() for name in names)}",
        )
    return scheme
