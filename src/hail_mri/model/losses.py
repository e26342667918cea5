"""The losses of the paper and the supervised one, as functions of tensors.

Distances between features are mean squared errors, as in Huang and Belongie (eq. 12 and 13); distances between volumes
are L1 + (1 - SSIM), in equal parts, as in the paper (section 2.1).

References
----------
Parida et al., HAIL, 2023, section 2.1. Huang and Belongie, ICCV 2017. Wang et al., IEEE TIP 13:600 (2004): SSIM.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from hail_mri.image.separable import along_axes
from hail_mri.model.adain import Statistics

HUBER_DELTA = 0.2  # of the [0, 1] range
SSIM_SIGMA = 1.5  # voxels, of the Gaussian window
SSIM_WINDOW = 7  # voxels; short, because training volumes are coarse
SSIM_C1, SSIM_C2 = 0.01**2, 0.03**2  # for a data range of 1


def reconstruction_loss(reconstruction: Tensor, volume: Tensor) -> Tensor:
    """
    Return L1 + (1 - SSIM) between two volumes on a [0, 1] scale, batch mean.

    Parameters
    ----------
    reconstruction, volume : (B, 1, I, J, K) Tensor
    """
    return F.l1_loss(reconstruction, volume) + 1 - structural_similarity(reconstruction, volume).mean()


def structural_similarity(a: Tensor, b: Tensor) -> Tensor:
    """
    Return the mean SSIM of each pair of volumes, where the window fits, (B,).

    Parameters
    ----------
    a, b : (B, 1, I, J, K) Tensor
        On a [0, 1] scale.

    Notes
    -----
    The same number as MONAI's `SSIMLoss` (window 7, sigma 1.5), which filters with the whole 3-D window; three
    one-dimensional passes are what makes it affordable in every step of a training on a CPU. It is computed in single
    precision also under autocast: a variance is the small difference of two large numbers, and bfloat16 loses it.
    """
    with torch.autocast(a.device.type, enabled=False):
        return _structural_similarity(a.float(), b.float())


def _structural_similarity(a: Tensor, b: Tensor) -> Tensor:
    """Return the mean SSIM of each pair, in the precision of the volumes."""
    mean_a, mean_b = _windowed(a), _windowed(b)
    variance_a, variance_b = _windowed(a * a) - mean_a**2, _windowed(b * b) - mean_b**2
    covariance = _windowed(a * b) - mean_a * mean_b
    contrast = (2 * covariance + SSIM_C2) / (variance_a + variance_b + SSIM_C2)
    luminance = (2 * mean_a * mean_b + SSIM_C1) / (mean_a**2 + mean_b**2 + SSIM_C1)
    return (contrast * luminance).mean(dim=(1, 2, 3, 4))


def _windowed(volume: Tensor) -> Tensor:
    """Average with the Gaussian window where it fits; one banded matrix an axis."""
    return along_axes(volume, [_window_matrix(n).to(volume) for n in volume.shape[2:]])


@functools.cache
@torch.inference_mode(mode=False)  # kept for training steps, also when a validation step is the first to ask
def _window_matrix(n: int) -> Tensor:
    """Return the (n - window + 1, n) matrix of a Gaussian window along an axis."""
    taps = torch.exp(-0.5 * ((torch.arange(SSIM_WINDOW) - SSIM_WINDOW // 2) / SSIM_SIGMA) ** 2)
    rows = torch.arange(n - SSIM_WINDOW + 1)
    matrix = torch.zeros(len(rows), n)
    for offset, tap in enumerate((taps / taps.sum()).tolist()):
        matrix[rows, rows + offset] = tap
    return matrix


def consistency_loss(reconstruction: Tensor, volume: Tensor) -> Tensor:
    """
    Return how far a volume moves when its target is the volume itself: L1 + (1 - SSIM).

    Parameters
    ----------
    reconstruction, volume : (B, 1, I, J, K) Tensor
        D(AdaIN(E(x), E(x))) and x.
    """
    return reconstruction_loss(reconstruction, volume)


def content_loss(predicted: Tensor, wanted: Tensor) -> Tensor:
    """
    Return the distance of the deepest features of a prediction from those wanted.

    Parameters
    ----------
    predicted : (B, C, i, j, k) Tensor
        E(p).
    wanted : (B, C, i, j, k) Tensor
        The AdaIN output (Huang and Belongie), or E(source).
    """
    return F.mse_loss(predicted, wanted)


def style_loss(predicted: Sequence[Statistics], style: Sequence[Statistics]) -> Tensor:
    """
    Return the distance of the styles of two volumes, summed over the stages.

    Parameters
    ----------
    predicted, style : sequence of Statistics
        One a stage, each (B, C).
    """
    terms = [F.mse_loss(a.mean, b.mean) + F.mse_loss(a.std, b.std) for a, b in zip(predicted, style, strict=True)]
    return sum(terms[1:], start=terms[0])


def supervised_loss(harmonized: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """
    Return the weighted mean of |e| + 20 H(e), H the Huber loss that is e²/2 up to `HUBER_DELTA` and linear beyond.

    L1 wants the median right, e² is what PSNR counts, and the linear end keeps bright fat from drowning the brain.

    Parameters
    ----------
    harmonized, truth : (B, 1, I, J, K) Tensor
        On the target's [0, 1] scale. The factor makes L1 and e² equal at an error of a tenth of the range.
    weight : (B, 1, I, J, K) Tensor
        At least 0.
    """
    absolute = F.l1_loss(harmonized, truth, reduction="none")
    squared = F.huber_loss(harmonized, truth, reduction="none", delta=HUBER_DELTA)
    return ((absolute + 20 * squared) * weight).sum() / weight.sum()
