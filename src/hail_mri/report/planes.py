"""Pictures of a scan in three planes through one place, all of one size in mm, whatever the voxels are.

Pictures are *neurological*: the patient's left is on the left. Front or top is up; in the sagittal plane front is on
the right. Oblique scans are shown along their own axes.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from hail_mri.report.blocks import Picture

PLANES = {"axial": 2, "coronal": 1, "sagittal": 0}  # name, and the axis (RAS+) it is perpendicular to
FIELD = (190.0, 230.0, 200.0)  # mm around the place, along R, A, S: the brain with its skull
PIXEL = 0.9  # mm
WINDOW = (0.0, 130.0)  # percent of white matter: what is black and what is white
OUTLINE = (240, 228, 66)  # yellow, which both grey and people of any colour vision leave visible
DARKER, BRIGHTER = (86, 180, 233), (230, 159, 0)  # sky blue and orange
ORIENTATION = "The patient's left is on the left; in sagittal planes front is on the right."

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Place:
    """Where three planes cut a grid, its voxel sizes, and how much is shown around it.

    Attributes
    ----------
    voxel : tuple of float
        (i, j, k), canonical axes.
    spacing : tuple of float
        mm.
    field : tuple of float
        What is shown around it, mm along R, A, S.
    pixel : float
        mm.
    """

    voxel: tuple[float, ...]
    spacing: tuple[float, ...]
    field: tuple[float, float, float] = FIELD
    pixel: float = PIXEL

    @classmethod
    def of(cls, voxel: Sequence[float], spacing: ArrayLike) -> "Place":
        """Return a place from any numbers."""
        return cls(tuple(map(float, voxel)), tuple(np.asarray(spacing, dtype=float).tolist()))


def slice_at(data: NDArray[np.generic], place: Place, axis: int, *, order: int = 1) -> NDArray[np.float32]:
    """
    Return one plane as it is shown, rows from top to bottom.

    Parameters
    ----------
    data : (I, J, K) array
        Canonical axes.
    place : Place
    axis : int
        That the plane is perpendicular to.
    order : int
        1 interpolates linearly, 0 takes the nearest voxel, as for labels. Beyond the scan it is 0.
    """
    across, up = (a for a in range(3) if a != axis)
    index = int(np.clip(round(place.voxel[axis]), 0, data.shape[axis] - 1))
    plane = np.take(data, index, axis=axis).astype(np.float32)
    places = []
    for a in (across, up):
        n_pixels = round(place.field[a] / place.pixel)
        places.append(place.voxel[a] + (np.arange(n_pixels) - (n_pixels - 1) / 2) * place.pixel / place.spacing[a])
    grid = np.stack(np.meshgrid(*places, indexing="ij"))
    shown = ndimage.map_coordinates(plane, grid, order=order, mode="constant", cval=0.0, output=np.float32)
    return np.ascontiguousarray(shown.T[::-1])


def grey(values: NDArray[np.floating], window: tuple[float, float] = WINDOW) -> Image:
    """Return grey values, (height, width): black at one end of the window, white at the other."""
    low, high = window
    return np.rint(255 * np.clip((values - low) / (high - low), 0, 1)).astype(np.uint8)


def two_colours(values: NDArray[np.floating], most: float) -> Image:
    """Return changes as colours on black, (height, width, 3): sky blue where it got darker, orange where brighter."""
    share = np.clip(values / most, -1, 1)[..., None]
    colours = np.where(share < 0, np.array(DARKER), np.array(BRIGHTER))
    return np.rint(np.abs(share) * colours).astype(np.uint8)


def outlined(image: Image, mask: NDArray[np.bool_]) -> Image:
    """Return a grey picture with the outline of a mask in yellow, just outside of it, (height, width, 3)."""
    rim = ndimage.binary_dilation(mask) & ~mask
    coloured = np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image.copy()
    coloured[rim] = OUTLINE
    return coloured


def as_picture(image: Image, alt: str) -> Picture:
    """Return a picture with its description; the same bytes for the same picture."""
    from PIL import Image as Pillow

    stream = io.BytesIO()
    Pillow.fromarray(image).save(stream, format="PNG", optimize=True)
    return Picture(stream.getvalue(), image.shape[1], image.shape[0], alt)
