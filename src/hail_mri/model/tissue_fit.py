"""Fit a tissue map to the scan itself: what the network says of the tissues, what the intensities say, and the coil.

The network's tissue map is the *prior* of each voxel. A Gaussian mixture (a mean and a variance for each class) and a
smooth *receive bias field* are fitted to the scan by expectation maximization: the mixture's *posterior* is the prior
times the likelihood of a voxel's intensity. A network that has never seen a protocol still knows where tissues are; the
scan knows how bright they are. The mixture takes a voxel for whole that the network may know to be shared, so that the
map is a mean of both; and class means are read where both agree.

References
----------
Ashburner and Friston, NeuroImage 26:839 (2005): priors, mixture and bias field fitted in turns. Wells et al., IEEE TMI
15:429 (1996): the field as a smoothed, precision-weighted log ratio.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from hail_mri.image.separable import along_axes, gaussian_weights
from hail_mri.model.tissue_classes import BACKGROUND, BRAIN, GREY_MATTER, WHITE_MATTER
from hail_mri.model.tissue_style import TissueStyle, measure_tissue_style

# Large, and spread over the brain: a small tissue in its middle would take the brightening of the middle for its own.
FIELD_CLASSES = [WHITE_MATTER, GREY_MATTER]
FIELD_BLOCK = 4  # voxels along the edge of a block; the field is fitted to the means of blocks
POLYNOMIAL_SCALE = 100.0  # mm; the unit of length of the field's polynomial
POLYNOMIAL_RIDGE = 1e-3  # of the evidence, on its coefficients
SOME_EVIDENCE = 0.02  # of a block; the polynomial takes no value beyond those it has in such blocks
BRIGHTEST_AIR = 0.1  # on the [0, 1] scale; the air in a head is noise, whatever a map takes for it
DARKEST = 0.02  # on the [0, 1] scale; below it a logarithm says nothing
LARGEST_LOG = 0.7  # of a ratio that could be a coil's
IN_BRAIN, OUTSIDE_BRAIN = 0.5, 0.75  # how far the map goes from the prior to the mixture
LARGEST_MOVE = 0.5  # of the brain; the fit moves 0.24 to 0.30 of it in 22 simulated scans, 0.22 to 0.26 in 13 real ones
PIECE = 1 << 14  # voxels done at once
PRIOR_VARIANCE, PRIOR_VOXELS = 0.05**2, 50.0  # what the variance of a class is taken for, and how firmly


@dataclass(frozen=True)
class FitSettings:
    """How a map is fitted to a scan.

    Attributes
    ----------
    n_iterations : int
        Of expectation maximization; 0 leaves the network's map as it is.
    field_from : int
        Iteration from which the field is fitted, too.
    floor : float
        Least prior of a class that the network excludes.
    smallest_sigma : float
        Least standard deviation of a class, on the [0, 1] scale: noise and texture.
    field_mm : float
        Standard deviation of the Gaussian that smooths what a quadratic in space leaves of the field.
    field_evidence : float
        Share of a neighbourhood that must be grey or white matter, or the field is pulled to 1.
    """

    n_iterations: int = 10
    field_from: int = 3
    floor: float = 0.02
    smallest_sigma: float = 0.02
    field_mm: float = 20.0
    field_evidence: float = 0.02


@dataclass(frozen=True)
class TissueFit:
    """A tissue map that explains a scan.

    Attributes
    ----------
    tissue_map : (n_classes, I, J, K) Tensor
        Shares, adding up to 1.
    field : (I, J, K) Tensor
        Receive bias field, around 1 in the brain.
    style : TissueStyle
        Of the scan without its field.
    """

    tissue_map: Tensor
    field: Tensor
    style: TissueStyle


def fit_tissues(
    prior: Tensor, volume: Tensor, weight: Tensor, *, spacing: float, settings: FitSettings = FitSettings()
) -> TissueFit:
    """
    Fit a tissue map, class means and a receive bias field to a scan.

    Parameters
    ----------
    prior : (n_classes, I, J, K) Tensor
        The network's tissue map.
    volume, weight : (I, J, K) Tensor
        The scan on its [0, 1] scale, and where it is measured; edges are multiples of 4, and the weight is not 0
        everywhere.
    spacing : float
        mm.
    settings : FitSettings

    Returns
    -------
    fit : TissueFit
        Where the weight is 0, the prior, and a field that goes on smoothly. The prior everywhere, and no field, if the
        fit has run away from it: intensities refine a map, they do not overturn it.
    """
    inside = torch.nonzero(weight.flatten() > 0)[:, 0]
    values, w = volume.flatten()[inside], weight.flatten()[inside]
    inner = torch.index_select(prior.flatten(1), 1, inside)
    log_prior = torch.log((inner + settings.floor) / (1 + settings.floor * len(inner)))
    posterior, log_field, even = inner.clone(), torch.zeros_like(volume), values
    for iteration in range(settings.n_iterations):
        means, variances = _moments(posterior, even, w, first=iteration == 0, settings=settings)
        _expect(posterior, log_prior, even, means, variances)
        if iteration >= settings.field_from:
            evidence = _field_evidence(posterior, values, means, variances)
            log_field = _smooth_field(evidence, inside, weight, spacing, settings)
            even = values * torch.exp(-log_field.flatten()[inside])
    if _moved(inner, posterior, w) > LARGEST_MOVE:
        return TissueFit(prior, torch.ones_like(volume), measure_tissue_style(inner, values, w))
    whole = prior.flatten(1).index_copy(1, inside, _mixed(inner, posterior))
    style = measure_tissue_style(inner.mul_(posterior).sqrt_(), even, w)
    return TissueFit(whole.reshape(prior.shape), torch.exp(log_field), style)


def _mixed(prior: Tensor, posterior: Tensor) -> Tensor:
    """Return what network and mixture say together: as much of one as of the other in the brain, less outside it."""
    brain = prior[list(BRAIN)].sum(dim=0)
    return torch.lerp(prior, posterior, IN_BRAIN * brain + OUTSIDE_BRAIN * (1 - brain))


def _moved(prior: Tensor, posterior: Tensor, weight: Tensor) -> float:
    """Return how much of the brain has another tissue after the fit, relative to the brain before it."""
    brain = list(BRAIN)
    before = (prior[brain] * weight).sum()
    return float(((prior[brain] - posterior[brain]).abs() * weight).sum() / (2 * before).clamp(min=1e-6))


def _expect(posterior: Tensor, log_prior: Tensor, values: Tensor, means: Tensor, variances: Tensor) -> None:
    """Replace the posterior by what prior and intensity say together; in pieces that stay in the processor's cache."""
    precision, log_variance = 0.5 / variances[:, None], 0.5 * torch.log(variances)[:, None]
    for start in range(0, len(values), PIECE):
        piece = slice(start, start + PIECE)
        distance = values[piece] - means[:, None]
        logits = log_prior[:, piece] - log_variance - distance.square_().mul_(precision)
        posterior[:, piece] = torch.softmax(logits, dim=0)


