import json
import re
import shutil
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from hail_mri.errors import InputError, MissingFileError, OutputExistsError
from hail_mri.harmonize.style_card import StyleCard
from hail_mri.image.nifti import load_volume, save_volume
from hail_mri.report.lesion_section import lesion_section
from hail_mri.report.report_state import scan_report_path
from hail_mri.report.scan_report import ReportFiles, files_of_result, scan_report, write_scan_report
from hail_mri.report.scan_view import view_scan

PHONE = {"width": 360, "height": 740}
LARGEST_BYTES = 3_000_000


@pytest.fixture(scope="module")
def report(study):
    """Write the report of the scan with the lesion."""
    path = scan_report_path(study.result)
    write_scan_report(
        ReportFiles(study.source, study.result, study.target, lesion_mask=study.lesion), path, overwrite=True
    )
    return path


@pytest.fixture
def edited(study, tmp_path):
    """Return a function that changes the sidecar of a copy of the study, and returns its files."""

    def edit(changes):
        folder = tmp_path / "study"
        shutil.copytree(study.source.parent, folder)
        sidecar = folder / "results" / "result.json"
        told = json.loads(sidecar.read_text(encoding="utf-8"))
        sidecar.write_text(json.dumps(told | changes), encoding="utf-8")
        return ReportFiles(folder / study.source.name, folder / "results" / "result.nii.gz", folder / "target.nii.gz")

    return edit


def verdict(found):
    return found.page.locator(".verdict").inner_text()


def test_opened_from_a_file_it_asks_for_nothing_and_says_no_error(report, open_file):
    found = open_file(report)
    found.page.wait_for_load_state("networkidle")
    assert [url for url in found.requests if not url.startswith("data:")] == [found.page.url]
    assert found.errors == []
    assert report.stat().st_size < LARGEST_BYTES


def test_a_name_made_of_code_is_shown_as_text(report, study, open_file):
    found = open_file(report)
    assert found.page.locator("h1").inner_text() == f"Harmonization of {study.source.name}"
    assert found.page.title() == f"Harmonization of {study.source.name}"
    assert found.page.locator("[onerror]").count() == 0


def test_every_picture_is_described_and_headings_are_in_order(report, open_file):
    found = open_file(report)
    described = found.page.locator("img").evaluate_all("images => images.map(image => image.alt)")
    assert len(described) == 30  # 3 scans, 2 of the slider, the change and 4 of the lesion, in 3 planes each
    assert all(described)
    charts = found.page.locator("svg[role=img]").evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
    assert len(charts) == 6
    assert all(charts)
    levels = [
        int(tag[1]) for tag in found.page.locator("h1, h2, h3").evaluate_all("all => all.map(one => one.tagName)")
    ]
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert levels.count(1) == 1
    loaded = found.page.locator("img").evaluate_all("images => images.every(image => image.naturalWidth > 100)")
    assert loaded


