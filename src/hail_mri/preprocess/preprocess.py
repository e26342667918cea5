"""The paper's preprocessing, which can be undone: N4, rigid registration, one interpolation, [0, 1].

`preprocess` goes from a scan to the grid that all scans of a study share; `Preprocessed.carry_back` takes what was
changed there to the scan's own voxels, which are never resampled there and back.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError
from hail_mri.image.mask import MASK_THRESHOLD, check_mask
from hail_mri.image.orientation import orient_like, to_canonical
from hail_mri.image.scales import LinearScale
from hail_mri.image.volume import Volume
from hail_mri.preprocess.bias_field import BiasField, kept_bias_field
from hail_mri.preprocess.cache import NO_CACHE, EstimateCache
from hail_mri.preprocess.prepare import Prepared, prepare
from hail_mri.preprocess.reference import COARSE, Reference, comparable
from hail_mri.preprocess.registration import Registration, brain_overlap, kept_registration
from hail_mri.preprocess.reslicing import carry_back, reslice
from hail_mri.preprocess.settings import PreprocessSettings, Scaling

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Preprocessed:
    """A scan on the grid of a reference, and the way back.

    Attributes
    ----------
    source : Volume
        As it was given.
    prepared : Prepared
        Without its bias field, on its own grid: head mask, erased background, scale.
    reference : Reference
    bias : BiasField or None
    registration : Registration
    scale : LinearScale
        Scanner units to [0, 1].
    scaled : Volume
        The scan on the reference's grid, background 0; by the scale of white matter, what is brightest is above 1.
    """

    source: Volume
    prepared: Prepared
    reference: Reference
    bias: BiasField | None
    registration: Registration
    scale: LinearScale
    scaled: Volume

    @cached_property
    def volume(self) -> Volume:
        """The result: on the reference's grid, [0, 1], background 0."""
        return self.scaled.with_data(np.minimum(self.scaled.data, 1))

    @property
    def clipped(self) -> float:
        """Share of the voxels above 0 that are brighter than 1, and are 1 in `volume`."""
        return int(np.count_nonzero(self.scaled.data > 1)) / max(int(np.count_nonzero(self.scaled.data > 0)), 1)

    def carry_back(self, changed: Volume, *, keep_bias: bool = True) -> Volume:
        """Take what was changed on the prepared grid to the scan's own voxels.

        Parameters
        ----------
        changed : Volume
            `volume` after whatever was done to it, on the same grid.
        keep_bias : bool
            Whether the result has the scan's bias field, as the scan has.

        Returns
        -------
        Volume
            On the scan's grid with its header, in its units; voxels that are erased stay as they are. If nothing was
            changed and the bias field is kept, the scan itself, bit for bit.

        Raises
        ------
        InputError
            If `changed` is on another grid.
        """
        if not changed.grid.is_close(self.scaled.grid):
            raise InputError(
                f"what was changed has the shape {changed.shape}, expected the prepared grid, {self.volume.shape}",
                hint="change the prepared scan without moving or cropping it",
            )
        change = self.native_change(changed.data - self.volume.data) * np.float32(self.scale.high - self.scale.low)
        change[self.prepared.erased] = 0
        canonical = self.prepared.canonical
        if self.bias is not None and keep_bias:
            canonical = to_canonical(self.source)
            change *= self.bias.factor()
        finished = orient_like(canonical.with_data(canonical.data + change), self.source.grid)
        return self.source.with_data(finished.data)

    def resliced_mask(self, mask: Volume) -> Volume:
        """Return a mask of the scan, above 0.5 inside, on the prepared grid: 1 inside, 0 elsewhere.

        Raises
        ------
        InputError
            If it is empty or on another grid than the scan.
        """
        check_mask(mask, self.source)
        inside = to_canonical(mask.with_data(mask.data > MASK_THRESHOLD))
        there = reslice(inside, self.scaled.grid, self.registration.matrix)
        return there.with_data(there.data > MASK_THRESHOLD)

    def brain_overlap(self, mask: Volume) -> float:
        """Return how far the scan's brain lies where the reference's is: Dice, within the scan's field of view.

        Parameters
        ----------
        mask : Volume
            Of the scan's brain, on its grid.

        Raises
        ------
        InputError
            If it is empty or on another grid than the scan.
        """
        check_mask(mask, self.source)
        return brain_overlap(to_canonical(mask), self.reference, self.registration)

    def native_change(self, change: FloatArray) -> FloatArray:
        """Read a change that was made on the prepared grid on the scan's own grid, canonical axes."""
        return carry_back(change, self.scaled.grid, self.prepared.canonical.grid, self.registration.matrix)


