"""A perfect network: what every form of the transfer could do if p were the truth and r the source.

The predictions are the truth and the source themselves, averaged over the voxels of the network grid, so that whatever
is missing to the truth is missing by the transfer.

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

STRIDE = 8  # of the shipped network; the network grid's edges are multiples of it

AFFINE_RADIUS = 1.5  # of the Gaussian neighbourhood, voxels of the network grid
AFFINE_RIDGE = 1e-3  # added to variance and covariance: where nothing varies, the slope is 1
STEEPEST = 4.0


@dataclass(frozen=True)
class PerfectPredictions:
    """What a form of the transfer gets: the source, and a perfect network's predictions of it.

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


Form = Callable[[PerfectPredictions], Tensor]  # returns the harmonized scan on the target's [0, 1] scale, (I, J, K)


def perfect_predictions(source: Volume, truth: Volume, *, spacing: float) -> PerfectPredictions:
    """Draw source and truth on the network grid.

    Parameters
    ----------
    source, truth : Volume
        On one grid with its axes in the order R, A, S.
    spacing : float
        Of the network grid, mm.
    """
    prepared = prepare(source, spacing=spacing, stride=STRIDE)
    target_scale = prepare(truth, spacing=spacing, stride=STRIDE).scale
    p = along_axes(target_scale.apply(truth.data), prepared.to_network)
    scaled = prepared.scale.apply(prepared.canonical.data)
    r, weight, air = (torch.from_numpy(a) for a in (prepared.data, prepared.weight, prepared.background))
    return PerfectPredictions(prepared, torch.from_numpy(scaled), torch.from_numpy(p), r, weight, air, target_scale)


def finish(predictions: PerfectPredictions, harmonized: Tensor) -> Volume:
    """Return the scan in the truth's units, nothing darker than 0, as harmonization does.

    Parameters
    ----------
    predictions : PerfectPredictions
    harmonized : (I, J, K) Tensor
        On the target's [0, 1] scale.
    """
    data = np.maximum(harmonized.numpy(), np.minimum(predictions.scaled.numpy(), 0))
    return predictions.prepared.canonical.with_data(predictions.target_scale.invert(data))


def residual(predictions: PerfectPredictions) -> Tensor:
    """Add the difference of the predictions: h = s + up(p - r)."""
    return predictions.scaled + _up(predictions, predictions.p - predictions.r)


def local_affine(predictions: PerfectPredictions) -> Tensor:
    """Fit p = a r + b in every neighbourhood: h = up(a) s + up(b), 0 <= a."""
    p, r = predictions.p, predictions.r
    mean_p, mean_r = _mean_around(p, predictions), _mean_around(r, predictions)
    variance = _mean_around(r * r, predictions) - mean_r**2
    covariance = _mean_around(r * p, predictions) - mean_r * mean_p
    slope = ((covariance + AFFINE_RIDGE) / (variance + AFFINE_RIDGE)).clamp(0, STEEPEST)
    offset = mean_p - slope * mean_r
    slope, offset = _mean_around(slope, predictions), _mean_around(offset, predictions)
    return _up(predictions, slope) * predictions.scaled + _up(predictions, offset)


def local_curve(predictions: PerfectPredictions) -> Tensor:
    """Apply the local monotone curves alone."""
    settings = TransferSettings()
    curves = fit_curves(predictions.p, predictions.r, predictions.weight, settings)
    to_native = [torch.from_numpy(matrix) for matrix in predictions.prepared.to_native]
    return predictions.scaled + read_curves(curves, predictions.scaled, to_native, settings.ceiling)


def curve_and_correction(predictions: PerfectPredictions) -> Tensor:
    """Apply the transfer as harmonization does: local monotone curves, then the smooth correction."""
    d, to_network, to_native = predictions, predictions.prepared.to_network, predictions.prepared.to_native
    settings = settings_for(float(predictions.prepared.grid.spacing[0]))
    return d.scaled + transfer(
        d.scaled, d.p, d.r, d.weight, d.air, to_network=to_network, to_native=to_native, settings=settings
    )


def _up(predictions: PerfectPredictions, coarse: Tensor) -> Tensor:
    """Interpolate to the native grid."""
    return torch.from_numpy(along_axes(coarse.numpy(), predictions.prepared.to_native))


def _mean_around(volume: Tensor, predictions: PerfectPredictions) -> Tensor:
    """Average over a Gaussian neighbourhood, weighted by the head."""
    from scipy.ndimage import gaussian_filter

    sums, weights = (
        gaussian_filter(values.numpy(), AFFINE_RADIUS, mode="constant")
        for values in (volume * predictions.weight, predictions.weight)
    )
    return torch.from_numpy(sums / (weights + 1e-6))
