"""What a scan holds where there is no head, and which intensity stands for no signal.

A scanner writes noise there; tools write one constant value where they have *erased* a skull, a face or the air. The
*zero point* is the intensity of no signal: 0 in a scan as it comes from a scanner, something else after an offset was
added or the intensities were standardized. It is read from the air, else from the constant, else guessed from the
darkest tissue.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float32]
Origin = Literal["air", "background", "assumed", "guessed"]

CONSTANT_FRACTION = 0.05  # of all voxels must share the background's value for it to be called constant
BRIGHTEST = 1e-3  # of all voxels may be brighter than the value at which others are cut off: vessels, markers
SAMPLE_STEP = 7  # every so many-th voxel is enough for percentiles
AIR_SIDE = 0.8  # of one side of the field of view at least is outside the head, or the scan shows no air
ENOUGH_AIR = 0.02  # of all voxels
LARGEST_NOISE = 0.3  # from the 5th to the 95th percentile, of white matter; air that varies more is no air
NEGLIGIBLE = 0.03  # of white matter; a zero point nearer than this to 0, or to a constant background, is that
RAYLEIGH = 0.553  # of a Rayleigh distribution: median over the distance from the 5th to the 95th percentile
DARK_PERCENTILE = 2.0  # of tissue
DARKEST_TISSUE = (-0.05, 0.5)  # of white matter: where the darkest tissue lies above the true zero point
GUESSED_TISSUE = 0.13  # of white matter: the same, where nothing else is known; 0.12 to 0.15 in real brains


@dataclass(frozen=True)
class ZeroPoint:
    """The intensity of no signal.

    Attributes
    ----------
    value : float
        Scanner units.
    origin : str
        "air": read from the air around the head; "background": the constant that a tool has put there; "assumed": 0,
        because no voxel is negative; "guessed" from the darkest tissue.
    """

    value: float
    origin: Origin


def constant_background(data: FloatArray) -> float | None:
    """
    Find the value that a good part of the voxels have exactly.

    Parameters
    ----------
    data : (I, J, K) array

    Returns
    -------
    value : float or None
        0, the least of all, or the commonest at the border of the field of view; None if none is shared by 5 % of the
        voxels. The commonest is no background if next to none is larger: there intensities are cut off.
    """
    commonest = _commonest_at_border(data)
    is_cut_off = np.count_nonzero(data > commonest) <= BRIGHTEST * data.size
    candidates = (0.0, float(data.min()), *([] if is_cut_off else [commonest]))
    for value in candidates:
        if np.count_nonzero(data == value) >= CONSTANT_FRACTION * data.size:
            return value
    return None


def erased_voxels(data: FloatArray, head: BoolArray, value: float | None) -> BoolArray:
    """
    Find the voxels that hold a value because they are background: air, or erased by skull-stripping or defacing.

    Parameters
    ----------
    data : (I, J, K) array
    head : (I, J, K) bool array
        Head mask.
    value : float or None
        See `constant_background`.

    Returns
    -------
    (I, J, K) bool array
        Voxels of this value outside the head mask, and those inside it that hang together with them. One that is
        enclosed by tissue is a voxel like any other. None at all without a value.
    """
    if value is None:
        return np.zeros(data.shape, dtype=bool)
    same = data == value
    outside = same & ~head
    inside = same & head
    if not inside.any() or not outside.any():
        return outside
    box = tuple(slice(max(0, span.start - 1), span.stop + 1) for span in ndimage.find_objects(inside.view(np.uint8))[0])
    outside[box] = ndimage.binary_propagation(outside[box], mask=same[box])
    return outside


def zero_point(
    data: FloatArray, head: BoolArray, erased: BoolArray, constant: float | None, white_matter: float
) -> ZeroPoint:
    """
    Find the intensity of no signal.

    Parameters
    ----------
    data : (I, J, K) array
        Scanner units.
    head, erased : (I, J, K) bool array
        Head mask, and voxels with the value `constant` that belong to the background.
    constant : float or None
        See `constant_background`.
    white_matter : float
        Its intensity, in the units of `data`.

    Notes
    -----
    The noise of air has a Rayleigh distribution, which begins at the zero point; its percentiles tell where. Noise as
    bright as tissue (MP2RAGE) is told from air by how much it varies, and a head that fills the field of view by its
    sides. What is constant and brighter than all tissue is returned as it is: there is no T1-weighted scan on it.

    References
    ----------
    Gudbjartsson and Patz, Magn Reson Med 34:910 (1995): the noise of magnitude images.
    """
    air = data[~head & ~erased][::SAMPLE_STEP]
    if SAMPLE_STEP * air.size >= ENOUGH_AIR * data.size and _shows_air(head):
        low, start, median, end = np.percentile(air, (1, 5, 50, 95))
        if end - start < LARGEST_NOISE * (white_matter - median):
            value = float(np.clip(median - RAYLEIGH * (end - start), low, median))
            return ZeroPoint(_rounded(value, constant, NEGLIGIBLE * (white_matter - value)), "air")
    tissue = data[head & ~erased][::SAMPLE_STEP]
    dark, bright = np.percentile(tissue, (DARK_PERCENTILE, 100 - DARK_PERCENTILE)).tolist()
    if constant is not None and (_is_below_tissue(constant, dark, white_matter) or constant >= bright):
        return ZeroPoint(_rounded(constant, None, NEGLIGIBLE * (white_matter - constant)), "background")
    if dark >= 0:
        return ZeroPoint(0.0, "assumed")
    return ZeroPoint(dark - GUESSED_TISSUE / (1 - GUESSED_TISSUE) * (white_matter - dark), "guessed")


def _rounded(value: float, constant: float | None, negligible: float) -> float:
    """Return 0 or the constant, if it is as good as the value."""
    for candidate in (0.0, constant):
        if candidate is not None and abs(value - candidate) <= negligible:
            return candidate
    return value


def _is_below_tissue(zero: float, dark: float, white_matter: float) -> bool:
    """Return whether the darkest tissue lies where it should, if an intensity is that of no signal."""
    least, most = DARKEST_TISSUE
    contrast = white_matter - zero
    return contrast > 0 and least <= (dark - zero) / contrast <= most


def _shows_air(head: BoolArray) -> bool:
    """Return whether a side of the field of view is nearly all outside the head."""
    return any(head.take(end, axis).mean() < 1 - AIR_SIDE for axis in range(3) for end in (0, -1))


def _commonest_at_border(data: FloatArray) -> float:
    """Return the commonest value in the outermost planes."""
    planes = [data[[0, -1]], data[:, [0, -1]], data[:, :, [0, -1]]]
    values, counts = np.unique(np.concatenate([plane.ravel() for plane in planes]), return_counts=True)
    return float(values[counts.argmax()])
