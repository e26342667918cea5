"""A perfect network: what every form of the transfer could do if p were the truth and r the source.

The drawings are the truth and the source themselves, averaged over the voxels of the working grid, so that whatever is
missing to the truth is missing by the transfer.

References
----------
He, Sun, Tang, IEEE TPAMI 35:1397 (2013): the guided filter, of which the local affine form is the Gaussian one.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hail_mri.harmonize.transfer import TransferSettings, fit_curves, read_curves, settings_for, transfer
from hail_mri.image.scales import LinearScale
from hail_mri.image.separable import along_axes
from hail_mri.image.volume import Volume
from hail_mri.preprocess.prepare import Prepared, prepare

STRIDE = 8  # of the shipped network; the working grid's edges are multiples of it

AFFINE_RADIUS = 1.5  # of the Gaussian neighbourhood, voxels of the working grid
AFFINE_RIDGE = 1e-3  # added to variance and covariance: where nothing varies, the slope is 1
STEEPEST = 4.0


@dataclass(frozen=True)
class Drawings:
    """What a form of the transfer gets: the source, and a perfect network's drawings of it.

    Attributes
    ----------
    prepared : Prepared
        The source.
    scaled : (I, J, K) Tensor
        The source on its [0, 1] scale, native grid.
    p, r, weight, air : (i, j, k) Tensor
        As `transfer` wants them.
    target_scale : LinearScale
        The truth's.
    """

    prepared: Prepared
    scaled: Tensor
    p: Tensor
    r: Tensor
    weight: Tensor
    air: Tensor
    target_scale: LinearScale


Form = Callable[[Drawings], Tensor]  # returns the harmonized scan on the target's [0, 1] scale, (I, J, K)


def perfect_drawings(source: Volume, truth: Volume, *, spacing: float) -> Drawings:
    """Draw source and truth on the working grid.

    Parameters
    ----------
    source, truth : Volume
        On one grid with its axes in the order R, A, S.
    spacing : float
        Of the working grid, mm.
    """
    prepared = prepare(source, spacing=spacing, stride=STRIDE)
    target_scale = prepare(truth, spacing=spacing, stride=STRIDE).scale
    p = along_axes(target_scale.apply(truth.data), prepared.to_working)
    scaled = prepared.scale.apply(prepared.canonical.data)
    r, weight, air = (torch.from_numpy(a) for a in (prepared.data, prepared.weight, prepared.air))
    return Drawings(prepared, torch.from_numpy(scaled), torch.from_numpy(p), r, weight, air, target_scale)


def finish(drawings: Drawings, harmonized: Tensor) -> Volume:
    """Return the scan in the truth's units, nothing darker than 0, as harmonization does.

    Parameters
    ----------
    drawings : Drawings
    harmonized : (I, J, K) Tensor
        On the target's [0, 1] scale.
    """
    data = np.maximum(harmonized.numpy(), np.minimum(drawings.scaled.numpy(), 0))
    return drawings.prepared.canonical.with_data(drawings.target_scale.invert(data))


def residual(drawings: Drawings) -> Tensor:
    """Add the difference of the drawings: h = s + up(p - r)."""
    return drawings.scaled + _up(drawings, drawings.p - drawings.r)


def local_affine(drawings: Drawings) -> Tensor:
    """Fit p = a r + b in every neighbourhood: h = up(a) s + up(b), 0 <= a."""
    p, r = drawings.p, drawings.r
    mean_p, mean_r = _mean_around(p, drawings), _mean_around(r, drawings)
    variance = _mean_around(r * r, drawings) - mean_r**2
    covariance = _mean_around(r * p, drawings) - mean_r * mean_p
    slope = ((covariance + AFFINE_RIDGE) / (variance + AFFINE_RIDGE)).clamp(0, STEEPEST)
    offset = mean_p - slope * mean_r
    slope, offset = _mean_around(slope, drawings), _mean_around(offset, drawings)
    return _up(drawings, slope) * drawings.scaled + _up(drawings, offset)


def local_curve(drawings: Drawings) -> Tensor:
    """Apply the local monotone curves alone."""
    settings = TransferSettings()
    curves = fit_curves(drawings.p, drawings.r, drawings.weight, settings)
    to_native = [torch.from_numpy(matrix) for matrix in drawings.prepared.to_native]
    return drawings.scaled + read_curves(curves, drawings.scaled, to_native, settings.ceiling)


def curve_and_correction(drawings: Drawings) -> Tensor:
    """Apply the transfer as harmonization does: local monotone curves, then the smooth correction."""
    d, to_working, to_native = drawings, drawings.prepared.to_working, drawings.prepared.to_native
    settings = settings_for(float(drawings.prepared.grid.spacing[0]))
    return d.scaled + transfer(
        d.scaled, d.p, d.r, d.weight, d.air, to_working=to_working, to_native=to_native, settings=settings
    )


def _up(drawings: Drawings, coarse: Tensor) -> Tensor:
    """Interpolate to the native grid."""
    return torch.from_numpy(along_axes(coarse.numpy(), drawings.prepared.to_native))


def _mean_around(volume: Tensor, drawings: Drawings) -> Tensor:
    """Average over a Gaussian neighbourhood, weighted by the head."""
    from scipy.ndimage import gaussian_filter

    sums, weights = (
        gaussian_filter(values.numpy(), AFFINE_RADIUS, mode="constant")
        for values in (volume * drawings.weight, drawings.weight)
    )
    return torch.from_numpy(sums / (weights + 1e-6))
