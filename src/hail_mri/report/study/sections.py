"""Sections of a study's report: the map of sites, and how all was made."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from hail_mri.report.blocks import Cell, Column, definitions, figure, listing, paragraph, side_by_side, table
from hail_mri.report.study.charts import scatter, site_legend
from hail_mri.report.study.findings import Findings
from hail_mri.report.study.names import NO_SITE, anchor_of
from hail_mri.report.study.prose import MAP, METHODS, REFERENCES, SEVERAL
from hail_mri.report.study.scans import StudyScan


def map_blocks(findings: Findings) -> list[Markup]:
    """Return the map before and after, or why there is none."""
    found = findings.map
    if found is None:
        return [paragraph("There is no map: fewer than three scans could be measured before and after.")]
    names = sorted({entry.scan.site for entry in findings.mapped}, key=lambda site: (not site, site))
    numbers = [names.index(entry.scan.site) for entry in findings.mapped]
    words = [f"{entry.scan.name}, {entry.scan.site or NO_SITE}" for entry in findings.mapped]
    anchors = [anchor_of(entry.scan) for entry in findings.mapped]
    both = np.concatenate([found.before, found.after])
    limits = np.stack([both.min(axis=0), both.max(axis=0)])
    maps = [
        figure(scatter(places, limits, numbers, words, anchors, name=name))
        for name, places in (("Before", found.before), ("After", found.after))
    ]
    shares = " and ".join(f"{100 * share:.0f} %" for share in found.explained)
    left_out = f"{len(findings.mapped)} scans could be measured before and after and are shown. "
    return [
        paragraph(MAP),
        site_legend([name or NO_SITE for name in names]),
        side_by_side(maps, "charts"),
        paragraph(f"{left_out}The axes, which are the same for both maps, hold {shares} of all variance.", "soft"),
    ]


def method_blocks(scans: Sequence[StudyScan]) -> list[Markup]:
    """Return what the results were made with, and how this page was."""
    made = Counter(scan.made_with for scan in scans if scan.made_with)
    targets = Counter(scan.target for scan in scans if scan.result is not None)
    blocks: list[Markup] = []
    for caption, counted in (("Made with", made), ("Target", targets)):
        lines: list[list[Cell | str]] = [[words or "not known", Cell(str(n), n)] for words, n in counted.most_common()]
        blocks += [table(caption, [Column(caption), Column("scans", is_number=True)], lines)] if lines else []
    if len(targets) > 1 or len(made) > 1:
        blocks.append(paragraph(SEVERAL))
    return [*blocks, definitions(METHODS), listing(REFERENCES)]
