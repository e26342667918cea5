"""What is scored: a source and its target, and what is known of them: the truth, a rescan, masks.

Terms
-----
truth
    The source's subject really scanned at the target's site; on the source's grid, in the target's unit.
rescan
    The truth scanned once more: no method can be expected to come closer.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError
from hail_mri.image.grid_difference import grid_difference
from hail_mri.image.mask import TOLERANCE_MM
from hail_mri.image.volume import Volume

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ScoredPair:
    """Hold a source and a target, simulated or real, with all that results can be scored against.

    Parameters
    ----------
    source : Volume
        The scan to harmonize, in any unit.
    target : Volume
        The example all methods are given, on any grid, in any unit.
    truth, rescan : Volume, optional
        On the source's grid, in the target's unit; `unit_factor` brings them there.
    brain_mask, head_mask : (I, J, K) bool array, optional
        Of the source.
    target_head_mask : bool array of the target's shape, optional

    Raises
    ------
    InputError
        When a scan is constant, truth or rescan is on another grid, there is a rescan but no truth, or a mask is empty,
        of another shape, or not of bool.

    Examples
    --------
    >>> scan = np.arange(24.0).reshape(2, 3, 4)
    >>> pair = ScoredPair(Volume(scan, np.eye(4)), Volume(2 * scan, np.eye(4)), head_mask=scan > 5)
    >>> pair.truth is None, pair.head_mask.sum().item()
    (True, 18)
    """

    source: Volume
    target: Volume
    truth: Volume | None = None
    rescan: Volume | None = None
    brain_mask: Mask | None = None
    head_mask: Mask | None = None
    target_head_mask: Mask | None = None

    def __post_init__(self) -> None:
        scans = {"source": self.source, "target": self.target, "truth": self.truth, "rescan": self.rescan}
        for name, scan in scans.items():
            if scan is not None:
                _check_not_constant(scan, name)
        if self.rescan is not None and self.truth is None:
            raise InputError("there is a rescan but no truth", hint="give a single scan at the target's site as truth")
        for name in ("truth", "rescan"):
            if (scan := scans[name]) is not None:
                check_on_source_grid(scan, self.source, f"the {name}")
        for field, scan in (("brain_mask", self.source), ("head_mask", self.source), ("target_head_mask", self.target)):
            mask = getattr(self, field)
            if mask is not None:
                object.__setattr__(self, field, _checked_mask(mask, scan, field))


def check_on_source_grid(volume: Volume, source: Volume, name: str) -> None:
    """Refuse what is on another grid than the source.

    Parameters
    ----------
    volume, source : Volume
    name : str
        Of the volume, for the message.

    Raises
    ------
    InputError
        When it is; the message says in what the grids differ.
    """
    difference = grid_difference(volume.grid, source.grid, tolerance_mm=TOLERANCE_MM)
    if difference:
        raise InputError(
            f"{name} is on another grid than the source: {difference}",
            hint="scores compare voxel with voxel: register it with the source and resample it to the source's grid",
        )


def unit_factor(truth: Volume, target: Volume, *, white_matter: Mask, target_white_matter: Mask) -> float:
    """Return the factor that brings a truth, and its rescan, to the target's unit: white matter to white matter.

    Parameters
    ----------
    truth, target : Volume
        Any grids; two scans of one scanner, whose intensities differ by the place of the coil.
    white_matter, target_white_matter : (I, J, K) bool array
        Where truth and target are pure white matter, each on its own grid.

    Raises
    ------
    InputError
        When a mask is empty, of another shape or not of bool, or white matter is not above 0 in both.

    Notes
    -----
    No method can know the factor, so it is not counted against any: contrast is what is measured.
    """
    wanted, found = (
        scan.data[_checked_mask(mask, scan, name)].mean()
        for scan, mask, name in (
            (target, target_white_matter, "target_white_matter"),
            (truth, white_matter, "white_matter"),
        )
    )
    if not (wanted > 0 and found > 0):
        raise InputError(
            f"the mean of white matter is {found:g} in the truth and {wanted:g} in the target, expected both above 0",
            hint="check that the masks of white matter belong to truth and target",
        )
    return float(wanted / found)


def _check_not_constant(scan: Volume, name: str) -> None:
    """Refuse a scan in which there is nothing to see."""
    lowest = scan.data.min()
    if lowest == scan.data.max():
        raise InputError(
            f"the {name} is constant ({lowest:g} everywhere), expected a scan of a head", hint="check its file"
        )


def _checked_mask(mask: Mask, scan: Volume, name: str) -> Mask:
    """Take a read-only view of a mask, or say what is wrong with it."""
    mask = np.asarray(mask).view()
    if mask.dtype != bool:
        raise InputError(f"{name} holds {mask.dtype}, expected bool", hint="cut it first, such as at 0.5")
    if mask.shape != scan.shape:
        raise InputError(
            f"{name} has the shape {mask.shape}, its scan has {scan.shape}", hint="give it on the scan's grid"
        )
    if not mask.any():
        raise InputError(f"{name} is empty, expected some voxels inside", hint="leave it out if it is not known")
    mask.flags.writeable = False
    return mask
