"""Measure the styles of whole training scans, as a network that has learned sees them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

import torch

from hail_mri.errors import InputError
from hail_mri.model.feature_network import FeatureStyleNetwork
from hail_mri.model.feature_style import FeatureStyle
from hail_mri.model.known_styles import KnownStyles
from hail_mri.model.known_styles_file import add_known_styles
from hail_mri.model.known_styles_fit import FEWEST_ANATOMIES, FEWEST_SCANS, learn_known_styles
from hail_mri.model.prepared_features import encode_prepared
from hail_mri.preprocess.prepare import prepare
from hail_mri.training.data.whole_scans import WholeScan

LONGEST = 600.0  # seconds; a wide network on a fine grid sees fewer scans
SAY_EVERY = 24  # scans


def teach_known_styles(
    weights: Path,
    network: FeatureStyleNetwork,
    scans: Iterable[WholeScan],
    *,
    spacing: float,
    device: torch.device | str,
    say: Callable[[str], None],
) -> None:
    """
    Add the styles of scans to weights that are written; if that fails, say why and leave the weights as they are.

    Parameters
    ----------
    weights : Path
        Of `network`.
    network : FeatureStyleNetwork
        Ready for inference; moved to `device`.
    scans, spacing, say
        As of `measure_known_styles`.
    device : torch.device or str
        To measure on.
    """
    try:
        found = measure_known_styles(network.to(device), scans, spacing=spacing, say=say)
        if found is not None:
            add_known_styles(weights, found)
    except Exception as error:  # noqa: BLE001 -- hours of training must not end without weights for what comes after
        why = " ".join(f"{type(error).__name__}: {error}".split())
        say(f"{weights} does not know which styles it has seen, measuring them failed: {why}")


@torch.inference_mode()
def measure_known_styles(
    network: FeatureStyleNetwork,
    scans: Iterable[WholeScan],
    *,
    spacing: float,
    say: Callable[[str], None],
) -> KnownStyles | None:
    """
    Sum up the styles of scans, each prepared as if it was to be harmonized.

    Parameters
    ----------
    network : FeatureStyleNetwork
        Ready for inference, on the device to measure on.
    scans : iterable of WholeScan
    spacing : float
        Of the network grid, mm.
    say : callable
        Takes one line at a time.

    Returns
    -------
    known_styles : KnownStyles or None
        None if too little could be measured; then it is said why.

    Notes
    -----
    After ten minutes no more scans are taken, if there are enough.
    """
    styles: list[FeatureStyle] = []
    anatomies: list[str] = []
    start = time.monotonic()
    for scan in scans:
        is_enough = len(styles) >= FEWEST_SCANS and len(set(anatomies)) >= FEWEST_ANATOMIES
        if is_enough and time.monotonic() - start > LONGEST:
            say(f"known styles: no more scans after {len(styles)}, for lack of time")
            break
        try:
            prepared = prepare(scan.volume, spacing=spacing, stride=network.settings.stride)
        except InputError as error:
            say(f"known styles: a scan of {scan.anatomy} has no part in them: {error}")
            continue
        styles.append(FeatureStyle.from_statistics(encode_prepared(network, prepared).statistics))
        anatomies.append(scan.anatomy)
        if len(styles) % SAY_EVERY == 0:
            say(f"known styles: {len(styles)} scans are measured")
    try:
        return learn_known_styles(styles, anatomies)
    except InputError as error:
        say(f"the weights will not know which styles they have seen: {error}")
        return None
