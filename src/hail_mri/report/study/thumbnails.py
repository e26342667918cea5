"""Small pictures of scans: the middle slice of the brain, seen from above with the patient's left at the left."""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hail_mri.image.orientation import to_canonical
from hail_mri.image.volume import Volume
from hail_mri.report.study.measures import Box

WHITE_POINT = 1.4  # of white matter: what is shown white, so that fat and vessels do not make the brain dark
DARK, BRIGHT = 1.0, 99.5  # percentiles of a slice, where white matter is not known
MARGIN = 0.06  # around the brain, of its size
SMALLEST_WIDTH = 1e-30  # of a window, where a slice is the same everywhere
QUALITY = 80  # of JPEG


@dataclass(frozen=True)
class Window:
    """The intensities that are shown black and white, in the scan's units."""

    low: float
    high: float


def white_matter_window(white_matter: float) -> Window:
    """Return the window that shows white matter of this intensity light grey."""
    return Window(0.0, WHITE_POINT * white_matter)


def middle_slice(volume: Volume, box: Box | None) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """
    Cut the middle slice of the brain out of a scan.

    Parameters
    ----------
    volume : Volume
    box : (i, i, j, j, k) tuple of int, or None
        Where the brain is, in canonical axes; the whole slice in the middle of the scan without it.

    Returns
    -------
    picture : (rows, columns) ndarray of float32
        From the front down, and from the patient's left to the right.
    spacing : (float, float) tuple
        Of rows and columns, mm.
    """
    canonical = to_canonical(volume)
    size_i, size_j, size_k = canonical.shape
    i0, i1, j0, j1, k = box if box is not None else (0, size_i - 1, 0, size_j - 1, size_k // 2)
    margin = 0 if box is None else round(MARGIN * max(i1 - i0, j1 - j0))
    across_brain = slice(max(i0 - margin, 0), i1 + margin + 1)
    along_brain = slice(max(j0 - margin, 0), j1 + margin + 1)
    part = canonical.data[across_brain, along_brain, min(k, size_k - 1)]
    across, along, _ = canonical.spacing
    return part.T[::-1], (float(along), float(across))


def jpeg(picture: NDArray[np.floating], spacing: tuple[float, float], window: Window | None, *, size: int) -> bytes:
    """
    Return a slice as a square JPEG, black where it is not as wide as high.

    Parameters
    ----------
    picture : (rows, columns) ndarray
    spacing : (float, float) tuple
        Of rows and columns, mm.
    window : Window or None
        None for the slice's own percentiles.
    size : int
        Of each edge, pixels.
    """
    from PIL import Image

    if window is None:
        low, high = np.percentile(picture, (DARK, BRIGHT))
        window = Window(float(low), float(high))
    width = max(window.high - window.low, SMALLEST_WIDTH)
    grey = np.rint(255 * np.clip((picture - window.low) / width, 0, 1)).astype(np.uint8)
    height_mm, width_mm = picture.shape[0] * spacing[0], picture.shape[1] * spacing[1]
    scale = size / max(height_mm, width_mm)
    shape = max(round(width_mm * scale), 1), max(round(height_mm * scale), 1)
    canvas = Image.new("L", (size, size))
    part = Image.fromarray(grey).resize(shape, Image.Resampling.LANCZOS)
    canvas.paste(part, ((size - shape[0]) // 2, (size - shape[1]) // 2))
    stream = io.BytesIO()
    canvas.save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()
