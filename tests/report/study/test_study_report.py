import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from hail_mri.errors import MissingFileError, OutputExistsError
from hail_mri.harmonize.check import Check
from hail_mri.report.study.scans import StudyScan
from hail_mri.report.study.survey import StudyEntry
from hail_mri.report.study_report import read_study, study_page, write_study_report

HOSTILE = "<img src=x onerror=\"document.title='owned'\">{{ 7 * 7 }}\u202egzi.nii"


@pytest.fixture(scope="module")
def written(study_dir, tmp_path_factory):
    """Return a copy of the study's folder with its report."""
    folder = tmp_path_factory.mktemp("copy") / "out"
    shutil.copytree(study_dir.parent, folder.parent, dirs_exist_ok=True)
    write_study_report(folder, overwrite=False)
    return folder


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_the_report_of_a_folder_tells_what_became_of_every_scan(written):
    html = (written / "study_report.html").read_text()
    text = text_of(html)

    assert "2 of 4 scans were harmonized. 2 have no result. 1 is worth a look." in text
    assert "sub-2_T1w.nii.gz : it is damaged or cut short" in text
    assert "A/lost.nii.gz does not exist" in text
    assert "source: brightness (1 scan)" in text
    assert html.count("data:image/jpeg") == 5  # the lost one has a source
    assert "There is no map" in text
    assert "one site only" in text


def test_nothing_is_written_but_the_report_and_what_was_measured(written, study_dir):
    new = {path.relative_to(written) for path in written.rglob("*")} - {
        p.relative_to(study_dir) for p in study_dir.rglob("*")
    }

    assert {path.parts[0] for path in new} == {"study_report.html", "study_features"}
    assert len(new) == 2 + 2
    assert sorted(path.name for path in written.parent.iterdir()) == sorted(p.name for p in study_dir.parent.iterdir())


def test_the_same_folder_gives_the_same_bits(written):
    before = (written / "study_report.html").read_bytes()

    write_study_report(written, overwrite=True)

    assert (written / "study_report.html").read_bytes() == before


def test_a_report_that_is_there_stays_unless_it_may_be_replaced(written):
    with pytest.raises(OutputExistsError, match=r"study_report\.html exists"):
        write_study_report(written, overwrite=False)


def test_a_folder_without_a_table_has_no_report(tmp_path):
    with pytest.raises(MissingFileError, match=r"harmonized\.tsv does not exist"):
        write_study_report(tmp_path, overwrite=False)
    assert not list(tmp_path.iterdir())


def test_sites_may_come_from_participants(written):
    (written / "harmonized.tsv").write_text((written / "harmonized.tsv").read_text().replace("\tA\t", "\tn/a\t"))

    assert [scan.site for scan in read_study(written, {"0": "X", "1": "Y"})] == ["X", "Y", "", "Y"]


def test_the_report_of_four_hundred_scans_is_small_enough_to_send(make_entries):
    html = study_page(make_entries(10, 40, picture_size=80))

    assert html.count("data:image/jpeg") == 800
    assert len(html) < 8_000_000  # the pictures are noise, which no JPEG makes small


@pytest.fixture
def opened(open_file, tmp_path):
    """Return a function that opens the report of entries, or a page that was made of them, in a browser."""

    def open_entries(entries, **options):
        path = tmp_path / "study_report.html"
        path.write_text(entries if isinstance(entries, str) else study_page(entries), encoding="utf-8")
        return open_file(path, **options)

    return open_entries


@pytest.fixture(scope="module")
def entries(make_entries):
    """Three sites, one scan far from its own, one worth a look with a report, one that failed."""
    found = make_entries(3, 6, picture_size=144)
    for name, value in found[4].measures.after.items():
        found[4].measures.after[name] = value * (1.5 if name.startswith(("csf", "deep_csf")) else 1)
    checks = (("Source", Check("brightness", "check", "3", "at most 2", "dim it")),)
    looked_at = replace(found[7].scan, verdict="check", checks=checks, report="site B/a report.html")
    found[7] = replace(found[7], scan=looked_at)
    failed = StudyScan(99, "sub-x.nii.gz", None, None, status="failed", message="cut short", site="site C")
    here = next(iter(found)).measures
    return [
        *(replace(entry, scan=replace(entry.scan, result=Path("a"))) for entry in found),
        StudyEntry(failed, replace(here, before={}, after={}, box=None)),
    ]


