"""How a scan gets to a model and back: as it is, without its bias field, or on the grid of a reference.

The model reads a *working* scan. What comes back is taken to the scan's own voxels: its bias field is put back, and a
change that was made on the grid of a reference is read where the voxels are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hail_mri.harmonize.check import Check
from hail_mri.image.mask import check_mask
from hail_mri.image.orientation import to_canonical
from hail_mri.image.scales import LinearScale
from hail_mri.image.volume import Volume
from hail_mri.preprocess.bias_field import BiasField, kept_bias_field
from hail_mri.preprocess.cache import NO_CACHE, EstimateCache
from hail_mri.preprocess.files import describe_registration
from hail_mri.preprocess.prepare import Prepared, prepare
from hail_mri.preprocess.preprocess import Preprocessed, preprocess, without_bias
from hail_mri.preprocess.reference import Reference
from hail_mri.preprocess.registration import OK, Registration
from hail_mri.preprocess.reslicing import reslice
from hail_mri.preprocess.settings import PreprocessSettings

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Preparation:
    """A scan, ready for a model, and the way back.

    Attributes
    ----------
    prepared : Prepared
        The working scan on the network grid.
    raw : Volume
        The scan as it was given, canonical axes.
    bias : BiasField or None
        What was divided out.
    registered : Preprocessed or None
        If the working scan lies on the grid of a reference.
    """

    prepared: Prepared
    raw: Volume
    bias: BiasField | None = None
    registered: Preprocessed | None = None

    def native(self, prepared: Prepared) -> Prepared:
        """Return what is to be changed: the scan on its own grid without its bias field, on the scale of `prepared`.

        Parameters
        ----------
        prepared : Prepared
            The working scan, on the scale that the model has found to be right.
        """
        if self.registered is None:
            return prepared
        first, second = self.registered.scale, prepared.scale
        low, high = first.invert(np.array([second.low, second.high])).tolist()
        return replace(self.registered.prepared, scale=LinearScale(low, high))

    def to_native(self, values: FloatArray) -> FloatArray:
        """Take values of the working scan's voxels to the voxels of the scan itself, canonical axes."""
        return values if self.registered is None else self.registered.native_change(values)

    def checks(self) -> tuple[Check, ...]:
        """Return what there is to say of the registration."""
        return () if self.registered is None else (check_registration(self.registered.registration),)

    def describe(self) -> Mapping[str, Any]:
        """Return what a sidecar tells of bias field and registration."""
        told: dict[str, Any] = {}
        if self.bias is not None:
            low, high = np.exp([float(self.bias.log.min()), float(self.bias.log.max())]).round(4).tolist()
            told["BiasField"] = {"Method": "N4", "Lowest": low, "Highest": high}
            if self.prepared.lesion is not None:
                told["BiasField"]["LeftOut"] = "lesion"
        if self.registered is not None:
            reference = {"Reference": self.registered.reference.name}
            told["Registration"] = reference | describe_registration(self.registered.registration)
        return told


def check_registration(found: Registration) -> Check:
    """Say whether the pose of a head is to be believed."""
    return Check(
        "registration",
        found.verdict,
        f"{found.contrast:.3g} times as similar to the reference as at wrong poses, "
        f"in fine structure by {found.detail:.3g} standard deviations, {found.lead:.3g} times as when held otherwise",
        f"at least {OK[0]:g} times, {OK[1]:g} and {OK[2]:g} times",
        "the head was not found where it should be: look at it beside the reference",
    )


def prepare_scan(
    volume: Volume,
    *,
    spacing: float,
    stride: int,
    region: Volume | None = None,
    lesion: Volume | None = None,
    settings: PreprocessSettings | None = None,
    reference: Reference | None = None,
    cache: EstimateCache = NO_CACHE,
) -> Preparation:
    """Get a scan ready for a model.

    Parameters
    ----------
    volume : Volume
    spacing, stride, region, lesion
        See `prepare`.
    settings : PreprocessSettings, optional
        Nothing is done without them.
    reference : Reference, optional
        Onto whose grid the scan is brought.
    cache : EstimateCache

    Raises
    ------
    InputError
        See `prepare` and `preprocess`.
    """
    if lesion is not None:  # before it is moved anywhere
        check_mask(lesion, volume, mask_name="the lesion mask", of="the lesion")
    if settings is not None and reference is not None:
        found = preprocess(volume, reference, settings, brain_mask=region, lesion_mask=lesion, cache=cache)
        return _on_reference(found, spacing, stride, region, lesion)
    if settings is None or not settings.bias_correction:
        prepared = prepare(volume, spacing=spacing, stride=stride, region=region, lesion=lesion)
        return Preparation(prepared, prepared.canonical)
    mask, left_out = (None if each is None else to_canonical(each) for each in (region, lesion))
    raw = prepare(to_canonical(volume), spacing=spacing, stride=stride, region=mask, lesion=left_out)
    bias = kept_bias_field(raw, cache, lesion=left_out)
    corrected = prepare(without_bias(raw, bias), spacing=spacing, stride=stride, region=mask, lesion=left_out)
    return Preparation(corrected, raw.canonical, bias)


def _on_reference(
    found: Preprocessed, spacing: float, stride: int, region: Volume | None, lesion: Volume | None
) -> Preparation:
    """Get a scan that lies on the grid of a reference ready."""
    there, left_out = (
        None if mask is None else reslice(to_canonical(mask), found.scaled.grid, found.registration.matrix)
        for mask in (region, lesion)
    )
    prepared = prepare(found.scaled, spacing=spacing, stride=stride, region=there, lesion=left_out)
    return Preparation(prepared, to_canonical(found.source), found.bias, found)
