"""The report of one scan: what came in, what came out, what was changed, and whether it is to be trusted."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from hail_mri.errors import InputError
from hail_mri.image.grid_difference import grid_difference
from hail_mri.image.mask import MASK_THRESHOLD, TOLERANCE_MM, load_mask
from hail_mri.image.nifti import load_volume
from hail_mri.image.orientation import to_canonical
from hail_mri.provenance.free_paths import require_file_free
from hail_mri.provenance.hashes import file_sha256
from hail_mri.report.blocks import Picture, before_after, paragraph, picture_grid, side_by_side, text_to_copy
from hail_mri.report.change_section import change_section
from hail_mri.report.checks_section import checks_section
from hail_mri.report.histograms import count_tissues, histogram_charts, medians_table
from hail_mri.report.lesion_section import lesion_section
from hail_mri.report.methods_text import methods_paragraphs
from hail_mri.report.page import Section, page, write_page
from hail_mri.report.planes import ORIENTATION, PLANES, WINDOW, Place
from hail_mri.report.provenance_section import concerns_of_files, file_states, provenance_section
from hail_mri.report.registration_section import registration_section
from hail_mri.report.scan_record import ScanRecord, read_record, shown
from hail_mri.report.scan_view import ScanView, view_scan
from hail_mri.report.target_view import TargetView, pictures_of, view_target
from hail_mri.report.trust import concerns_of, trust_blocks, worst_first

CARD_SUFFIX = ".json"
JUDGED_BY = (
    "The same model has usually made the result: these histograms explain it, and do not prove it. Each scan is shown "
    "in percent of its own white matter, but the result in percent of the target's."
)


@dataclass(frozen=True)
class ReportFiles:
    """What a report is made of; the sidecar of the result lies beside it.

    Attributes
    ----------
    source, result, target : Path
        The target is a scan or a style card.
    is_style_card : bool
    brain_mask, lesion_mask : Path or None
        Of the source.
    """

    source: Path
    result: Path
    target: Path
    is_style_card: bool = False
    brain_mask: Path | None = None
    lesion_mask: Path | None = None


@dataclass(frozen=True)
class _Views:
    """The scans of a report, where planes cut source and result, and where the lesion is, if there is one."""

    source: ScanView
    result: ScanView
    target: TargetView
    place: Place
    lesion: NDArray[np.bool_] | None


def files_of_result(result: Path) -> ReportFiles:
    """
    Return what a report of a result is made of, as its sidecar tells.

    Raises
    ------
    MissingFileError
        If there is no sidecar.
    InputError
        If source or target are not where it says.
    """
    record = read_record(result)

    def needed(name: str) -> Path:
        path = record.path(name)
        if path is None:
            told = shown(record.told.get(name, "nothing"))
            raise InputError(f"the {name} of {result} is not where its sidecar says: {told}", "put it back there")
        return path

    target = needed("Target")
    is_card = target.name.lower().endswith(CARD_SUFFIX)
    return ReportFiles(needed("Source"), result, target, is_card, record.path("BrainMask"), record.path("LesionMask"))


def write_scan_report(files: ReportFiles, report_path: Path, *, overwrite: bool) -> None:
    """
    Write the report of a result as one HTML file.

    Parameters
    ----------
    files : ReportFiles
    report_path : Path
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    HailError
        If a file cannot be read, belongs to another scan, or the report cannot be written.

    Notes
    -----
    The same files give the same bytes: times and versions are those that the sidecar tells, the version of the writer
    aside.
    """
    require_file_free(report_path, overwrite=overwrite)
    write_page(scan_report(files), report_path, overwrite=overwrite)


def scan_report(files: ReportFiles) -> str:
    """Return the report of a result as HTML; errors as of `write_scan_report`."""
    record = read_record(files.result)
    views = _views(files, record)
    masks = {"BrainMask": files.brain_mask, "LesionMask": files.lesion_mask}
    masks |= {name: record.path(name) for name in ("TargetMask", "TargetLesionMask")}
    read = {"Source": files.source, "Target": files.target, "Result": files.result}
    read |= {name: path for name, path in masks.items() if path is not None}
    states = file_states(record, read)
    concerns = [*concerns_of(record), *concerns_of_files(states)]
    sections = [_histograms(views), change_section(views.source, views.result, views.place)]
    if views.lesion is not None:
        section, found = lesion_section(views.source, views.result, views.lesion)
        sections.append(section)
        if not any(check.name == "lesions judged" for check in record.checks.get("Result", ())):  # said already
            concerns += found
    registration = registration_section(record, views.source)
    if registration is not None:
        sections.append(registration)
    sections += [checks_section(record.checks), _methods(record, files), provenance_section(record, states)]
    lead = [*trust_blocks(record.checks, worst_first(concerns)), *_first_look(views, files, record)]
    sha256 = file_sha256(files.result)
    return page(f"Harmonization of {files.source.name}", sections, lead=lead, result_sha256=sha256)


def _views(files: ReportFiles, record: ScanRecord) -> _Views:
    """Look at all scans."""
    source, result = load_volume(files.source), load_volume(files.result)
    difference = grid_difference(result.grid, source.grid, tolerance_mm=TOLERANCE_MM)
    if difference:
        raise InputError(f"{files.result} is on another grid than {files.source}: {difference}", "is it its result?")
    mask = None if files.brain_mask is None else load_mask(files.brain_mask, source, files.source)
    seen, lesion = view_scan(source, brain_mask=mask), None
    place = Place.of(seen.centre, seen.volume.spacing)
    if files.lesion_mask is not None:
        marked = load_mask(files.lesion_mask, source, files.source, of="the lesion")
        lesion = to_canonical(marked).data > MASK_THRESHOLD
        seen = seen.without(lesion)
    target = view_target(
        files.target,
        is_style_card=files.is_style_card,
        brain_mask=record.path("TargetMask"),
        lesion_mask=record.path("TargetLesionMask"),
    )
    # The result is in the target's unit; between the two where only a part of the change was asked for.
    scale = seen.scale.mixed(target.scale, record.strength)
    return _Views(seen, seen.with_result(result, scale), target, place, lesion)


def _first_look(views: _Views, files: ReportFiles, record: ScanRecord) -> Sequence[Markup]:
    """Return the scans beside each other, and the slider."""
    source = pictures_of(views.source, views.place, "source")
    result = pictures_of(views.result, views.place, "harmonized")
    columns: dict[str, dict[str, Picture]] = {"source": source}
    if views.target.pictures:
        columns["target"] = dict(views.target.pictures)
    columns["harmonized"] = result
    rows = [[pictures[plane] for pictures in columns.values()] for plane in PLANES]
    what = f"{files.source.name} in the look of {files.target.name}, by the model {record.settings.get('model')}"
    caption = f"Through the middle of each brain; grey from no signal to {WINDOW[1]:g} % of white matter. {ORIENTATION}"
    if not views.target.pictures:
        caption += " The target is a style card: there is no picture of it."
    views_by_plane = {plane: (source[plane], result[plane]) for plane in PLANES}
    slider = before_after(
        "before-after",
        views_by_plane,
        names=("source", "harmonized"),
        caption="Drag the line, or move it with the arrow keys.",
    )
    return [
        paragraph(f"{what}, hail-mri {record.version}.", "soft"),
        side_by_side([picture_grid([*columns], rows, caption), slider]),
    ]


def _histograms(views: _Views) -> Section:
    """Return the section of intensities by tissue."""
    scans = {"source": count_tissues(views.source), "harmonized": count_tissues(views.result)}
    if views.target.counts:
        scans = {"source": scans["source"], "target": dict(views.target.counts), "harmonized": scans["harmonized"]}
    source, target = (view.scale.high for view in (views.source, views.target))
    units = f"100 is {source:.4g} in the source's units and {target:.4g} in the target's."
    told = dict.fromkeys((views.source.told, views.target.told))
    blocks = [paragraph(f"{' '.join(told)} {units}"), *histogram_charts(scans), medians_table(scans)]
    return Section("histograms", "Intensities by tissue", [*blocks, paragraph(JUDGED_BY, "soft")])


def _methods(record: ScanRecord, files: ReportFiles) -> Section:
    """Return the section with the text for a paper."""
    paragraphs = methods_paragraphs(record, is_style_card=files.is_style_card)
    return Section("methods", "Methods text", [text_to_copy("methods-text", paragraphs)])
