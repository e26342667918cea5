"""The report of a study: one page on all scans of a folder of results, made of what is on disk."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hail_mri.provenance.folder_names import RESULT_TABLE
from hail_mri.provenance.free_paths import require_file_free
from hail_mri.report.blocks import badge, paragraph
from hail_mri.report.page import Section, page, write_page
from hail_mri.report.study.attention import attention
from hail_mri.report.study.charts import tiles
from hail_mri.report.study.counts import BADGES, WORDS, count_kinds, verdict_sentence
from hail_mri.report.study.findings import find
from hail_mri.report.study.mosaic import mosaic
from hail_mri.report.study.probe_section import probe_blocks
from hail_mri.report.study.prose import MOSAIC
from hail_mri.report.study.result_rows import read_result_rows
from hail_mri.report.study.scans import StudyScan, study_scan
from hail_mri.report.study.sections import map_blocks, method_blocks
from hail_mri.report.study.survey import StudyEntry, survey
from hail_mri.report.study.tables import scan_table, site_table

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
        Section("map", "Map of the sites", map_blocks(findings)),
        Section("probe", "Can the site still be told?", probe_blocks(findings)),
        Section("sites", "Sites", [site_table(entries)]),
        Section("scans", "Scans", [scan_table(entries, findings)]),
        Section("methods", "How this was made", method_blocks(scans)),
    ]
    return page("Harmonization of a study", sections, lead=[paragraph(sentence, f"verdict {verdict}"), tiles(counts)])
