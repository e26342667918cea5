"""Segment: a scan goes in, its tissues come out, on the scan's own grid, with their volumes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from hail_mri.errors import InputError
from hail_mri.harmonize.check import Check
from hail_mri.harmonize.checks import check_reading
from hail_mri.harmonize.models import load_style_model
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.harmonize.tissue_model import TissueModel, TissueReading
from hail_mri.image.mask import MASK_THRESHOLD
from hail_mri.image.orientation import orient_like, to_canonical
from hail_mri.image.volume import Volume
from hail_mri.model.threads import limit_threads
from hail_mri.model.tissue_classes import BACKGROUND, TISSUE_CLASSES
from hail_mri.model.tissue_masks import brain_mask
from hail_mri.preprocess.prepare import prepare
from hail_mri.segmentation.native import NativePriors, class_deviations, native_mask, native_probabilities

_DEFAULTS = HarmonizeSettings()
ML_PER_MM3 = 1e-3


@dataclass(frozen=True)
class Segmentation:
    """The tissues of a scan.

    Attributes
    ----------
    labels : Volume
        Most probable tissue of each voxel, an index into `TISSUE_CLASSES`; 0 is background.
    probabilities : (n_classes, I, J, K) ndarray of uint8, or None
        On the scan's own grid, 255 is 1; None unless asked for.
    brain_mask : Volume
        1 in the brain and the fluid around it, 0 elsewhere.
    volumes_ml : dict of str to float
        Volume of each tissue, the probabilities added up; without the background.
    brain_volume_ml : float
        Of the brain mask.
    skull_stripped : bool or None
        Whether the scan has next to nothing but a brain; None if a brain mask was given.
    checks : tuple of Check
        Whether the scan is one that the model can be believed on.
    """

    labels: Volume
    probabilities: NDArray[np.uint8] | None
    brain_mask: Volume
    volumes_ml: dict[str, float]
    brain_volume_ml: float
    skull_stripped: bool | None
    checks: tuple[Check, ...] = ()


@torch.inference_mode()
def segment(
    scan: Volume,
    *,
    model: str | Path = _DEFAULTS.model,
    brain_region: Volume | None = None,
    keep_probabilities: bool = False,
    threads: int | None = _DEFAULTS.threads,
) -> Segmentation:
    """
    Find the tissues of a T1-weighted scan.

    Parameters
    ----------
    scan : Volume
    model : str or Path
        A released tissue model's name, or the path of weights.
    brain_region : Volume, optional
        A brain mask to trust, above 0.5 inside, on the scan's grid: all that the network sees. Outside it all is
        background.
    keep_probabilities : bool
        Whether the probabilities of all tissues are kept, n_classes bytes a voxel.
    threads : int, optional
        CPU threads for the whole process; torch's choice without it.

    Raises
    ------
    InputError, MissingFileError
        If the scan or mask cannot be prepared, no brain is found, or the model cannot be read or names no tissues.
    """
    reading = _read(scan, model, brain_region, threads)
    prepared, fit = reading.prepared, reading.fit
    spacing = float(prepared.grid.spacing[0])
    brain = brain_mask(fit.tissue_map.numpy(), spacing)
    if not brain.any():
        raise InputError(
            "no brain was found in the scan", hint="give a T1-weighted scan of a head, and its own brain mask"
        )
    # A mask that was given is believed to the voxel.
    region = None if brain_region is None else to_canonical(brain_region).data > MASK_THRESHOLD
    labels, volumes, kept = _label(NativePriors(prepared, fit, brain), region, keep_probabilities)
    inside = native_mask(prepared, brain)
    if region is not None:
        inside &= region

    def on_own_axes(data: NDArray[np.generic]) -> Volume:
        return scan.with_data(orient_like(prepared.canonical.with_data(data), scan.grid).data)

    if kept is not None:
        kept = np.stack([on_own_axes(probability).data.astype(np.uint8) for probability in kept])
    volume = float(np.count_nonzero(inside)) * _voxel_ml(scan)
    return Segmentation(
        labels=on_own_axes(labels),
        probabilities=kept,
        brain_mask=on_own_axes(inside),
        volumes_ml=volumes,
        brain_volume_ml=volume,
        skull_stripped=reading.skull_stripped,
        checks=check_reading(reading),
    )


def _read(scan: Volume, model: str | Path, brain_region: Volume | None, threads: int | None) -> TissueReading:
    """Find the tissues of a scan on the network grid."""
    HarmonizeSettings(threads=threads)
    if threads is not None:
        limit_threads(threads)
    tissue_model, _, _ = load_style_model(model, torch.device("cpu"))
    if not isinstance(tissue_model, TissueModel):
        raise InputError(f"the model {model} names no tissues", hint="take a tissue model, such as compact")
    return tissue_model.read(
        prepare(scan, spacing=tissue_model.spacing, stride=tissue_model.stride, region=brain_region)
    )


def _label(
    priors: NativePriors, region: NDArray[np.bool_] | None, keep_probabilities: bool
) -> tuple[NDArray[np.uint8], dict[str, float], NDArray[np.uint8] | None]:
    """Return labels, volumes of the tissues in ml, and probabilities if wanted, in canonical axes."""
    shape = priors.prepared.canonical.shape
    labels, totals, kept = np.zeros(shape, np.uint8), np.zeros(len(TISSUE_CLASSES)), None
    if keep_probabilities:
        kept = np.zeros((len(TISSUE_CLASSES), *shape), np.uint8)
        kept[BACKGROUND] = 255
    deviations = class_deviations(priors)
    for slab in priors.slabs():
        probabilities = native_probabilities(priors, deviations, slab)
        if region is not None:
            probabilities *= region[slab]
            probabilities[BACKGROUND] += ~region[slab]
        labels[slab] = probabilities.argmax(axis=0)
        totals += probabilities.sum(axis=(1, 2, 3), dtype=np.float64)
        if kept is not None:
            kept[:, *slab] = np.rint(255 * probabilities)
    volumes = dict(zip(TISSUE_CLASSES, (totals * _voxel_ml(priors.prepared.canonical)).tolist(), strict=True))
    del volumes[TISSUE_CLASSES[BACKGROUND]]
    return labels, volumes, kept


def _voxel_ml(volume: Volume) -> float:
    """Return the volume of a voxel in ml."""
    return float(np.prod(volume.spacing)) * ML_PER_MM3
