"""The section of a study's report on what still tells the site: what the probe says in words, its figures, and why."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from hail_mri.evaluation.probe_chance import ProbeChange
from hail_mri.report.blocks import Cell, Column, figure, paragraph, table
from hail_mri.report.study.charts import Bar, bars
from hail_mri.report.study.findings import Findings
from hail_mri.report.study.names import NO_SITE
from hail_mri.report.study.probes import SURE, Probed, Probes
from hail_mri.report.study.prose import PROBE
from hail_mri.report.study.scans import StudyScan
from hail_mri.report.study.tables import number_cell

N_STRONGEST = 3
NOTABLE = 0.1  # of how far sites lie apart: less is said to be no change
_PROBE_COLUMNS = (
    Column("state"),
    *(
        Column(name, is_number=True)
        for name in ("scans told right", "balanced, %", "from", "to", "chance, %", "chance from", "to", "p")
    ),
)
_EFFECT_COLUMNS = (
    Column("feature, in % of white matter"),
    *(
        Column(name, is_number=True)
        for name in (
            "between sites before",
            "after",
            "within sites before",
            "after",
            "site's share before, %",
            "after",
        )
    ),
)
_TISSUE_WORDS = {"csf": "fluid", "deep_csf": "deep fluid"}


def probe_blocks(findings: Findings) -> list[Markup]:
    """Return what the probe says, or why there is none."""
    probes = findings.probes
    if probes.before is None or probes.after is None:
        return [paragraph(f"This could not be asked: {probes.reason}.")]
    states = {"Before": probes.before, "After": probes.after}
    chance = probes.before.probe.chance
    chart = [
        Bar(name, i.estimate, i.low, i.high)
        for name, i in ((name, state.probe.balanced_accuracy) for name, state in states.items())
        if i.estimate is not None
    ]
    blocks = [
        *(paragraph(words) for words in [*probe_words(probes), *stripping_words([e.scan for e in findings.mapped])]),
        figure(bars(chart, chance, title="Share of scans whose site is told right, before and after")),
        table(
            "Balanced accuracy with its interval of 95 % by subject, and what chance gives on these scans",
            _PROBE_COLUMNS,
            [_probe_row(name, state) for name, state in states.items()],
            sortable=False,
        ),
        _effect_table(probes.before, probes.after, probes.names),
        paragraph(PROBE, "soft"),
    ]
    return [*blocks, paragraph(f"Beware: {probes.caution}.")] if probes.caution else blocks


def probe_words(probes: Probes) -> list[str]:
    """
    Return what the probe says, and what it does not say.

    Parameters
    ----------
    probes : Probes
        With both states.
    """
    before, after, change = probes.before, probes.after, probes.change
    if before is None or after is None or change is None:
        return []
    n_scans = len(after.probe.is_right)
    told = (
        f"After harmonization the site of {sum(after.probe.is_right)} of {n_scans} scans is told right, which "
        f"{_by_chance(after)}; before, of {sum(before.probe.is_right)}, which {_by_chance(before)}. "
        f"{_change_words(change)}"
    )
    sizes = [float(np.sqrt(np.mean(state.effect.between**2))) for state in (before, after)]
    size = (
        f"The sites lie {_percent(sizes[0])} of white matter apart before and {_percent(sizes[1])} after (standard "
        "deviation between sites beyond chance, root mean square over features). "
    )
    if sizes[1] > (1 - NOTABLE) * sizes[0]:
        farther = sizes[1] > (1 + NOTABLE) * sizes[0]
        size += "So they lie farther apart than before" if farther else "So they lie about as far apart as before"
        size += ": see by which features in the table."
    elif after.is_told:
        size += (
            "So they have come nearer to each other. That the site is told all the same is no contradiction: a "
            "classifier asks whether a difference is steadier than people differ, not how large it is."
        )
    return [told, size.strip(), *_no_width(before, after)]


def stripping_words(scans: Sequence[StudyScan]) -> list[str]:
    """Return which sites are skull-stripped, if some scans are and others are not.

    Parameters
    ----------
    scans : sequence of StudyScan
    """
    kinds: dict[str, list[bool]] = {}
    for scan in scans:
        if scan.skull_stripped is not None:
            kinds.setdefault(scan.site or NO_SITE, []).append(scan.skull_stripped)
    flags = [flag for of_site in kinds.values() for flag in of_site]
    if all(flags) or not any(flags):
        return []
    told = [
        f"{site} ({'all' if all(of_site) else sum(of_site)} of {len(of_site)})"
        for site, of_site in sorted(kinds.items())
        if any(of_site)
    ]
    words = (
        f"Skull-stripped are scans of {', '.join(told)}; others are whole heads. Fluid is compared deep in the "
        "brain alone, where stripping takes none; how the tissues were found may differ a little nevertheless."
    )
    return [words]


def _by_chance(state: Probed) -> str:
    """Return how an accuracy compares with chance."""
    if state.chance.least_p > SURE:
        return (
            "cannot be compared with chance (too few subjects of different sites have as many scans, so that p is "
            f"{state.chance.least_p:.2g} or more)"
        )
    p_value = f"p = {state.chance.p_value:.2g}"
    return f"is more than chance lets expect ({p_value})" if state.is_told else f"is within chance ({p_value})"


def _no_width(before: Probed, after: Probed) -> list[str]:
    """Return what an interval without width hides: of answers that are all right the bootstrap draws right ones."""
    n_subjects = [s.probe.balanced_accuracy.n_subjects for s in (before, after) if all(s.probe.is_right)]
    if not n_subjects:
        return []
    least = 0.05 ** (1 / max(n_subjects))  # exact one-sided bound of 95 %, of as many right answers as subjects
    words = (
        "Where all answers are right, the interval by the bootstrap has no width. It would not be surprising with "
        f"{max(n_subjects)} subjects if of others only {100 * least:.0f} % were told right."
    )
    return [words]


def _change_words(change: ProbeChange) -> str:
    """Return what may be said of the difference between before and after."""
    difference = change.difference.estimate or 0.0
    if change.p_value > SURE:
        return (
            f"The difference between the two is within chance (p = {change.p_value:.2g}): it says neither that the "
            "site is told better nor that it is told worse."
        )
    return (
        f"The site is told {'less' if difference < 0 else 'more'} often than before, and not by chance "
        f"(p = {change.p_value:.2g})."
    )


def _probe_row(name: str, state: Probed) -> list[Cell | str]:
    """Return the cells of one state."""
    found, chance, is_right = state.probe.balanced_accuracy, state.chance, state.probe.is_right
    shares = (found.estimate, found.low, found.high, state.probe.chance, chance.low, chance.high)
    return [
        name,
        Cell(f"{sum(is_right)} of {len(is_right)}", sum(is_right)),
        *(number_cell(np.nan if share is None else 100 * share, 0) for share in shares),
        number_cell(chance.p_value, 3),
    ]


def _effect_table(before: Probed, after: Probed, names: tuple[str, ...]) -> Markup:
    """Return the features by which sites are told most after harmonization."""
    order = np.argsort(-after.effect.share, kind="stable")[:N_STRONGEST].tolist()
    effects = (before.effect, after.effect)
    columns = [(effect.between, 1) for effect in effects] + [(effect.within, 1) for effect in effects]
    columns += [(effect.share, 0) for effect in effects]
    rows: list[list[Cell | str]] = [
        [
            feature_words(names[number]),
            *(number_cell(100 * float(values[number]), digits) for values, digits in columns),
        ]
        for number in order
    ]
    return table(
        f"What tells the sites after harmonization: the {N_STRONGEST} features with the largest share of the site",
        _EFFECT_COLUMNS,
        rows,
        sortable=False,
    )


def feature_words(name: str) -> str:
    """Return a feature's name for people.

    Examples
    --------
    >>> feature_words("csf_p10"), feature_words("grey_matter_median")
    ('fluid, 10 %', 'grey matter, median')
    """
    tissue, statistic = name.rsplit("_", 1)
    words = _TISSUE_WORDS.get(tissue, tissue.replace("_", " "))
    return f"{words}, {statistic[1:]} %" if statistic[1:].isdecimal() else f"{words}, {statistic}"


def _percent(share: float) -> str:
    """Return a share as text."""
    return f"{100 * share:.1f} %"
