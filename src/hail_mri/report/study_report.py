"""The report of a study: one page on all scans of a folder of results, made of what is on disk."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from markupsafe import Markup

from hail_mri.provenance.free_paths import require_file_free
from hail_mri.report.blocks import Cell, Column, badge, definitions, figure, listing, paragraph, side_by_side, table
from hail_mri.report.page import Section, page, write_page
from hail_mri.report.study.attention import attention
from hail_mri.report.study.charts import Bar, bars, scatter, site_legend, tiles
from hail_mri.report.study.counts import BADGES, WORDS, count_kinds, verdict_sentence
from hail_mri.report.study.findings import Findings, find
from hail_mri.report.study.mosaic import mosaic
from hail_mri.report.study.names import NO_SITE, anchor_of
from hail_mri.report.study.probes import Probes
from hail_mri.report.study.prose import MAP, METHODS, MOSAIC, PROBE, REFERENCES, SEVERAL
from hail_mri.report.study.result_rows import RESULT_TABLE, read_result_rows
from hail_mri.report.study.scans import StudyScan, study_scan
from hail_mri.report.study.survey import StudyEntry, survey
from hail_mri.report.study.tables import number_cell, scan_table, site_table

STUDY_REPORT = "study_report.html"


def write_study_report(
    output_dir: Path,
    *,
    overwrite: bool,
    sites: Mapping[str, str] | None = None,
    n_processes: int = 1,
    step: Callable[[], None] = lambda: None,
) -> Path:
    """
    Write the report of a study into the folder of its results.

    Parameters
    ----------
    output_dir : Path
        Folder with a table of results, `harmonized.tsv`, of today or an older one.
    overwrite : bool
        Replace a report that is there.
    sites : mapping of str to str, optional
        Sites by subject (without `sub-`), for scans of which the table names none.
    n_processes : int
        Scans that are measured at once.
    step : callable
        Called after each line of the table.

    Returns
    -------
    path : Path
        Of the report, `study_report.html` in the folder. What was measured is kept beside it, in `study_features`: the
        next report is faster, and the same.

    Raises
    ------
    MissingFileError, InputError
        If there is no table of results, or it cannot be read. Scans that cannot be read are named in the report.
    OutputExistsError, UnwritableError
        If the report is there and is not to be replaced, or cannot be written.
    """
    path = output_dir / STUDY_REPORT
    scans = read_study(output_dir, sites)
    require_file_free(path, overwrite=overwrite)
    entries = survey(scans, output_dir, n_processes=n_processes, step=step)
    write_page(study_page(entries), path, overwrite=overwrite)
    return path


def read_study(output_dir: Path, sites: Mapping[str, str] | None = None) -> list[StudyScan]:
    """Return the scans that the table of results of a folder lists; parameters and errors as `write_study_report`."""
    return [study_scan(row, output_dir, sites) for row in read_result_rows(output_dir / RESULT_TABLE)]


def study_page(entries: Sequence[StudyEntry]) -> str:
    """Return the report of a study as HTML."""
    findings = find(entries)
    scans = [entry.scan for entry in entries]
    verdict, sentence = verdict_sentence(scans, len(findings.outliers))
    counts = [(n, WORDS[kind], badge(BADGES.get(kind, ""), "")) for kind, n in count_kinds(scans).items() if n]
    sections = [
        Section("attention", "What to look at", attention(scans, findings)),
        Section("mosaic", "All scans, before and after", [paragraph(MOSAIC, "soft"), mosaic(entries)]),
        Section("map", "Map of the sites", _map_blocks(findings)),
        Section("probe", "Can the site still be told?", _probe_blocks(findings.probes)),
        Section("sites", "Sites", [site_table(entries)]),
        Section("scans", "Scans", [scan_table(entries, findings)]),
        Section("methods", "How this was made", _method_blocks(scans)),
    ]
    return page("Harmonization of a study", sections, lead=[paragraph(sentence, f"verdict {verdict}"), tiles(counts)])


def _map_blocks(findings: Findings) -> list[Markup]:
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
        figure(
            scatter(
                places, limits, numbers, words, anchors, title=f"{len(numbers)} scans of {len(names)} sites, {state}"
            ),
            state,
        )
        for state, places in (("Before", found.before), ("After", found.after))
    ]
    shares = " and ".join(f"{100 * share:.0f} %" for share in found.explained)
    left_out = f"{len(findings.mapped)} scans could be measured before and after and are shown. "
    return [
        paragraph(MAP),
        site_legend([name or NO_SITE for name in names]),
        side_by_side(maps, "charts"),
        paragraph(f"{left_out}The axes, which are the same for both maps, hold {shares} of all variance.", "soft"),
    ]


def _probe_blocks(probes: Probes) -> list[Markup]:
    """Return what the probe says, or why there is none."""
    if probes.before is None or probes.after is None:
        return [paragraph(f"This could not be asked: {probes.reason}.")]
    found = {"Before": probes.before.balanced_accuracy, "After": probes.after.balanced_accuracy}
    chance = probes.before.chance
    rows = [Bar(name, i.estimate, i.low, i.high) for name, i in found.items() if i.estimate is not None]
    cells = [
        [
            name,
            *(number_cell(np.nan if v is None else 100 * v, 0) for v in (i.estimate, i.low, i.high)),
            f"{100 * chance:.0f}",
        ]
        for name, i in found.items()
    ]
    columns = [Column("state"), *(Column(n, is_number=True) for n in ("told right, %", "from", "to", "chance, %"))]
    blocks = [
        paragraph(PROBE),
        figure(bars(rows, chance, title="Share of scans whose site is told right, before and after")),
        table("Balanced accuracy with its interval of 95 % by subject", columns, cells, sortable=False),
    ]
    return [*blocks, paragraph(f"Beware: {probes.caution}.")] if probes.caution else blocks


def _percent(share: float | None) -> Cell:
    """Return a share as a cell in percent."""
    return number_cell(np.nan if share is None else 100 * share, 0)


def _method_blocks(scans: Sequence[StudyScan]) -> list[Markup]:
    """Return what the results were made with, and how this page was."""
    made = Counter(scan.made_with for scan in scans if scan.made_with)
    targets = Counter(scan.target for scan in scans if scan.is_done)
    blocks: list[Markup] = []
    for caption, counted in (("Made with", made), ("Target", targets)):
        rows: list[list[Cell | str]] = [[words or "not known", Cell(str(n), n)] for words, n in counted.most_common()]
        blocks += [table(caption, [Column(caption), Column("scans", is_number=True)], rows)] if rows else []
    if len(targets) > 1 or len(made) > 1:
        blocks.append(paragraph(SEVERAL))
    return [*blocks, definitions(METHODS), listing(REFERENCES)]
