"""Which class means a scan gets in another style: no change without evidence.

The change of the large tissues of the brain (fluid, grey matter, white matter) is well known; that of the small ones
between them (deep grey matter, brain stem) is not, but their intensities lie between: their change is read off the
straight lines through the changes of the large ones. So no tissue of the brain becomes brighter than white matter that
was not, and neighbouring tissues keep their order.

A tissue outside the brain that one of the two scans hardly shows takes its change from tissues like it. And a
difference no larger than what two people scanned at one site differ by is shrunk towards no change.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from hail_mri.model.tissue_classes import (
    BACKGROUND,
    CLASS_INDEX,
    CSF,
    DEEP_TISSUES,
    GREY_MATTER,
    TISSUE_CLASSES,
    WHITE_MATTER,
)
from hail_mri.model.tissue_style import TissueStyle

ANCHORS = (CSF, GREY_MATTER, WHITE_MATTER)
TRUSTED_FRACTION = 1e-3  # of the volume; a class that is much smaller has no mean of its own

# Standard deviation, over the people scanned at one site, of a class mean relative to white matter (which is 0.6).
PERSON = {"grey_matter": 0.008, "csf": 0.02}
PERSON_ELSEWHERE = 0.03

# What a class is like, in the order in which its change is found.
ALIKE = {
    "vitreous": "csf",
    "connective_tissue": "muscle",
    "muscle": "connective_tissue",
    "mucosa": "muscle",
    "fat": "marrow",
    "marrow": "fat",
}


def exchanged_means(own: TissueStyle, wanted: TissueStyle) -> Tensor:
    """
    Return the class means of a scan in another style.

    Parameters
    ----------
    own, wanted : TissueStyle
        Of the scan, and of the target; white matter is the same on both scales.

    Returns
    -------
    means : (n_classes,) Tensor, float64
        `own.means` exactly, where own and wanted are the same.
    """
    before, after = (np.array(style.means) for style in (own, wanted))
    error = np.hypot(own.errors, wanted.errors)
    person = np.array([PERSON.get(name, PERSON_ELSEWHERE) for name in TISSUE_CLASSES])
    change = shrink(after - before, np.hypot(error, np.sqrt(2) * person))
    trust = _trust(own) * _trust(wanted)
    change[WHITE_MATTER] = after[WHITE_MATTER] - before[WHITE_MATTER]
    brain = [k for k in ANCHORS if trust[k] > 0.5]
    by_intensity = _read_off(before, before[brain], change[brain])
    result = trust * change + (1 - trust) * by_intensity
    for name, like in ALIKE.items():
        k, other = CLASS_INDEX[name], CLASS_INDEX[like]
        fallback = trust[other] * change[other] + (1 - trust[other]) * by_intensity[k]
        result[k] = trust[k] * change[k] + (1 - trust[k]) * fallback
    result[brain] = change[brain]
    result[list(DEEP_TISSUES)] = by_intensity[list(DEEP_TISSUES)]
    result[BACKGROUND] = 0.0
    return torch.from_numpy(before + result)


def shrink(change: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """
    Shrink changes no larger than a deviation to nothing, and leave large ones nearly as they are.

    Parameters
    ----------
    change, deviation : (n,) ndarray

    Returns
    -------
    shrunk : (n,) ndarray

    References
    ----------
    James and Stein, Proc 4th Berkeley Symp 1:361 (1961): the positive-part form.

    Examples
    --------
    >>> shrink(np.array([0.5, 1.0, 10.0]), np.ones(3)).round(2).tolist()
    [0.0, 0.0, 9.9]
    """
    squared = np.maximum(change**2, np.finfo(float).tiny)
    return change * np.clip(1 - deviation**2 / squared, 0.0, 1.0)


def _read_off(intensities: np.ndarray, known: np.ndarray, changes: np.ndarray) -> np.ndarray:
    """Return changes on the straight lines through those at known intensities; constant beyond, 0 if none is known."""
    if len(known) == 0:
        return np.zeros_like(intensities)
    order = np.argsort(known)
    return np.interp(intensities, known[order], changes[order])


def _trust(style: TissueStyle) -> np.ndarray:
    """Return how far each class mean can be trusted, 0 to 1, by how much of the class there is."""
    fractions = np.array(style.fractions)
    return fractions / (fractions + TRUSTED_FRACTION)