@pytest.fixture(scope="module")
def entries_page(entries):
    return study_page(entries)


def test_it_loads_nothing_and_has_no_error(entries_page, opened):
    found = opened(entries_page)
    found.page.wait_for_load_state("networkidle")

    assert [url for url in found.requests if not url.startswith("data:")] == [found.page.url]
    assert found.errors == []
    assert found.page.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")


def test_the_tables_sort_by_mouse_and_by_keyboard(entries, entries_page, opened):
    page = opened(entries_page).page
    table = page.locator("table", has_text="Every line of the table of results")
    names = lambda: table.locator("tbody th").all_inner_texts()  # noqa: E731

    table.get_by_role("button", name="verdict").click()
    assert names()[0] == "sub-x.nii.gz"
    assert names()[1] == entries[7].scan.name
    table.get_by_role("button", name="distance in site").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert entries[4].scan.name in names()[:2]  # n/a, which has no number, and then the farthest


def test_what_to_look_at_leads_to_the_line_of_the_scan(entries, entries_page, opened):
    page = opened(entries_page).page
    section = page.locator("section", has=page.locator("#attention"))

    assert "Unlike the others of their site" in section.inner_text()
    section.get_by_role("link", name=entries[4].scan.name).click()

    assert page.url.endswith("#scan-6")
    assert page.evaluate("document.querySelector(':target').closest('tr').cells.length") == 13
    report = page.get_by_role("link", name="report", exact=True)
    assert report.get_attribute("href") == "./site%20B/a%20report.html"


def test_sites_differ_in_colour_and_in_shape(make_entries, opened):
    page = opened(make_entries(12, 3)).page
    kinds = page.eval_on_selector_all(
        ".legend path", "(all) => all.map((p) => p.getAttribute('d') + getComputedStyle(p).fill)"
    )

    assert len(kinds) == 12
    assert len(set(kinds)) == 12


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(entries_page, opened, scheme):
    page = opened(entries_page, viewport={"width": 360, "height": 740}, color_scheme=scheme).page

    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.locator(".shots a").first.bounding_box()["width"] < 120


def test_a_name_of_255_letters_leaves_room_for_the_other_columns(entries, opened):
    long = replace(entries[-1].scan, name=f"{'x' * 248}.nii.gz", subject="x" * 248)
    page = opened([*entries[:-1], replace(entries[-1], scan=long)]).page

    widest = max(box["width"] for box in (cell.bounding_box() for cell in page.locator("th, td").all()))
    assert widest < 500


def test_a_reason_that_begins_with_the_name_of_its_scan_is_one_sentence(entries):
    scan = replace(entries[-1].scan, message=f"{entries[-1].scan.name} is cut short")

    assert "sub-x.nii.gz</a> is cut short</li>" in study_page([*entries[:-1], replace(entries[-1], scan=scan)])


def test_of_a_very_long_reason_the_beginning_and_the_end_are_shown(entries):
    long = replace(entries[-1].scan, message=f"{'x' * 300} could not be written to {'y' * 300} (File name too long)")

    text = study_page([*entries[:-1], replace(entries[-1], scan=long)])

    (item,) = re.findall(r"<li>[^\n]*: (x+ [^\n]*)</li>", text)
    assert item.startswith("x" * 100)
    assert item.endswith("y (File name too long)")
    assert len(item) < 420


def test_hostile_names_and_messages_are_text(entries, opened):
    texts = dict.fromkeys(("name", "subject", "site", "message", "target", "made_with"), HOSTILE)
    checks = (("<b>", Check(HOSTILE, "fail", HOSTILE, HOSTILE, HOSTILE)),)
    scan = replace(entries[0].scan, **texts, checks=checks, problems=(HOSTILE,), verdict="fail")
    found = opened([replace(entries[0], scan=scan), *entries[1:]])
    found.page.wait_for_load_state("networkidle")

    assert found.page.title() == "Harmonization of a study"
    assert found.errors == []
    assert "owned" in found.page.locator("#attention + *, section").first.inner_text()
    assert found.page.locator("img[src=x]").count() == 0
    assert "\u202e" not in found.page.content()
