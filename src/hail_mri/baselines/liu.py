"""Liu et al.: brains, registered and taken apart into slices, in the mean style of the target's slices.

The method sees nothing but a brain. So that its result can be compared with those of others, what lies outside is the
source, rescaled to the target's units as `do_nothing` does.

References
----------
Liu et al., Style Transfer Using Generative Adversarial Networks for Multi-Site MRI Harmonization, MICCAI 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hail_mri.baselines.do_nothing import rescale
from hail_mri.errors import InputError
from hail_mri.image.orientation import orient_like
from hail_mri.image.volume import Volume
from hail_mri.model.found_brain import MASK_LEVEL, find_brain
from hail_mri.model.slice_harmonization import harmonize_slices
from hail_mri.model.weights import load_slice_gan
from hail_mri.preprocess.cache import NO_CACHE, EstimateCache
from hail_mri.preprocess.preprocess import Preprocessed, preprocess
from hail_mri.preprocess.reference import mni_reference
from hail_mri.preprocess.settings import PRESETS

LIU_MODEL = "liu-small"


@dataclass(frozen=True)
class _Registered:
    """A scan on the grid of the MNI152 brain, where its brain is, and its brain, 0 elsewhere."""

    preprocessed: Preprocessed
    mask: NDArray[np.bool_]
    brain: Tensor


class SliceHarmonizer:
    """A target's style, ready to be given to brains.

    Parameters
    ----------
    target : Volume
        A T1-weighted scan of a head or a brain.
    model : str or Path
        Weights of the networks of Liu et al.
    cache : EstimateCache
        Of bias fields and registrations.

    Raises
    ------
    MissingFileError, InputError
        If there are no such weights, or of another kind; if no brain is found in the target, or it cannot be
        registered to the MNI152 brain.
    """

    def __init__(self, target: Volume, *, model: str | Path = LIU_MODEL, cache: EstimateCache = NO_CACHE) -> None:
        self._network, card = load_slice_gan(model)
        self._reference = mni_reference(spacing=card.spacing_mm, size=self._network.settings.size)
        self._cache = cache
        self._target = target
        self._example = self._registered(target)

    def run(self, source: Volume) -> Volume:
        """
        Give a scan the style of the target.

        Parameters
        ----------
        source : Volume

        Returns
        -------
        Volume
            On the source's grid with its header, in the target's units. In the brain the prediction, read on the
            source's grid; it has lost detail in two interpolations, as the method does by design.

        Raises
        ------
        InputError
            If no brain is found in the source, or it cannot be registered.
        """
        own = self._registered(source)
        prediction = harmonize_slices(self._network, own.brain, self._example.brain).numpy()
        found = own.preprocessed
        inside = found.native_change(own.mask.astype(np.float32))
        values = found.native_change(prediction) / np.maximum(inside, np.float32(MASK_LEVEL))
        canonical = found.prepared.canonical
        result, outside = (
            orient_like(canonical.with_data(data), source.grid).data
            for data in (self._example.preprocessed.scale.invert(values), inside <= MASK_LEVEL)
        )
        return source.with_data(np.where(outside, rescale(source, self._target).data, result).astype(np.float32))

    def _registered(self, scan: Volume) -> _Registered:
        """Return the brain of a scan on the grid of the MNI152 brain."""
        found = preprocess(scan, self._reference, PRESETS["robust"], cache=self._cache)
        if found.registration.verdict == "fail":
            raise InputError(
                f"it cannot be registered to {self._reference.name}", "look at it with hail-mri preprocess"
            )
        mask = find_brain(found.volume)
        return _Registered(found, mask, torch.from_numpy(found.volume.data * mask))
