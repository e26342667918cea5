"""Whether a subject who was scanned at several sites has the same volumes and intensities at all of them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from hail_mri.evaluation.group_number import Group, GroupNumber
from hail_mri.evaluation.label_schemes import THREE_TISSUES
from hail_mri.evaluation.reliability import icc_agreement, within_subject_variation
from hail_mri.evaluation.site_scans import ProfiledLine, SiteScan, methods_of, scans_by_target, told_target

QUANTITIES = (("volume_ml", "volume", "ml"), ("mean", "mean intensity", "profile scale"))
ICC, VARIATION = "ICC(2,1)", "within-subject variation"
STAGES = ("before", "after")


def travelling_agreement(lines: Sequence[ProfiledLine]) -> Iterator[GroupNumber]:
    """Yield ICC(2,1) and the coefficient of variation of tissue volumes and tissue means, before and after.

    Parameters
    ----------
    lines : sequence of ProfiledLine

    Yields
    ------
    GroupNumber
        For each method, target site, tissue and quantity, over the subjects who have a scan of every site that takes
        part: those scans are brought from and the target site's own. Several scans of a subject at a site count as
        their mean.
    """
    for method in methods_of(lines):
        for target, scans in scans_by_target(lines, method):
            for tissue in THREE_TISSUES:
                for field, metric, unit in QUANTITIES:
                    group = Group(method, told_target(target), metric, tissue, unit)
                    for stage in STAGES:
                        yield from _agreement(scans, group, stage, field)


def _agreement(scans: Sequence[SiteScan], group: Group, stage: str, field: str) -> Iterator[GroupNumber]:
    """Yield both statistics of one quantity."""
    (icc, of_icc), (variation, of_variation) = (
        (f"{statistic} {stage}", replace(group, unit=unit)) for statistic, unit in ((ICC, "1"), (VARIATION, "%"))
    )
    table, reason = _table(scans, stage, group.region, field)
    if table is None:
        yield GroupNumber(icc, of_icc, reason=reason)
        yield GroupNumber(variation, of_variation, reason=reason)
        return
    values, n_subjects = table.to_numpy(), len(table)
    if n_subjects < 2:
        yield GroupNumber(icc, of_icc, n_subjects=n_subjects, reason="there is one travelling subject only")
    else:
        yield GroupNumber.of_correlation(icc, of_icc, icc_agreement(values), n_subjects)
    yield GroupNumber.of_measurement(variation, of_variation, within_subject_variation(values), n_subjects)


def _table(
    scans: Sequence[SiteScan], stage: str, tissue: str, field: str
) -> tuple[pd.DataFrame, str] | tuple[None, str]:
    """Return subjects by sites without gaps, or why there is no such table."""
    known = [
        (scan.subject, scan.site, getattr(profile, field))
        for scan in scans
        if scan.subject and scan.site and (profile := getattr(scan, stage).get(tissue)) is not None
    ]
    rows = pd.DataFrame(known, columns=["subject", "site", "value"]).astype({"value": np.float64})
    if rows.empty:
        return None, "no line names subject and site and has tissues"
    table = rows.pivot_table(values="value", index="subject", columns="site", aggfunc="mean")
    if table.shape[1] < 2:
        return None, "there is one site only"
    complete = table.dropna()
    if complete.empty:
        return None, "no subject was scanned at every site"
    return complete, ""
