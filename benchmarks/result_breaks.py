"""Ways to break a result that the checks of results have to tell."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hail_mri.image.orientation import orient_like, to_canonical
from hail_mri.image.scales import LinearScale
from hail_mri.image.volume import Volume
from hail_mri.preprocess.prepare import WHITE_MATTER

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]

OFF_MIDDLE = (18.0, 12.0, 15.0)  # mm from the brain's middle to where something is put in
LESION_RADIUS = 8.0  # mm
TEXTURE = np.float32(0.1)  # of what was there before, in a lesion


def breaks(result: Volume, scale: LinearScale, brain: Mask) -> Iterator[tuple[str, Volume]]:
    """Yield a result, broken in one way after the other; all on the [0, 1] scale, where white matter is 0.6."""
    canonical = to_canonical(result)
    scaled = scale.apply(canonical.data)
    distance = _distance(canonical, brain)
    for way, data in _broken(scaled, distance, canonical.spacing).items():
        yield way, _back(canonical.with_data(scale.invert(data.astype(np.float32))), result)
    moved = result.affine.copy()
    moved[0, 3] += 0.5
    yield "moved by 0.5 mm", Volume(result.data, moved, result.header)
    if result.header is not None:
        header = result.header.copy()
        header["sform_code"] = 4 if int(header["sform_code"]) != 4 else 1
        yield "another sform code", Volume(result.data, result.affine, header)
    yield "one voxel below 0", result.with_data(_with_one(result.data, scale.low - 0.2 * (scale.high - scale.low)))


def _broken(scaled: Array, distance: Array, spacing: NDArray[np.float64]) -> dict[str, Array]:
    """Return what was made of a result on the [0, 1] scale, by name."""
    rng = np.random.default_rng(0)
    pasted = {
        f"a ball of {radius} mm, {value:+g} of white matter": scaled + np.float32(0.6 * value) * (distance < radius)
        for radius in (3, 5, 8)
        for value in (-0.25, 0.25, 0.5)
    }
    blurred = {
        f"blurred by {sigma:g} mm": ndimage.gaussian_filter(scaled, sigma / spacing) for sigma in (0.7, 1.0, 2.0)
    }
    return (
        pasted
        | {"a smooth spot of 6 mm, +0.5": scaled + 0.3 * np.exp(-((distance / 6) ** 2) / 2)}
        | blurred
        | {
            "clipped at 0.9 of white matter": np.minimum(scaled, 0.54),
            "clipped at 1.2 of white matter": np.minimum(scaled, 0.72),
            "dark end cut off at 0.4": np.maximum(scaled, 0.24),
            "contrast flipped": np.where(scaled > 0.05, np.maximum(0.9 - scaled, 0), scaled),
            "grey matter as bright as white": np.interp(scaled, (0, 0.35, 0.45, 0.6, 1.5), (0, 0.35, 0.58, 0.58, 1.5)),
            "moved by a voxel, not the header": np.roll(scaled, 1, axis=0),
            "left and right exchanged": np.flip(scaled, axis=0),
            "noise of 5 % of white matter": scaled + rng.normal(0, 0.03, scaled.shape),
            "0.1 of white matter subtracted": scaled - 0.06,
        }
    )


def with_lesion(scan: Volume, scale: LinearScale, brain: Mask, contrast: float) -> tuple[Volume, Volume]:
    """Put a lesion into a scan; return the scan and the mask of the lesion.

    Parameters
    ----------
    scan : Volume
    scale : LinearScale
        Of the scan.
    brain : (I, J, K) bool ndarray
        In canonical axes.
    contrast : float
        Of the lesion to white matter, on the [0, 1] scale; a little of what was there stays, and at its rim all within
        a voxel.
    """
    canonical = to_canonical(scan)
    distance = _distance(canonical, brain)
    share = np.clip((LESION_RADIUS - distance) / canonical.spacing.max() + 0.5, 0, 1).astype(np.float32)
    level = np.float32(scale.low + (WHITE_MATTER + contrast) * (scale.high - scale.low))
    spoilt = canonical.data + (1 - TEXTURE) * share * (level - canonical.data)
    mask = canonical.with_data(share > 0.5)
    return _back(canonical.with_data(spoilt), scan), _back(mask, scan)


def lesion_breaks(result: Volume, mask: Volume, brain: Mask) -> Iterator[tuple[str, Volume]]:
    """Yield a result whose lesion was lost, turned round, shrunk or half faded."""
    canonical = to_canonical(result)
    distance = _distance(canonical, brain)
    inside = to_canonical(mask).data > 0.5
    around = (distance < LESION_RADIUS + 6) & ~ndimage.binary_dilation(inside)
    mean = float(canonical.data[around].mean())
    for way, share, where in (
        ("lesion erased", 0.0, inside),
        ("lesion turned round", -1.0, inside),
        ("lesion faded to a half", 0.5, inside),
        ("lesion shrunk to 5 mm", 0.0, inside & (distance > 5)),
    ):
        data = np.where(where, mean + share * (canonical.data - mean), canonical.data)
        yield way, _back(canonical.with_data(data), result)


def _distance(canonical: Volume, brain: Mask) -> Array:
    """Return the distance of every voxel from a place beside the brain's middle, mm."""
    middle = [np.flatnonzero(brain.any(axis=tuple({0, 1, 2} - {axis}))).mean() for axis in range(3)]
    steps = [
        (np.arange(n) - at) * step - off
        for n, at, step, off in zip(canonical.shape, middle, canonical.spacing, OFF_MIDDLE, strict=True)
    ]
    return np.sqrt(sum(axis**2 for axis in np.meshgrid(*steps, indexing="ij"))).astype(np.float32)


def _with_one(data: Array, value: float) -> Array:
    """Return data with another value in its middle."""
    spoilt = data.copy()
    spoilt[tuple(n // 2 for n in data.shape)] = value
    return spoilt


def _back(canonical: Volume, like: Volume) -> Volume:
    """Return a volume in the axes of another, with its header."""
    return like.with_data(orient_like(canonical, like.grid).data)
