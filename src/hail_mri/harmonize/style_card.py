"""The style card: the look of a site in a few kilobytes, with no image in it.

It holds the mean and the standard deviation of every feature channel of one or more scans of a site, and the scale that
takes [0, 1] back to the site's intensity units.
"""

import json
import math
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from hail_mri.errors import InputError, MissingFileError, OutputExistsError, UnwritableError
from hail_mri.image.volume import Volume
from hail_mri.model.adain import Statistics
from hail_mri.model.networks import HailNetwork
from hail_mri.model.tiles import whole_statistics
from hail_mri.model.weights import ModelCard, load_hail_network, weights_hash
from hail_mri.preprocess.prepare import CEILING, Prepared, prepare

FORMAT = "hail-mri style card 1"
_DIGITS = 7  # of a float32


@dataclass(frozen=True)
class StyleCard:
    """The style of a site.

    Attributes
    ----------
    model : str
        Name of the model whose features these are.
    weights_sha256 : str
    means, stds : tuple of tuples of float
        One tuple a level, one number a channel.
    low, high : float
        The intensities, in the site's units, that 0 and 1 stand for.
    n_scans : int
        How many scans the card was made of.
    """

    model: str
    weights_sha256: str
    means: tuple[tuple[float, ...], ...]
    stds: tuple[tuple[float, ...], ...]
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
        network, card = load_hail_network(model)
        cards = [measure_style(volume, network, card, weights_hash(model)) for volume in volumes]
        return cards[0] if len(cards) == 1 else _mean_card(cards)

    def statistics(self) -> list[Statistics]:
        """Return the style as the network wants it, one a level, each (1, C)."""
        return [Statistics(torch.tensor([m]), torch.tensor([s])) for m, s in zip(self.means, self.stds, strict=True)]

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """
        Write the card as JSON, under a temporary name first.

        Raises
        ------
        OutputExistsError
            If the file exists and `overwrite` is False.
        UnwritableError
            If it cannot be written.
        """
        path = Path(path)
        if path.exists() and not overwrite:
            raise OutputExistsError(f"{path} exists", hint="Choose another name or ask to overwrite it.")
        hidden = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            hidden.write_text(json.dumps({"format": FORMAT, **self.__dict__}, indent=1) + "\n", encoding="utf-8")
            hidden.replace(path)
        except OSError as error:
            raise UnwritableError(f"{path} cannot be written ({error.strerror})", hint="Check the folder.") from error
        finally:
            with suppress(OSError):
                hidden.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | Path) -> "StyleCard":
        """
        Read a card.

        Raises
        ------
        MissingFileError
            If there is no such file.
        InputError
            If it is not a style card.
        """
        path = Path(path)
        if not path.exists():
            raise MissingFileError(f"{path} does not exist", hint="Make a card with `hail-mri style`.")
        try:
            return _from_entries(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            message = f"{path} is not a style card ({str(error) or type(error).__name__})"
            raise InputError(message, hint="Make one with `hail-mri style`.") from error


def measure_style(volume: Volume, network: HailNetwork, card: ModelCard, sha256: str) -> StyleCard:
    """Measure the style of one scan."""
    prepared = prepare(volume, spacing=card.spacing_mm, stride=network.settings.stride)
    levels = prepared_statistics(prepared, network)
    return StyleCard(
        model=card.name,
        weights_sha256=sha256,
        means=tuple(tuple(_rounded(level.mean)) for level in levels),
        stds=tuple(tuple(_rounded(level.std)) for level in levels),
        low=float(prepared.scale.low),
        high=float(prepared.scale.high),
    )


def prepared_statistics(prepared: Prepared, network: HailNetwork) -> list[Statistics]:
    """Return the style of a prepared scan, each (1, C), rounded as in a card: one way to say a style, one result."""
    volume, weight = as_tensors(prepared, next(network.parameters()).device)
    levels = whole_statistics(network, volume, weight)
    return [Statistics(torch.tensor([_rounded(level.mean)]), torch.tensor([_rounded(level.std)])) for level in levels]


def on_device(levels: Sequence[Statistics], device: torch.device) -> list[Statistics]:
    """Return the same style on a device."""
    return [Statistics(level.mean.to(device), level.std.to(device)) for level in levels]


def as_tensors(prepared: Prepared, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what the network sees of a prepared scan, and the weight, each (1, 1, i, j, k)."""
    volume = torch.from_numpy(prepared.data).clamp(max=CEILING)[None, None]
    return volume.to(device), torch.from_numpy(prepared.weight)[None, None].to(device)


def _rounded(values: torch.Tensor) -> list[float]:
    """Return (1, C) numbers with the digits of a float32."""
    return [float(f"{value:.{_DIGITS}g}") for value in values[0].tolist()]


def _mean_card(cards: Sequence[StyleCard]) -> StyleCard:
    """Average the styles and scales of several scans."""
    n = len(cards)

    def mean(levels: list[tuple[tuple[float, ...], ...]]) -> tuple[tuple[float, ...], ...]:
        return tuple(
            tuple(sum(channel) / n for channel in zip(*level, strict=True)) for level in zip(*levels, strict=True)
        )

    return StyleCard(
        cards[0].model,
        cards[0].weights_sha256,
        mean([card.means for card in cards]),
        mean([card.stds for card in cards]),
        sum(card.low for card in cards) / n,
        sum(card.high for card in cards) / n,
        n,
    )


def _from_entries(entries: Any) -> StyleCard:
    """Make a card of what a JSON file held."""
    if not isinstance(entries, dict) or entries.pop("format", None) != FORMAT:
        raise ValueError(f"it does not say {FORMAT!r}")
    for name in ("means", "stds"):
        entries[name] = tuple(tuple(float(value) for value in level) for level in entries[name])
    card = StyleCard(**entries)
    numbers = [value for level in (*card.means, *card.stds) for value in level] + [card.low, card.high]
    is_style = all(map(math.isfinite, numbers)) and all(s > 0 for level in card.stds for s in level)
    if not is_style or not card.low < card.high:
        raise ValueError("its numbers are out of range")
    return card
