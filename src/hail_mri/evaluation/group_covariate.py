"""Whether the effect of a covariate on tissues is kept, such as that of age on volumes: by method, before and after."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError
from hail_mri.evaluation.covariate import CovariateKept, covariate_kept
from hail_mri.evaluation.group_means import NO_SUBJECTS, OVERALL
from hail_mri.evaluation.group_number import SEED, Group, GroupNumber
from hail_mri.evaluation.label_schemes import THREE_TISSUES
from hail_mri.evaluation.site_scans import ProfiledLine, methods_of
from hail_mri.evaluation.travelling_agreement import QUANTITIES


class _Cases(NamedTuple):
    """Scans of which covariate and value are known."""

    before: NDArray[np.float64]
    after: NDArray[np.float64]
    covariate: NDArray[np.float64]
    subjects: list[str]
    directions: list[str]


def covariate_numbers(lines: Sequence[ProfiledLine], covariate: str) -> Iterator[GroupNumber]:
    """Yield slope and partial correlation of a covariate before and after, and what of them is kept.

    Parameters
    ----------
    lines : sequence of ProfiledLine
    covariate : str
        Name of a column of the table; lines without a number there are left out.

    Yields
    ------
    GroupNumber
        For each method, tissue and quantity, over all of its lines; the directions are held fixed.
    """
    for method in methods_of(lines):
        of_method = [line for line in lines if line.method == method]
        for tissue in THREE_TISSUES:
            for field, metric, unit in QUANTITIES:
                group = Group(method, OVERALL, metric, tissue, unit)
                yield from _numbers(_cases(of_method, covariate, tissue, field), group, covariate)


def covariate_value(line: ProfiledLine, covariate: str) -> float | None:
    """Return the covariate of a line; None where there is no finite number.

    Parameters
    ----------
    line : ProfiledLine
    covariate : str
    """
    try:
        value = float(line.row.others.get(covariate, ""))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _cases(lines: Sequence[ProfiledLine], covariate: str, tissue: str, field: str) -> _Cases:
    """Collect the lines of which all is known."""
    known = []
    for line in lines:
        profiles = [line.of(scan).get(tissue) for scan in ("source", "harmonized")]
        numbers: list[Any] = [None if profile is None else getattr(profile, field) for profile in profiles]
        numbers.append(covariate_value(line, covariate))
        if all(number is not None for number in numbers):
            known.append((*numbers, line.row.subject, line.row.direction))
    before, after, of_covariate = (np.array([case[n] for case in known], np.float64) for n in range(3))
    return _Cases(before, after, of_covariate, [case[3] for case in known], [case[4] for case in known])


def _numbers(cases: _Cases, group: Group, covariate: str) -> Iterator[GroupNumber]:
    """Yield the numbers of one quantity, or why there are none."""
    slope, correlation = f"slope of {covariate}", f"partial correlation with {covariate}"
    of_slope, of_share, of_correlation = (
        replace(group, unit=unit) for unit in (f"{group.unit} per unit of {covariate}", "%", "1")
    )
    try:
        found = _kept(cases, covariate)
    except InputError as error:
        for name, its_group in ((f"{slope}, kept", of_share), (f"{correlation}, change", of_correlation)):
            yield GroupNumber(name, its_group, reason=str(error))
        return
    n = len(set(cases.subjects))
    for stage, effect in (("before", found.before), ("after", found.after)):
        for name, its_group, value in (
            (slope, of_slope, effect.slope),
            (correlation, of_correlation, effect.partial_correlation),
        ):
            reason = effect.reason if value is None else ""
            yield GroupNumber(f"{name} {stage}", its_group, value, n_subjects=n, reason=reason)
    yield GroupNumber.of_interval(f"{slope}, kept", of_share, found.slope_kept)
    yield GroupNumber.of_interval(f"{correlation}, change", of_correlation, found.correlation_change)


def _kept(cases: _Cases, covariate: str) -> CovariateKept:
    """Compare the effects with the directions held fixed; raises where they cannot be found."""
    if not cases.subjects:
        raise InputError(f"no line has a number in the column {covariate}, and tissues")
    if "" in cases.subjects:
        raise InputError(NO_SUBJECTS)
    names = list(dict.fromkeys(cases.directions))[1:]
    confounders = np.array([[direction == name for name in names] for direction in cases.directions], np.float64)
    return covariate_kept(
        cases.before,
        cases.after,
        cases.covariate,
        cases.subjects,
        rng=np.random.default_rng(SEED),
        confounders=confounders.reshape(len(cases.subjects), len(names)),
    )
