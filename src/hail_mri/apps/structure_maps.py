"""Maps of what was lost and what appeared, of each line of a table of results, as NIfTI files."""

from collections.abc import Mapping
from pathlib import Path

from hail_mri.evaluation.found_structures import FoundStructures
from hail_mri.evaluation.pair_table import PairRow
from hail_mri.evaluation.structure_measures import APPEARED, LOST
from hail_mri.image.nifti import load_volume, save_volume

NAMES = {LOST: "lost", APPEARED: "appeared"}


def map_paths(maps_dir: Path, key: str) -> dict[str, Path]:
    """Return the files of the maps of a line.

    Parameters
    ----------
    maps_dir : Path
    key : str
        Hash of all that they depend on.

    Examples
    --------
    >>> map_paths(Path("maps"), "0123456789abcdef")["lost structures"].name
    '0123456789ab_lost.nii.gz'
    """
    return {metric: maps_dir / f"{key[:12]}_{name}.nii.gz" for metric, name in NAMES.items()}


def write_maps(found: Mapping[str, FoundStructures], row: PairRow, paths: Mapping[str, Path]) -> None:
    """Write maps on the source's grid.

    Parameters
    ----------
    found : mapping of str to FoundStructures
        What `measure_pair` has found, by metric.
    row : PairRow
        Whose source has the grid.
    paths : mapping of str to Path
        By metric; those that are there are replaced.

    Raises
    ------
    UnwritableError
        If a file cannot be written.
    """
    source = load_volume(row.files["source"])
    for metric, path in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        save_volume(source.with_data(found[metric].contrast), path, overwrite=True)
