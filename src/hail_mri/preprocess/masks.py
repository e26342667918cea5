"""The head mask: which voxels belong to the head, and which to the air around it.

The mask is estimated on a coarse grid (about 3 mm), where noise averages out and the head is one smooth blob, and
carried back to the native grid. Everything inside the skin counts as head: dark bone, fluid and the air in the sinuses
are filled. Where a skull-stripping or defacing tool set voxels to one constant value, these are not head.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hail_mri.errors import InputError
from hail_mri.image.volume import Volume
from hail_mri.preprocess.background import constant_background
from hail_mri.preprocess.coarse import block_means, coarse_grid, interpolated_blocks
from hail_mri.preprocess.shapes import ball, largest_part

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float32]

COARSE_SPACING = 3.0  # mm; one or two voxels across the scalp, fewer than 90 across the largest field of view
SMOOTHING = 1.5  # mm, standard deviation; removes the noise that the block means left over
CLOSING_RADIUS = 12.0  # mm; closes skull and sinuses where bone and air open to the outside
BRIGHT_PERCENTILE = 80.0  # of the coarse foreground; fat and vessels above it do not move the threshold
STRAY_FRACTION = 0.005  # of the voxels unlike a constant background may lie apart from the head


def head_mask(volume: Volume) -> BoolArray:
    """Find the voxels of the head.

    Parameters
    ----------
    volume : Volume
        One T1-weighted scan in any unit and orientation: whole, defaced, skull-stripped, or cut by the field of view.

    Returns
    -------
    (I, J, K) bool array
        True in the head; in a skull-stripped scan, in what is left of it.

    Raises
    ------
    InputError
        If nothing in the scan stands out from its background.

    Notes
    -----
    This is no brain mask, and where the background is noise its border is as smooth as the coarse grid: right to about
    2 mm, not to the voxel. The mask of a flipped scan is the flipped mask, up to rounding.
    """
    constant = constant_background(volume.data)
    least = float(volume.data.min())
    background = min(0.0, least) if constant is None else constant
    is_plain = background == 0 and least >= 0  # nearly always: saves two passes through the scan
    signal = volume.data if is_plain else np.abs(volume.data - background)
    grid = coarse_grid(volume.grid, COARSE_SPACING)
    coarse_signal, spacing = block_means(signal, grid.shape), tuple(grid.spacing.tolist())
    blob = _head_blob(coarse_signal, spacing)
    if not blob.any():
        raise InputError(
            "no head found: nothing in the scan stands out from its background",
            hint="give a T1-weighted scan of a head, in which air is darker than tissue",
        )
    if constant is not None:
        blob = _without_erased(blob, coarse_signal == 0)
        differs = signal > 0
        near_head = differs & _to_native(ndimage.binary_dilation(blob), volume.shape)
        if np.count_nonzero(near_head) >= (1 - STRAY_FRACTION) * np.count_nonzero(differs):
            return _exact_outline(near_head)
    return _to_native(blob, volume.shape)


def _head_blob(signal: FloatArray, spacing: tuple[float, ...]) -> BoolArray:
    """Threshold a coarse signal and keep the largest part, closed and filled."""
    from skimage.filters import threshold_li

    smooth = ndimage.gaussian_filter(signal, [SMOOTHING / s for s in spacing], mode="nearest")
    foreground = smooth[smooth > smooth.mean()]
    if foreground.size == 0:
        return np.zeros(signal.shape, dtype=bool)
    clipped = np.minimum(smooth, np.percentile(foreground, BRIGHT_PERCENTILE))
    solid = _filled_in_any_plane(clipped > threshold_li(clipped))
    # Opening cuts the head loose from wrapped noses and tubes. It comes after filling, for a scalp alone is too thin
    # for it; and a head cut by the field of view goes on beyond the border.
    opened = ndimage.binary_opening(np.pad(solid, 1, mode="edge"))[1:-1, 1:-1, 1:-1]
    return _filled_in_any_plane(_closed(largest_part(opened if opened.any() else solid), spacing))


def _closed(mask: BoolArray, spacing: tuple[float, ...]) -> BoolArray:
    """Close clefts narrower than two closing radii."""
    margin = int(np.ceil(CLOSING_RADIUS / min(spacing)))
    closed = ndimage.binary_closing(np.pad(mask, margin), structure=ball(CLOSING_RADIUS, spacing))
    return np.asarray(closed[margin:-margin, margin:-margin, margin:-margin])


def _exact_outline(differs: BoolArray) -> BoolArray:
    """Keep the largest part of the voxels unlike the background, filled; in their bounding box, which is faster."""
    box = ndimage.find_objects(differs.view(np.uint8))[0]
    outlined = np.zeros(differs.shape, dtype=bool)
    outlined[box] = _filled(largest_part(differs[box]))
    return outlined


def _without_erased(blob: BoolArray, erased: BoolArray) -> BoolArray:
    """Take from the blob the erased blocks that are connected with the outside, as a removed face is."""
    labels, _ = ndimage.label(np.pad(erased | ~blob, 1, constant_values=True))
    return blob & (labels != labels[0, 0, 0])[1:-1, 1:-1, 1:-1]


def _filled(mask: BoolArray) -> BoolArray:
    """Fill the holes that no path leads out of (by labels: much faster than `binary_fill_holes`)."""
    labels, _ = ndimage.label(np.pad(~mask, 1, constant_values=True))
    return (labels != labels[0, 0, 0])[1:-1, 1:-1, 1:-1]


def _filled_in_any_plane(mask: BoolArray) -> BoolArray:
    """Fill what is a hole in a slice of any direction: a cut head is open to the border of the field of view."""
    filled = mask.copy()
    for axis in range(3):
        in_plane = ndimage.generate_binary_structure(3, 1)
        in_plane[tuple(slice(0, 3, 2) if a == axis else slice(None) for a in range(3))] = False
        margins = [(0, 0) if a == axis else (1, 1) for a in range(3)]
        labels, _ = ndimage.label(np.pad(~mask, margins, constant_values=True), structure=in_plane)
        # The margin goes all around each plane, so its corner has the label of everything outside.
        outside = labels[tuple(slice(None) if a == axis else slice(1) for a in range(3))]
        filled |= (labels != outside)[tuple(slice(None) if a == axis else slice(1, -1) for a in range(3))]
    return filled


def _to_native(blob: BoolArray, shape: tuple[int, int, int]) -> BoolArray:
    """Interpolate a coarse mask linearly to the native grid and cut it at one half."""
    return np.asarray(interpolated_blocks(blob.astype(np.float32), shape) > 0.5)
