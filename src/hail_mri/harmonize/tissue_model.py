"""The model that names tissues, ready to harmonize: the style is the mean intensity of each tissue."""

import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hail_mri.errors import InputError
from hail_mri.harmonize.style_model import Reading, Style
from hail_mri.model.brain_interior import OUTSIDE_BRAIN, brain_interior
from hail_mri.model.denormals import flushed_denormals
from hail_mri.model.map_measures import MapMeasures, measure_map
from hail_mri.model.tissue_classes import WHITE_MATTER
from hail_mri.model.tissue_exchange import exchanged_means
from hail_mri.model.tissue_fit import TissueFit, fit_tissues
from hail_mri.model.tissue_masks import head_of, is_skull_stripped
from hail_mri.model.tissue_network import TissueNetwork
from hail_mri.model.tissue_style import TissueStyle
from hail_mri.preprocess.prepare import CEILING, LARGEST_LESION, Prepared
from hail_mri.preprocess.prepare import WHITE_MATTER as WHITE_MATTER_SCALED

PLAUSIBLE_WHITE_MATTER = (0.4, 2.5)  # its mean over what the scale was set by; else the map has not found it
SMALLEST_WHITE_MATTER = 0.02  # of the measured volume; with less the map has not found it
SOME_LESION = 0.1  # of a voxel; with more it does not tell how well tissues explain a scan
CLOSE = 0.12  # logarithm of the factor by which a scale may be wrong without a second look; learned scans vary by 0.07


@dataclass(frozen=True, kw_only=True)
class TissueReading(Reading[TissueStyle]):
    """What a tissue network sees in a scan.

    Attributes
    ----------
    fit : TissueFit
        The tissue map, fitted to the scan.
    measures : MapMeasures or None
        What the network's own map says of the scan as a whole; None if it has no brain.
    unexplained : float
        Root mean square of what the tissue map does not explain of the brain's intensities, of white matter.
    """

    fit: TissueFit
    measures: MapMeasures | None
    unexplained: float