def _moments(
    posterior: Tensor, values: Tensor, weight: Tensor, *, first: bool, settings: FitSettings
) -> tuple[Tensor, Tensor]:
    """Return mean and variance of each class; a network's map is of mixed voxels, the mixture's of whole ones."""
    powers = torch.stack([weight, weight * values, weight * values**2], dim=1).double()
    sums = torch.zeros(len(posterior), 3, dtype=torch.float64)
    for start in range(0, len(values), PIECE):
        sums += posterior[:, start : start + PIECE].double() @ powers[start : start + PIECE]
    total, weighted, squared = sums.unbind(dim=1)
    if first:
        means = torch.tensor(measure_tissue_style(posterior, values, weight).means, dtype=torch.float64)
    else:
        means = (weighted + 1e-6) / (total + 1e-6)
    means[BACKGROUND] = means[BACKGROUND].clamp(max=BRIGHTEST_AIR)
    squares = (squared - 2 * means * weighted + means**2 * total).clamp(min=0)
    variances = (squares + PRIOR_VOXELS * PRIOR_VARIANCE) / (total + PRIOR_VOXELS)
    return means.to(values.dtype), variances.clamp(min=settings.smallest_sigma**2).to(values.dtype)


def _field_evidence(posterior: Tensor, values: Tensor, means: Tensor, variances: Tensor) -> Tensor:
    """Return what each voxel says of the log field, times how much it has to say (0 to about 1), and that, (2, n)."""
    precision = torch.zeros_like(means)
    precision[FIELD_CLASSES] = variances[FIELD_CLASSES].min() / variances[FIELD_CLASSES]
    total, weighted = torch.stack([precision, precision * means]) @ posterior
    expected = weighted / total.clamp(min=1e-6)
    ratio = torch.log(values.clamp(min=DARKEST) / expected.clamp(min=DARKEST)).clamp(-LARGEST_LOG, LARGEST_LOG)
    trust = total * (expected / means[WHITE_MATTER]) ** 2
    return torch.stack([trust * ratio, trust])


