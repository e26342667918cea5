"""Harmonize: a scan and one example of another site go in, the scan in the other site's look comes out.

`Harmonizer.run` is a palindrome: canonical axes, network grid, [0, 1] scale, features, styles, decoded predictions, the
target's scale, the native grid, the scan's own axes.
"""

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch

from hail_mri.errors import InputError
from hail_mri.harmonize.check import Check, failures
from hail_mri.harmonize.checks import check_pair, check_reading, check_style
from hail_mri.harmonize.harmonized import Harmonized, Source
from hail_mri.harmonize.models import find_device, load_style_model
from hail_mri.harmonize.native_result import finish, native_change
from hail_mri.harmonize.preparation import prepare_scan
from hail_mri.harmonize.result_checks import Wanted, check_result
from hail_mri.harmonize.settings import Device, HarmonizeSettings, OutputMode, ScanPreset
from hail_mri.harmonize.style_card import StyleCard, measure_style
from hail_mri.harmonize.style_model import StyleModel
from hail_mri.image.orientation import orient_like
from hail_mri.image.separable import along_axes
from hail_mri.image.volume import Volume
from hail_mri.model.threads import limit_threads
from hail_mri.preprocess.cache import NO_CACHE, EstimateCache
from hail_mri.preprocess.reference import Reference, mni_reference
from hail_mri.preprocess.settings import PRESETS

_DEFAULTS = HarmonizeSettings()


class Harmonizer:
    """A target's look, ready to be given to any number of scans.

    Parameters
    ----------
    target : Volume or StyleCard
    target_mask : Volume, optional
        Brain mask of the target: where its scale and style are measured.
    target_lesion_mask : Volume, optional
        What of the target is left out of both.
    model : str or Path
        A released model's name, or the path of weights.
    device : "auto", "cpu" or "cuda"
    threads : int, optional
        CPU threads for the whole process; torch's choice without it.
    seed : int
        Of torch; nothing in the shipped models is random.
    preset : "none", "robust" or "paper"
        How scans are prepared, see `HarmonizeSettings`; the target as well as sources.
    reference : Reference, optional
        Scans are registered to it. Without it the preset "paper" takes the MNI152 brain, "robust" does not register.
    cache : EstimateCache
        Of bias fields and registrations.

    Raises
    ------
    InputError, MissingFileError
        If the model, the device or the target cannot be used, or a card belongs to another model.
    """

    def __init__(
        self,
        target: Volume | StyleCard,
        *,
        target_mask: Volume | None = None,
        target_lesion_mask: Volume | None = None,
        model: str | Path = _DEFAULTS.model,
        device: Device = _DEFAULTS.device,
        threads: int | None = _DEFAULTS.threads,
        seed: int = _DEFAULTS.seed,
        preset: ScanPreset = _DEFAULTS.preset,
        reference: Reference | None = None,
        cache: EstimateCache = NO_CACHE,
    ) -> None:
        HarmonizeSettings(device=device, threads=threads, seed=seed, preset=preset)
        if threads is not None:
            limit_threads(threads)
        torch.manual_seed(seed)
        self._model, card, self.weights_sha256 = load_style_model(model, find_device(device))
        self._cautions = (card.caution,) if card.caution else ()
        self._target_is_masked = target_mask is not None
        if preset == "none" and reference is not None:
            raise InputError("a reference is given for the preset none, which moves no scan", "take another preset")
        if preset == "paper" and reference is None:
            reference = mni_reference()
        self._prepare = partial(
            prepare_scan,
            spacing=self._model.spacing,
            stride=self._model.stride,
            settings=None if preset == "none" else PRESETS[preset],
            reference=reference,
            cache=cache,
        )
        self.target_checks: tuple[Check, ...]
        if isinstance(target, StyleCard):
            _require_same_model(target, self.weights_sha256, self._model)
            if target_mask is not None or target_lesion_mask is not None:
                raise InputError("a mask is given for a style card, expected one for a target scan")
            self.style = target
            score = self._model.score(target.style)
            self.target_checks = check_style(target.style, target.low, target.high, score=score)
            return
        with torch.inference_mode():
            preparation = self._prepare(target, region=target_mask, lesion=target_lesion_mask)
            self.style, found = measure_style(preparation, self._model, card, self.weights_sha256)
            self.target_checks = (*found, *preparation.checks())

    def run(
        self,
        source: Volume,
        *,
        strength: float = _DEFAULTS.strength,
        output_mode: OutputMode = _DEFAULTS.output_mode,
        brain_mask: Volume | None = None,
        lesion_mask: Volume | None = None,
        keep_bias: bool = _DEFAULTS.keep_bias,
    ) -> Harmonized:
        """
        Give a scan the target's look: `read` it and `change` it.

        Parameters
        ----------
        source : Volume
        strength : float
            0 gives back the source, 1 is the full change; between, intensities on the [0, 1] scale are mixed, and so
            are the units that 0 and 1 stand for.
        output_mode : "transfer" or "network"
            The anatomy-safe transfer, or the prediction itself, blurred as it is.
        brain_mask : Volume, optional
            Where scale and style of the source are measured, and all that the network sees.
        lesion_mask : Volume, optional
            What of the source is left out of scale and style. It changes as its surroundings do, and whether it is
            still what it was is checked.
        keep_bias : bool
            Whether the result keeps a bias field that the preset has found; it matters for "robust" and "paper".

        Raises
        ------
        InputError
            If a setting is out of range, or the source or a mask cannot be prepared. A scan that fails a check, or
            whose result does, is changed nevertheless: see `Harmonized.checks` and `result_checks`.
        """
        HarmonizeSettings(strength=strength, output_mode=output_mode)
        read = self.read(source, brain_mask=brain_mask, lesion_mask=lesion_mask)
        return self.change(read, strength=strength, output_mode=output_mode, keep_bias=keep_bias)

    @torch.inference_mode()
    def read(self, source: Volume, *, brain_mask: Volume | None = None, lesion_mask: Volume | None = None) -> Source:
        """Measure a source and check it; parameters and errors as of `run`."""
        seconds: dict[str, float] = {}
        with _timed(seconds, "prepare"):
            preparation = self._prepare(source, region=brain_mask, lesion=lesion_mask)
        with _timed(seconds, "network"):
            reading = self._model.read(preparation.prepared)
        with _timed(seconds, "checks"):
            checks = (*check_reading(reading), *preparation.checks())
            if brain_mask is None and not self._target_is_masked:  # a mask tells what is to be compared
                checks += check_pair(reading.style, self.style.style)
        return Source(source, preparation, reading, seconds, checks, lesion_mask)

    @torch.inference_mode()
    def change(
        self,
        source: Source,
        *,
        strength: float = _DEFAULTS.strength,
        output_mode: OutputMode = _DEFAULTS.output_mode,
        keep_bias: bool = _DEFAULTS.keep_bias,
    ) -> Harmonized:
        """Give a source that was read the target's look; parameters and errors as of `run`."""
        HarmonizeSettings(strength=strength, output_mode=output_mode)
        prepared, seconds = source.reading.prepared, dict(source.seconds)
        preparation = source.preparation
        with _timed(seconds, "predict"):
            p, r = self._model.predict(source.reading, self.style.style)
        with _timed(seconds, output_mode):
            native = preparation.native(prepared)
            scaled = native.scaled()
            if output_mode == "transfer":
                interior = source.reading.interior
                working = scaled if native is prepared else prepared.scaled()
                harmonized = scaled + preparation.to_native(native_change(prepared, working, p, r, interior=interior))
            else:
                harmonized = preparation.to_native(along_axes(p.numpy(), prepared.to_native))
        with _timed(seconds, "finish"):
            if keep_bias and preparation.bias is not None:
                field = preparation.bias.factor()
                native, scaled, harmonized = native.with_canonical(preparation.raw), scaled * field, harmonized * field
            finished = finish(native, scaled, harmonized, self.style.scale, strength=strength)
            volume = orient_like(native.canonical.with_data(finished), source.volume.grid)
            result = source.volume.with_data(volume.data)
        with _timed(seconds, "result checks"):
            result_scale = native.scale.mixed(self.style.scale, strength)
            result_checks = check_result(source, result, Wanted(self.style.style, result_scale, output_mode))
        return Harmonized(
            result,
            (*source.volume.warnings, *self._cautions),
            seconds,
            source.reading.skull_stripped,
            source.checks,
            result_checks,
            preparation.describe(),
        )


