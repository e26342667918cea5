"""Which class means a scan gets in another style: no change without evidence.

The change of the large tissues of the brain (fluid, grey matter, white matter) is well known; that of the small ones
between them (deep grey matter, brain stem) is less so, but their intensities lie between: their change is read off the
straight lines through the changes of the large ones. Deep grey matter differs between sites by more than the lines say
(it holds iron): what is beside the line is added as far as neither people nor the errors of its means explain it, and
as it stays between grey and white matter. So no tissue of the brain becomes brighter than white matter that was not.

A tissue outside the brain that one of the two scans hardly shows takes its change from tissues like it.

And two scans of one site leave each other alone. How much people differ who are scanned at one site is known, and how
much sites differ: both together, over all tissues, give the probability that the two scans are of different sites at
all, and the expected change of each tissue if they are.
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
    WHITE_MATTER,
)
from hail_mri.model.tissue_style import TissueStyle

ANCHORS = (CSF, GREY_MATTER, WHITE_MATTER)
LARGEST_EVIDENCE = 30.0  # natural logarithm of the odds
TRUSTED_FRACTION = 1e-3  # of the volume; a class that is much smaller has no mean of its own

# Standard deviations of class means relative to white matter (which is 0.6), see docs/training.md: over 36 people at
# one 3 T scanner (robust, from the median absolute deviation), and over sites.
SPREAD: dict[str, tuple[float, float]] = {  # over people, over sites
    "grey_matter": (0.008, 0.06),
    "csf": (0.015, 0.05),
    "vitreous": (0.007, 0.06),
    "blood": (0.103, 0.15),
    "fat": (0.040, 0.25),
    "marrow": (0.038, 0.08),
    "muscle": (0.037, 0.15),
    "connective_tissue": (0.026, 0.12),
    "mucosa": (0.036, 0.15),
    "bone": (0.016, 0.04),
}
KNOWN = tuple(CLASS_INDEX[name] for name in SPREAD)

# The same of what the straight lines do not say. They say enough of the brain stem, whose own mean is not steady.
DEEP_SPREAD: dict[str, tuple[float, float]] = {
    "striatum": (0.009, 0.03),
    "thalamus": (0.009, 0.04),
    "pallidum": (0.010, 0.03),
}
DEEP_GREY_MATTER = tuple(CLASS_INDEX[name] for name in DEEP_SPREAD)

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
    trust = _trust(own) * _trust(wanted)
    change = np.zeros_like(before)
    probability = probability_of_two_sites(own, wanted)
    change[list(KNOWN)] = probability * _expected(*_deviations(own, wanted, SPREAD))
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
    means = before + result
    deep = list(DEEP_GREY_MATTER)
    beside = probability * _changes_beside_lines(own, wanted, brain)
    darkest, brightest = np.minimum(means[deep], means[GREY_MATTER]), np.maximum(means[deep], means[WHITE_MATTER])
    means[deep] = np.clip(means[deep] + beside, darkest, brightest)
    return torch.from_numpy(means)


def probability_of_two_sites(own: TissueStyle, wanted: TissueStyle) -> float:
    """
    Return how probable it is that two scans are of different sites, 0 to 1; one half if nothing tells.

    Parameters
    ----------
    own, wanted : TissueStyle
        White matter is the same on both scales.

    Notes
    -----
    Bayes' rule with equal odds before. A class mean differs by N(0, s²) between two scans of one site, and by
    N(0, s² + t²) between two sites, where s² is twice the variance between people and the errors of both means, and t
    the standard deviation between sites. Classes count by how far their means can be trusted.
    """
    deviation, site, difference = _deviations(own, wanted, SPREAD)
    ratio = deviation**2 / (deviation**2 + site**2)
    evidence = 0.5 * (np.log(ratio) + (difference / deviation) ** 2 * (1 - ratio))
    trust = (_trust(own) * _trust(wanted))[list(KNOWN)]
    return float(1 / (1 + np.exp(-np.clip((trust * evidence).sum(), -LARGEST_EVIDENCE, LARGEST_EVIDENCE))))


def style_distance(own: TissueStyle, wanted: TissueStyle) -> float:
    """
    Return how far apart the looks of two scans are, of what people and sites are known to differ by; 0 for one style.

    Parameters
    ----------
    own, wanted : TissueStyle
        White matter is the same on both scales.

    Notes
    -----
    Root mean square over known classes of the difference of means over its standard deviation between two scans of two
    sites. Classes count by how far their means can be trusted. About 1 is usual; what is much farther is beyond the
    sites from which the deviations are known.
    """
    deviation, site, difference = _deviations(own, wanted, SPREAD)
    trust = (_trust(own) * _trust(wanted))[list(KNOWN)]
    squares = difference**2 / (deviation**2 + site**2)
    return float(np.sqrt((trust * squares).sum() / max(trust.sum(), np.finfo(np.float64).tiny)))


def distance_within_site(style: TissueStyle, other: TissueStyle) -> float:
    """
    Return how far apart the styles of two scans are, in standard deviations of people of one site.

    Parameters
    ----------
    style, other : TissueStyle
        White matter is the same on both scales.

    Notes
    -----
    The root of the mean square of the differences of class means, each over the standard deviation that two people
    scanned at one site differ by; classes count by how far their means can be trusted in both. About 1 for two people
    of one site. Unlike `style_distance` it does not depend on the errors of class means, which would bring a noisy scan
    near to all others, and weights classes as people of one site do; the gain of the scanner counts in neither.
    """
    person = np.sqrt(2) * np.array(list(SPREAD.values()))[:, 0]
    difference = (np.array(other.means) - np.array(style.means))[list(KNOWN)]
    trust = (_trust(style) * _trust(other))[list(KNOWN)]
    squares = (difference / person) ** 2
    return float(np.sqrt((trust * squares).sum() / max(trust.sum(), np.finfo(np.float64).tiny)))


def _changes_beside_lines(own: TissueStyle, wanted: TissueStyle, anchors: list[int]) -> np.ndarray:
    """Return how much deep grey matter differs between two sites beside the lines, as far as nothing else explains it.

    What is hardly there has a large error: there is no need to ask how much of it there is.
    """
    before, after = np.array(own.means), np.array(wanted.means)
    lines = _read_off(before, before[anchors], (after - before)[anchors])[list(DEEP_GREY_MATTER)]
    deviation, site, difference = _deviations(own, wanted, DEEP_SPREAD)
    return _expected(deviation, site, difference - lines)


def _expected(deviation: np.ndarray, site: np.ndarray, difference: np.ndarray) -> np.ndarray:
    """Return how much class means differ between two sites, as far as people and errors do not explain it."""
    return np.asarray(difference * site**2 / (deviation**2 + site**2))


def _deviations(
    own: TissueStyle, wanted: TissueStyle, spread: dict[str, tuple[float, float]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return, of the classes of a spread, the deviation within a site, that between sites, and the difference found."""
    classes = [CLASS_INDEX[name] for name in spread]
    errors = np.hypot(own.errors, wanted.errors)[classes]
    person, site = np.array(list(spread.values())).T
    difference = (np.array(wanted.means) - np.array(own.means))[classes]
    return np.hypot(errors, np.sqrt(2) * person), np.sqrt(2) * site, difference


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