class TissueModel:
    """A tissue network: the style is the mean intensity of each tissue.

    Parameters
    ----------
    network : TissueNetwork
    spacing : float
        Of the network grid, mm.
    device : torch.device
    """

    def __init__(self, network: TissueNetwork, spacing: float, device: torch.device) -> None:
        self.network = network.to(device).to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
        self.spacing, self.device = spacing, device
        self.stride = network.settings.stride

    @flushed_denormals()
    def read(self, prepared: Prepared) -> TissueReading:
        """Find the tissues of a prepared scan, and set its scale by its white matter."""
        prepared, volume, prior = self._look(prepared)
        # Of a region that was given, nobody can tell what is around it.
        skull_stripped = is_skull_stripped(prior.numpy(), prepared.weight) if prepared.is_whole else None
        if not skull_stripped:  # where all is erased but the brain, the head mask is exact
            prepared = prepared.with_head(head_of(prior.numpy(), self.spacing))
        measures = measure_map(prior.numpy(), prepared.weight, prepared.field_of_view, self.spacing)
        _require_brain_beside(prepared.lesion, measures)
        fit = fit_tissues(prior, volume, torch.from_numpy(prepared.measured), spacing=self.spacing)
        unexplained = _unexplained(fit, volume, measures, prepared.lesion)
        interior = None if measures is None else brain_interior(measures.brain, self.spacing)
        reading = TissueReading(
            prepared, fit.style, skull_stripped, interior, fit=fit, measures=measures, unexplained=unexplained
        )
        white_matter = fit.style.means[WHITE_MATTER] / WHITE_MATTER_SCALED
        if not _is_plausible(white_matter, fit.style.fractions[WHITE_MATTER]):
            return reading
        style = fit.style.scaled(1 / white_matter)
        return replace(reading, prepared=prepared.rescaled(white_matter), style=style, fit=replace(fit, style=style))

    def _look(self, prepared: Prepared) -> tuple[Prepared, Tensor, Tensor]:
        """Return the scan on a scale that suits the network, what the network sees, and its tissue map.

        Where the head mask was wrong, so is the scale that was read in it: the map finds white matter nevertheless, and
        the network looks again.
        """
        volume, prior = self._map(prepared)
        weight = torch.from_numpy(prepared.measured) * prior[WHITE_MATTER]
        certain = weight * prior[WHITE_MATTER] ** 3  # pure voxels
        white_matter = float((certain * volume).sum() / certain.sum().clamp(min=1e-6)) / WHITE_MATTER_SCALED
        share = float(weight.sum() / max(prepared.measured.sum(), 1e-6))
        if not _is_plausible(white_matter, share) or abs(math.log(white_matter)) < CLOSE:
            return prepared, volume, prior
        prepared = prepared.rescaled(white_matter)
        return prepared, *self._map(prepared)

    def _map(self, prepared: Prepared) -> tuple[Tensor, Tensor]:
        """Return what the network sees, (i, j, k), and its tissue map, (n_classes, i, j, k), on the CPU."""
        volume = torch.as_tensor(prepared.data)[None, None].to(self.device).clamp(max=CEILING)
        return volume[0, 0].cpu(), self.network.tissue_map(volume)[0].cpu()

    def predict(self, reading: TissueReading, style: TissueStyle) -> tuple[Tensor, Tensor]:
        """Return p and r, (i, j, k) each, on the CPU; both carry the scan's own receive bias field.

        What a map calls fat or blood deep in the brain is none: it stays as bright as it is, beside white matter.
        """
        fit = reading.fit
        own = torch.tensor(reading.style.means, dtype=torch.float64)
        wanted = exchanged_means(reading.style, style)
        mix = partial(torch.einsum, "kxyz,k->xyz", fit.tissue_map)
        p, r = (fit.field * mix(means.float()) for means in (wanted, own))
        if reading.interior is None:
            return p, r
        kept = torch.zeros_like(own)
        outside = list(OUTSIDE_BRAIN)
        kept[outside] = own[outside] * (wanted[WHITE_MATTER] / own[WHITE_MATTER]) - wanted[outside]
        return p + torch.from_numpy(reading.interior) * fit.field * mix(kept.float()), r

    def fits(self, style: Style) -> bool:
        """Return whether a style is one of tissues; they all have the same classes."""
        return isinstance(style, TissueStyle)

    def score(self, style: TissueStyle) -> None:  # noqa: ARG002
        """Return None: of tissues more can be said, see `check_style`."""
        return


def _unexplained(
    fit: TissueFit, volume: Tensor, measures: MapMeasures | None, lesion: NDArray[np.float32] | None
) -> float:
    """Return the root mean square of what a fit leaves of the brain's intensities, of white matter."""
    if measures is None:
        return 0.0
    brain = torch.from_numpy(measures.brain if lesion is None else measures.brain & (lesion < SOME_LESION))
    if not brain.any():
        return 0.0
    means = torch.tensor(fit.style.means)
    explained = fit.field[brain] * (means @ fit.tissue_map[:, brain])
    rest = (volume[brain] - explained).square().mean().sqrt()
    return float(rest) / max(fit.style.means[WHITE_MATTER], 1e-6)


def _require_brain_beside(lesion: NDArray[np.float32] | None, measures: MapMeasures | None) -> None:
    """Refuse a lesion that leaves too little of the brain to measure."""
    if lesion is None or measures is None:
        return
    share = float(lesion[measures.brain].mean())
    if share > LARGEST_LESION:
        raise InputError(
            f"the lesion mask covers {100 * share:.0f} % of the brain, expected at most {100 * LARGEST_LESION:.0f} %",
            hint="give a mask of the lesion alone, 1 inside and 0 outside",
        )


def _is_plausible(white_matter: float, fraction: float) -> bool:
    """Return whether a map has found white matter, by its mean over what the scale was set by, and its share."""
    low, high = PLAUSIBLE_WHITE_MATTER
    return low < white_matter < high and fraction > SMALLEST_WHITE_MATTER