def preprocess(
    source: Volume,
    reference: Reference,
    settings: PreprocessSettings,
    *,
    brain_mask: Volume | None = None,
    lesion_mask: Volume | None = None,
    cache: EstimateCache = NO_CACHE,
) -> Preprocessed:
    """Bring a scan to the grid of a reference.

    Parameters
    ----------
    source : Volume
        Any orientation, spacing and unit.
    reference : Reference
    settings : PreprocessSettings
    brain_mask : Volume, optional
        Above 0.5 inside, on the scan's grid: where its scale is measured. The head without it.
    lesion_mask : Volume, optional
        The same: what its scale and its bias field leave out.
    cache : EstimateCache
        Where bias field and registration are kept, and looked for.

    Raises
    ------
    InputError
        If no head is found, a mask is empty or on another grid, the lesion is more than half of what is measured, or
        the scan has too little of a head. A registration that is probably wrong is no error here: see
        `Registration.verdict`.
    """
    mask, lesion = (None if each is None else to_canonical(each) for each in (brain_mask, lesion_mask))
    prepared = prepare(to_canonical(source), spacing=COARSE, stride=1, region=mask, lesion=lesion)
    bias = None
    if settings.bias_correction:
        bias = kept_bias_field(prepared, cache, lesion=lesion)
        prepared = prepare(without_bias(prepared, bias), spacing=COARSE, stride=1, region=mask, lesion=lesion)
    registration = kept_registration(reference, comparable(prepared), cache)
    resliced = reslice(_above_zero(prepared), reference.grid, registration.matrix)
    scale = _scale(resliced.data, prepared.scale, settings.scaling)
    scaled = (resliced.data - np.float32(scale.low - prepared.scale.low)) * np.float32(1 / (scale.high - scale.low))
    np.maximum(scaled, 0, out=scaled)
    return Preprocessed(source, prepared, reference, bias, registration, scale, Volume(scaled, reference.grid.affine))


def without_bias(prepared: Prepared, bias: BiasField) -> Volume:
    """Return a scan with what it has above its zero point divided by its bias field; what is erased stays."""
    zero = np.float32(prepared.scale.low)
    corrected = (prepared.canonical.data - zero) / bias.factor() + zero
    np.copyto(corrected, prepared.canonical.data, where=prepared.erased)
    return prepared.canonical.with_data(corrected)


def _above_zero(prepared: Prepared) -> Volume:
    """Return a scan with its zero point at 0, which is what lies beyond its field of view, too."""
    above = prepared.canonical.data - np.float32(prepared.scale.low)
    above[prepared.erased] = 0
    return prepared.canonical.with_data(above)


def _scale(resliced: FloatArray, robust: LinearScale, scaling: Scaling) -> LinearScale:
    """Return the scale to [0, 1]; `resliced` is in scanner units above the zero point."""
    if scaling == "white matter":
        return robust
    lowest, highest = float(resliced.min()), float(resliced.max())
    if highest <= lowest:
        raise InputError("nothing of the scan lies on the reference's grid", "give another reference")
    return LinearScale(robust.low + lowest, robust.low + highest)