def harmonize(
    source: Volume,
    target: Volume | StyleCard,
    *,
    model: str | Path = _DEFAULTS.model,
    output_mode: OutputMode = _DEFAULTS.output_mode,
    strength: float = _DEFAULTS.strength,
    brain_mask: Volume | None = None,
    target_mask: Volume | None = None,
    lesion_mask: Volume | None = None,
    target_lesion_mask: Volume | None = None,
    device: Device = _DEFAULTS.device,
    threads: int | None = _DEFAULTS.threads,
    seed: int = _DEFAULTS.seed,
) -> Volume:
    """
    Give a scan the look of another one; see `Harmonizer` for the parameters and errors.

    Returns
    -------
    harmonized : Volume
        On the source's grid with the source's header, in the target's intensity units.

    Warns
    -----
    UserWarning
        For what is odd about the header of source or target, and for each check that one of them or the result fails;
        `Harmonizer` tells of all checks.
    """
    harmonizer = Harmonizer(
        target,
        target_mask=target_mask,
        target_lesion_mask=target_lesion_mask,
        model=model,
        device=device,
        threads=threads,
        seed=seed,
    )
    harmonized = harmonizer.run(
        source, strength=strength, output_mode=output_mode, brain_mask=brain_mask, lesion_mask=lesion_mask
    )
    for warning in (*harmonized.warnings, *(target.warnings if isinstance(target, Volume) else ())):
        warnings.warn(warning, stacklevel=2)
    found = {"source": harmonized.checks, "target": harmonizer.target_checks, "result": harmonized.result_checks}
    for name, checks in found.items():
        for check in failures(checks):
            warnings.warn(f"the {name}: {check}", stacklevel=2)
    return harmonized.volume


def _require_same_model(card: StyleCard, sha256: str, model: StyleModel) -> None:
    """Refuse the card of other weights: its numbers are what one set sees and mean nothing to another."""
    if card.weights_sha256 != sha256:
        raise InputError(
            f"the style card was made with other weights (model {card.model!r}, SHA-256 {card.weights_sha256[:12]}...)",
            hint="make the card again with this model, or give the model it was made with",
        )
    if not model.fits(card.style):
        raise InputError("the style card has been edited: it does not hold a style of the model")


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    """Note how long a stage took."""
    start = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - start
