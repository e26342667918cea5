"""A mask of a scan: above 0.5 inside, on the scan's own grid."""

from pathlib import Path

from hail_mri.errors import HailError, InputError
from hail_mri.image.grid_difference import grid_difference
from hail_mri.image.nifti import read_volume
from hail_mri.image.volume import Volume

MASK_THRESHOLD = 0.5  # a soft mask is cut here
STRIPPED_OUTSIDE = (
    0.1  # of a brain's volume: what a skull-stripped scan may have outside a mask; scalp and skull are more
)
TOLERANCE_MM = 0.1  # between voxels of mask and scan: a tenth of a voxel, and more than rounding in a header makes


def load_mask(path: Path, scan: Volume, scan_path: Path, *, of: str = "the brain") -> Volume:
    """Read the mask of a scan from a file.

    Parameters
    ----------
    path : pathlib.Path
        Of the mask.
    scan : Volume
    scan_path : pathlib.Path
        For the message.
    of : str
        What it is a mask of.

    Returns
    -------
    Volume

    Raises
    ------
    MissingFileError, InputError
        As `load_volume`, and `check_mask` with the names of the files.
    """
    mask = read_volume(path)
    check_mask(mask, scan, mask_name=str(path), scan_name=str(scan_path), of=of)
    return mask


def is_blank(path: Path) -> bool:
    """Return whether a mask is 0 everywhere; False if it cannot be read, which whoever takes it is to say."""
    try:
        return not read_volume(path).data.any()
    except HailError:
        return False


def is_stripped(scan: Volume, brain_mask: Volume) -> bool:
    """Return whether a scan is 0 outside the brain, by its brain mask; masks of two programs differ at the edge.

    Parameters
    ----------
    scan, brain_mask : Volume
        On one grid.

    Examples
    --------
    >>> import numpy as np
    >>> head = Volume(np.ones((4, 4, 4)), np.eye(4))
    >>> brain = Volume(np.pad(np.ones((2, 2, 2)), 1), np.eye(4))
    >>> is_stripped(head, brain), is_stripped(Volume(head.data * brain.data, np.eye(4)), brain)
    (False, True)
    """
    inside = brain_mask.data > MASK_THRESHOLD
    n_outside = int(((scan.data != 0) & ~inside).sum())
    return n_outside <= STRIPPED_OUTSIDE * int(inside.sum())


def check_mask(
    mask: Volume, scan: Volume, *, mask_name: str = "the mask", scan_name: str = "the scan", of: str = "the brain"
) -> None:
    """Refuse a mask that is not one of a scan.

    Parameters
    ----------
    mask, scan : Volume
    mask_name, scan_name, of : str
        For the message; what it is a mask of.

    Raises
    ------
    InputError
        When the mask is empty or has no outside, or is on another grid; the message says in what the grids differ.
    """
    lowest, highest = mask.data.min(), mask.data.max()
    if lowest > MASK_THRESHOLD:
        raise InputError(
            f"{mask_name} is a mask of everything: it is at least {lowest:.3g}, expected 0 outside {of}",
            hint=f"give a mask of {of}",
        )
    if highest <= MASK_THRESHOLD:
        what = "0 everywhere" if not mask.data.any() else f"nowhere above {MASK_THRESHOLD:g} (at most {highest:.3g})"
        raise InputError(
            f"{mask_name} is an empty mask: it is {what}, expected 1 inside {of} and 0 outside",
            hint=f"give a mask of {of}",
        )
    difference = grid_difference(mask.grid, scan.grid, tolerance_mm=TOLERANCE_MM)
    if difference:
        raise InputError(
            f"{mask_name} is on another grid than {scan_name}: {difference}",
            hint="resample the mask to the scan's grid",
        )
