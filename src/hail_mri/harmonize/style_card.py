"""The style card: the look of a site in a few kilobytes, with no image in it.

It holds the style of one or more scans of a site, which is what a model changes a scan to (the mean intensity of each
tissue class, or the statistics of each feature channel), and the scale that takes [0, 1] back to the site's units.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hail_mri.errors import InputError
from hail_mri.harmonize.card_file import FORMAT, check_card, read_card
from hail_mri.harmonize.check import Check
from hail_mri.harmonize.checks import check_reading
from hail_mri.harmonize.models import load_style_model
from hail_mri.harmonize.preparation import Preparation, prepare_scan
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.harmonize.style_model import Style, StyleModel
from hail_mri.image.scales import LinearScale
from hail_mri.image.volume import Volume
from hail_mri.model.feature_style import FeatureStyle
from hail_mri.model.threads import limit_threads
from hail_mri.model.tissue_classes import TISSUE_CLASSES
from hail_mri.model.tissue_style import TissueStyle
from hail_mri.model.weights import ModelCard
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.free_paths import require_file_free

SMALLEST_ERROR = 1e-4  # of a class mean; no scan knows its own better


@dataclass(frozen=True)
class StyleCard:
    """The style of a site.

    Attributes
    ----------
    model : str
        Name of the model whose style this is.
    weights_sha256 : str
    style : TissueStyle or FeatureStyle
        By the kind of the model.
    low, high : float
        The intensities, in the site's units, that 0 and 1 stand for.
    n_scans : int
        How many scans the card was made of.
    """

    model: str
    weights_sha256: str
    style: Style
    low: float
    high: float
    n_scans: int = 1

    @classmethod
    def from_volumes(cls, volumes: Sequence[Volume], *, model: str | Path = "compact") -> "StyleCard":
        """
        Measure the style of one or more scans of a site; of several, the mean of their styles.

        Parameters
        ----------
        volumes : sequence of Volume
        model : str or Path

        Raises
        ------
        InputError
            If there is no scan, or one cannot be prepared.
        """
        if not volumes:
            raise InputError("no scan to make a style card of, expected at least one")
        meter = StyleMeter(model)
        return mean_card([meter.measure(volume)[0] for volume in volumes])

    @property
    def scale(self) -> LinearScale:
        """The straight line from the site's units to [0, 1]."""
        return LinearScale(self.low, self.high)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """
        Write the card as JSON, whole or not at all; folders that are missing are made.

        Raises
        ------
        OutputExistsError
            If the file exists and `overwrite` is False.
        InputError
            If it is a folder; or the style is none that `load` would read, as that of a scan without white matter.
        UnwritableError
            If it cannot be written.
        """
        path = Path(path)
        require_file_free(path, overwrite=overwrite)
        entries = _to_entries(self)
        try:
            check_card(entries)
        except InputError as error:
            raise InputError(f"{path} would be no style card: {error}", "take another scan") from error
        text = json.dumps(entries, indent=1) + "\n"
        write_together([path], lambda hidden: hidden[path].write_text(text, encoding="utf-8"))

    @classmethod
    def load(cls, path: str | Path) -> "StyleCard":
        """
        Read a card.

        Raises
        ------
        MissingFileError
            If there is no such file.
        InputError
            If it is not a style card; the message names the entry that is wrong.
        """
        entries = read_card(Path(path))
        return cls(entries.model, entries.weights_sha256, entries.style(), entries.low, entries.high, entries.n_scans)


