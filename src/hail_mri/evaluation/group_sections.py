"""What groups of results show beside their means, as sections of the summary: agreement, site probe, covariate.

A number that is the same for every group for one reason, such as that there is one site, is a sentence, not a table.
"""

from collections.abc import Sequence

from hail_mri.evaluation.group_number import GroupNumber
from hail_mri.evaluation.group_probe import CHANCE, PROBE
from hail_mri.evaluation.markdown import markdown_table
from hail_mri.evaluation.travelling_agreement import ICC, VARIATION
from hail_mri.provenance.tables import NO_VALUE


def agreement_section(groups: Sequence[GroupNumber]) -> str:
    """Return how far subjects agree between sites; nothing where that was not looked at.

    Parameters
    ----------
    groups : sequence of GroupNumber
    """
    text = (
        "Of subjects who were scanned at several sites: scans brought to a site beside the subject's own scan there. "
        "ICC(2,1), 1 where all sites agree, and the variation of a subject over sites, in percent."
    )
    statistics = [f"{statistic} {stage}" for statistic in (ICC, VARIATION) for stage in ("before", "after")]
    return _section("Travelling subjects", text, groups, statistics)


def probe_section(groups: Sequence[GroupNumber]) -> str:
    """Return whether the site can still be told; nothing where that was not looked at.

    Parameters
    ----------
    groups : sequence of GroupNumber
    """
    text = (
        "Balanced accuracy of a classifier that tells from the histograms of a region (tissues; where none are known "
        "the head) at which site a scan was made, subjects held out whole; after a good harmonization by chance only."
    )
    return _section("Site probe", text, groups, [f"{PROBE} before", f"{PROBE} after", CHANCE])


def covariate_section(groups: Sequence[GroupNumber]) -> str:
    """Return whether the effect of a covariate is kept; nothing where there is none.

    Parameters
    ----------
    groups : sequence of GroupNumber
    """
    statistics = list(dict.fromkeys(n.statistic for n in groups if n.statistic.startswith(("slope of", "partial"))))
    text = "Effect on tissues before and after, directions held fixed; a slope of which 100 % is kept is as it was."
    return _section("Covariate", text, groups, statistics)


def _section(title: str, text: str, groups: Sequence[GroupNumber], statistics: Sequence[str]) -> str:
    """Return a table with a group a row and a statistic a column, or why there is none."""
    found = [number for number in groups if number.statistic in statistics]
    if not found:
        return ""
    if all(number.estimate is None for number in found):
        reasons = dict.fromkeys(number.reason for number in found)
        return f"## {title}\n\nNot to be had: {'; '.join(reasons)}."
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for number in found:
        group = number.group
        key = (group.method, group.direction, group.region, group.metric)
        rows.setdefault(key, {})[number.statistic] = _cell(number)
    cells = [[*key, *(row.get(name, NO_VALUE) for name in statistics)] for key, row in rows.items()]
    table = markdown_table(["method", "direction", "region", "of", *statistics], cells)
    missing = dict.fromkeys(number.reason for number in found if number.estimate is None)
    why = f"\n\n{NO_VALUE}: {'; '.join(missing)}." if missing else ""
    return f"## {title}\n\n{text}\n\n{table}{why}"


def _cell(number: GroupNumber) -> str:
    """Return an estimate and its interval."""
    if number.estimate is None:
        return NO_VALUE
    interval = "" if number.low is None or number.high is None else f" [{number.low:.3g}, {number.high:.3g}]"
    return f"{number.estimate:.3g}{interval}"