def _smooth_field(evidence: Tensor, inside: Tensor, weight: Tensor, spacing: float, settings: FitSettings) -> Tensor:
    """Return the log field, (I, J, K): 0 on average where there is evidence, and 0 far away from it."""
    sums = torch.zeros(2, *weight.shape, dtype=evidence.dtype, device=evidence.device)
    sums.flatten(1).index_copy_(1, inside, evidence)
    ratios, trust = F.avg_pool3d(sums[None], FIELD_BLOCK)[0]
    total, edge = trust.sum().clamp(min=1e-6), spacing * FIELD_BLOCK
    # A Gaussian alone flattens what a coil and a head do to a scan, bright in the middle and dark at the rim.
    polynomial = _polynomial(ratios, trust, edge)
    polynomial = polynomial - (trust * polynomial).sum() / total
    rest, near = _gaussian(torch.stack([ratios - trust * polynomial, trust]), settings.field_mm / edge)
    field = (rest + near * polynomial) / (near + settings.field_evidence)
    field = field - (trust * field).sum() / total
    return F.interpolate(field[None, None], scale_factor=FIELD_BLOCK, mode="trilinear")[0, 0]


def _polynomial(ratios: Tensor, trust: Tensor, edge: float) -> Tensor:
    """Fit a quadratic in space to ratios / trust, weighted by trust, on blocks of an edge in mm."""
    steps = [torch.arange(n, dtype=torch.float64, device=trust.device) * edge / POLYNOMIAL_SCALE for n in trust.shape]
    axes = torch.stack(torch.meshgrid(*steps, indexing="ij")).flatten(1)
    w = trust.flatten().double()
    x, y, z = axes - (axes @ w / w.sum().clamp(min=1e-6))[:, None]
    terms = torch.stack([torch.ones_like(x), x, y, z, x * x, y * y, z * z, x * y, x * z, y * z], dim=1)
    ridge = POLYNOMIAL_RIDGE * w.sum().clamp(min=1e-6) * torch.eye(terms.shape[1], dtype=w.dtype, device=w.device)
    normal = terms.T @ (terms * w[:, None]) + ridge
    values = (terms @ torch.linalg.solve(normal, terms.T @ ratios.flatten().double())).reshape(trust.shape)
    known = trust > SOME_EVIDENCE
    if not known.any():
        return torch.zeros_like(trust)
    return values.clamp(values[known].min(), values[known].max()).to(trust.dtype)


def _gaussian(volumes: Tensor, sigma: float) -> Tensor:
    """Smooth volumes (n, i, j, k) with a Gaussian that adds up to 1; beyond the grid is nothing."""
    return along_axes(volumes, [torch.from_numpy(gaussian_weights(n, sigma)).to(volumes) for n in volumes.shape[1:]])