class StyleMeter:
    """A model that measures the styles of scans, one after the other.

    Parameters
    ----------
    model : str or Path
    threads : int, optional
        CPU threads for the whole process; torch's choice without it.
    """

    def __init__(self, model: str | Path, *, threads: int | None = HarmonizeSettings.threads) -> None:
        HarmonizeSettings(threads=threads)
        if threads is not None:
            limit_threads(threads)
        self._model, self._card, self._sha256 = load_style_model(model, torch.device("cpu"))

    @torch.inference_mode()
    def measure(
        self, volume: Volume, *, brain_mask: Volume | None = None, lesion_mask: Volume | None = None
    ) -> tuple[StyleCard, tuple[Check, ...]]:
        """Return the style card of one scan and its checks, measured in its brain mask and outside its lesion mask."""
        spacing, stride = self._model.spacing, self._model.stride
        preparation = prepare_scan(volume, spacing=spacing, stride=stride, region=brain_mask, lesion=lesion_mask)
        return measure_style(preparation, self._model, self._card, self._sha256)


def measure_style(
    preparation: Preparation, model: StyleModel, card: ModelCard, sha256: str
) -> tuple[StyleCard, tuple[Check, ...]]:
    """
    Measure the style of one scan, and check it.

    Parameters
    ----------
    preparation : Preparation
        The scan, ready for the model.
    model : StyleModel
    card, sha256 : ModelCard, str
        Of the model.
    """
    reading = model.read(preparation.prepared)
    scale = preparation.native(reading.prepared).scale
    style_card = StyleCard(card.name, sha256, reading.style, float(scale.low), float(scale.high))
    return style_card, check_reading(reading)


def mean_card(cards: Sequence[StyleCard]) -> StyleCard:
    """Average styles and scales of several scans; the card of one scan is what it is."""
    if len(cards) == 1:
        return cards[0]
    n, first = len(cards), cards[0]
    low, high = _mean_scale(cards)
    styles = [card.style for card in cards]
    tissue_styles = [style for style in styles if isinstance(style, TissueStyle)]
    if len(tissue_styles) == n:
        return StyleCard(first.model, first.weights_sha256, _mean_tissue_style(tissue_styles), low, high, n)
    feature_styles = [style for style in styles if isinstance(style, FeatureStyle)]
    means, stds = (
        tuple(
            tuple(np.mean(stage, axis=0).tolist())
            for stage in zip(*(getattr(s, name) for s in feature_styles), strict=True)
        )
        for name in ("means", "stds")
    )
    return StyleCard(first.model, first.weights_sha256, FeatureStyle(means, stds), low, high, n)


def _mean_scale(cards: Sequence[StyleCard]) -> tuple[float, float]:
    """Average the units of scans whose gains may be unlike: no scan counts more because its numbers are larger."""
    spans = np.array([card.high - card.low for card in cards])
    span = float(np.exp(np.log(spans).mean()))
    low = float(np.mean([card.low for card in cards] / spans)) * span
    return low, low + span


def _mean_tissue_style(styles: Sequence[TissueStyle]) -> TissueStyle:
    """Average class means, each weighted by how well it is known: a stripped scan knows nothing of fat."""
    means, errors, fractions = (
        np.array([getattr(style, name) for style in styles]) for name in ("means", "errors", "fractions")
    )
    precision = 1 / (errors**2 + SMALLEST_ERROR**2)
    mean = (precision * means).sum(axis=0) / precision.sum(axis=0)
    columns = (mean, 1 / np.sqrt(precision.sum(axis=0)), fractions.mean(axis=0))
    return TissueStyle(*(tuple(column.tolist()) for column in columns))


def _to_entries(card: StyleCard) -> dict[str, Any]:
    """Return what a card's file holds; class means are there by name."""
    entries = {"format": FORMAT, **card.__dict__}
    style = entries.pop("style")
    if isinstance(style, TissueStyle):
        rows = zip(style.means, style.errors, style.fractions, strict=True)
        tissues = {
            name: {"mean": mean, "error": error, "volume_fraction": fraction}
            for name, (mean, error, fraction) in zip(TISSUE_CLASSES, rows, strict=True)
        }
        return {**entries, "tissues": tissues}
    means, stds = (list(map(list, stages)) for stages in (style.means, style.stds))
    return {**entries, "features": {"means": means, "stds": stds}}