def test_ids_are_there_once_and_links_lead_somewhere(report, open_file):
    found = open_file(report)
    ids = found.page.locator("[id]").evaluate_all("all => all.map(one => one.id)")
    assert len(ids) == len(set(ids))
    targets = found.page.locator("a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    assert {target.removeprefix("#") for target in targets} <= set(ids)


def test_fits_on_a_phone(report, open_file):
    found = open_file(report, viewport=PHONE)
    assert found.page.evaluate("document.documentElement.scrollWidth") <= 360
    wide = found.page.locator("body *").evaluate_all(
        "all => all.filter(one => !one.closest('.scroll, .skip') && one.getBoundingClientRect().right > 361).length"
    )
    assert wide == 0


def test_everything_can_be_reached_by_the_keyboard(report, open_file):
    found = open_file(report)
    reached = set()
    for _ in range(60):
        found.page.keyboard.press("Tab")
        reached.add(found.page.evaluate("document.activeElement.type || document.activeElement.tagName"))
    assert {"A", "range", "radio", "button", "BLOCKQUOTE", "SUMMARY"} <= reached


def test_the_sentence_and_the_table_tell_the_same(report, study, open_file):
    found = open_file(report)
    told = json.loads((study.result.parent / "result.json").read_text(encoding="utf-8"))
    entries = [entry["verdict"] for entries in told["Checks"].values() for entry in entries]
    shown = [text.strip() for text in found.page.locator("#checks ~ .scroll td .badge").all_inner_texts()]
    assert sorted(shown) == sorted(entries)
    order = ["fail", "check", "ok"]
    assert [order.index(one) for one in shown] == sorted(order.index(one) for one in shown)
    assert verdict(found).startswith("fail" if "fail" in entries else "check")


def test_tells_how_the_contrast_changed(report, open_file):
    found = open_file(report)
    rows = found.page.locator("#histograms ~ .scroll tbody tr").all_inner_texts()
    medians = {cells[0]: [float(cell) for cell in cells[1:]] for cells in (row.split("\t") for row in rows)}
    source, target, harmonized = medians["grey matter"]
    assert target - source > 5  # percent of white matter
    assert abs(target - harmonized) < 0.5 * (target - source)
    assert medians["white matter"][0] == 100


def test_shows_what_became_of_the_lesion(report, open_file):
    found = open_file(report)
    text = found.page.locator("section:has(#lesions)").inner_text()
    assert "1 lesion, 1.00 ml" in text
    assert re.search(r"measured\s+1 of 1", text)
    cells = found.page.locator("section:has(#lesions) tbody tr").all_inner_texts()[0].split("\t")
    assert float(cells[2]) < -1
    assert float(cells[3]) < -1


def test_a_small_lesion_that_was_erased_beside_a_large_one_is_told(study):
    source, result = load_volume(study.source), load_volume(study.result)
    large = load_volume(study.lesion).data > 0.5
    small = np.zeros_like(large)
    i, j, k = (int(n) for n in np.argwhere(large).mean(axis=0))
    small[i + 9 : i + 11, j : j + 2, k : k + 2] = True
    marked = np.where(small, 0.5 * source.data, source.data)
    views = [view_scan(source.with_data(marked)), view_scan(source)]
    seen = [view.without(large | small) for view in (views[0], views[0].with_result(result, views[0].scale))]
    section, concerns = lesion_section(*seen, large | small)
    assert any("1 of 2 is not shown by the result" in concern.text for concern in concerns)
    assert any(re.search(r"not shown by the result</dt>\s*<dd>1", str(block)) for block in section.blocks)


def test_the_methods_text_names_version_model_and_papers(report, study, open_file):
    text = open_file(report).page.locator("#methods-text").inner_text()
    told = json.loads((study.result.parent / "result.json").read_text(encoding="utf-8"))
    for expected in (
        f"hail-mri {told['Versions']['hail-mri']} [1]",
        "the model compact",
        told["Sha256"]["Weights"],
        "[2] Parida A",
        "arXiv:2308.11047",
        "neither registered nor corrected for bias fields",
    ):
        assert expected in text


def test_prints_without_what_only_a_screen_can_do(report, open_file):
    found = open_file(report)
    found.page.emulate_media(media="print")
    hidden = found.page.locator("nav, input[type=range], .copy > button")
    assert [one.is_visible() for one in hidden.all()] == [False] * 3


def test_text_stands_out_in_light_and_in_dark(report, open_file):
    for scheme in ("light", "dark"):
        found = open_file(report, color_scheme=scheme)
        colours = found.page.locator("body, .soft, a, .badge").evaluate_all(
            "all => all.map(one => [getComputedStyle(one).color, getComputedStyle(document.body).backgroundColor])"
        )
        assert min(contrast(*pair) for pair in colours) > 4.5, scheme


def contrast(first, second):
    """Contrast ratio of two CSS colours, as the Web Content Accessibility Guidelines define it."""
    luminances = []
    for colour in (first, second):
        rgb = np.array([int(number) for number in re.findall(r"\d+", colour)[:3]]) / 255
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        luminances.append(float(linear @ (0.2126, 0.7152, 0.0722)))
    return (max(luminances) + 0.05) / (min(luminances) + 0.05)


def test_the_same_files_give_the_same_bytes(report, study, tmp_path):
    files = ReportFiles(study.source, study.result, study.target, lesion_mask=study.lesion)
    write_scan_report(files, tmp_path / "again.html", overwrite=False)
    assert (tmp_path / "again.html").read_bytes() == report.read_bytes()


def test_the_sidecar_tells_all_that_a_report_is_made_of(report, study):
    files = files_of_result(study.result)
    assert [path.resolve() for path in (files.source, files.target, files.lesion_mask)] == [
        study.source.resolve(),
        study.target.resolve(),
        study.lesion.resolve(),
    ]
    assert scan_report(files) == report.read_text(encoding="utf-8")


def test_replaces_nothing_unasked(report, study):
    with pytest.raises(OutputExistsError):
        write_scan_report(ReportFiles(study.source, study.result, study.target), report, overwrite=False)


def test_a_style_card_has_no_picture_and_this_is_said(study, tmp_path, open_file):
    card = tmp_path / "site.style.json"
    StyleCard.from_volumes([load_volume(study.target)]).save(card)
    report = tmp_path / "report.html"
    files = ReportFiles(study.source, study.result, card, is_style_card=True)
    write_scan_report(files, report, overwrite=False)
    found = open_file(report)
    assert "The target is a style card: there is no picture of it." in found.page.locator("header").inner_text()
    assert found.page.locator(".grid .head").all_inner_texts()[:3] == ["source", "harmonized", "axial"]
    assert found.page.locator(".chart line.series-2").count() == 4  # means of four tissues


def test_a_file_that_was_changed_since_is_found_out(edited, tmp_path, open_file):
    files = edited({})
    scan = load_volume(files.target)
    save_volume(scan.with_data(1.01 * scan.data), files.target, overwrite=True)
    write_scan_report(files, tmp_path / "report.html", overwrite=False)
    found = open_file(tmp_path / "report.html")
    assert verdict(found).startswith("fail Do not use this result as it is")
    assert "The Target was changed since the result was made" in found.page.locator("header").inner_text()


SCRIPT = "<script>document.title='owned'</script>"
HOSTILE_SIDECARS = [
    pytest.param(
        {
            "Warnings": [SCRIPT],
            "Checks": {"Source": [{"name": "<b>", "verdict": "<i>", "found": [1], "hint": None}]},
            "Settings": {"strength": "9", "model": ["a"], "<img src=x onerror=1>": {"a": [1]}},
            "Seconds": {f"</dl>{SCRIPT}": SCRIPT},
            "Versions": {"hail-mri": "<u>9</u>"},
        },
        id="code in every text",
    ),
    pytest.param(
        {"Checks": [1, 2], "Warnings": "no list", "Settings": 3, "Sha256": None, "Seconds": [1]}, id="other kinds"
    ),
    pytest.param(
        {
            "Registration": {"ReferenceToScan": [[1, 2], [3]], "Reference": "../../etc"},
            "TargetMask": "a\0",
            "Reference": "x" * 5000,
        },
        id="a transform that is none, paths that lead nowhere",
    ),
]


@pytest.mark.parametrize("changes", HOSTILE_SIDECARS)
def test_a_sidecar_that_somebody_made_up_is_shown_as_text_or_left_out(edited, tmp_path, open_file, changes):
    files = edited(changes)
    write_scan_report(files, tmp_path / "report.html", overwrite=False)
    found = open_file(tmp_path / "report.html")
    assert found.errors == []
    assert found.page.locator("main script, header script, [onerror], main b, main u, header i").count() == 0
    assert found.page.title().startswith("Harmonization of ")


def test_a_result_without_a_sidecar_gets_no_report(study, tmp_path):
    alone = tmp_path / "alone.nii.gz"
    shutil.copy(study.result, alone)
    with pytest.raises(MissingFileError, match=r"has no sidecar that can be read, expected alone\.json"):
        write_scan_report(ReportFiles(study.source, alone, study.target), tmp_path / "report.html", overwrite=False)
    assert not (tmp_path / "report.html").exists()


def test_another_scan_is_not_taken_for_the_source(study, tmp_path):
    scan = load_volume(study.source)
    save_volume(replace(scan, data=scan.data[1:]), tmp_path / "other.nii.gz")
    with pytest.raises(InputError, match="is on another grid than"):
        scan_report(ReportFiles(tmp_path / "other.nii.gz", study.result, study.target))


def test_a_lesion_of_the_target_is_no_tissue_to_compare_with(edited, study):
    files = edited({"TargetLesionMask": "../lesion.nii.gz"})
    whole = ReportFiles(study.source, study.result, study.target)
    charts = [re.findall(r'<polyline class="series series-2"[^>]*>', scan_report(each)) for each in (whole, files)]
    assert len(charts[0]) == len(charts[1]) == 5
    assert charts[0] != charts[1]
