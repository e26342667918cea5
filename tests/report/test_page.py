import io
import re

import pytest
from markupsafe import Markup
from PIL import Image

from hail_mri.errors import OutputExistsError
from hail_mri.report.blocks import (
    Cell,
    Column,
    Picture,
    badge,
    before_after,
    definitions,
    figure,
    paragraph,
    picture_grid,
    table,
    text_to_copy,
)
from hail_mri.report.page import Section, page, write_page

HOSTILE = [
    pytest.param("<script>document.title='owned'</script>", id="a script"),
    pytest.param("<img src=x onerror=\"document.title='owned'\">", id="a picture that fails"),
    pytest.param("\" autofocus onfocus=\"document.title='owned'", id="a quote that ends an attribute"),
    pytest.param("' onmouseover='document.title=1", id="a single quote"),
    pytest.param("{{ 7 * 7 }} {% raw %}", id="a template"),
    pytest.param("</style></script></title><h1>owned</h1>", id="what ends an element"),
    pytest.param("Zoë 脑 мозг.nii.gz", id="other scripts"),
    pytest.param("--rf *.nii.gz;  &amp; &lt;b&gt;", id="entities"),
]


def picture(grey, alt="a square"):
    stream = io.BytesIO()
    Image.new("L", (100, 120), grey).save(stream, "PNG")
    return Picture(stream.getvalue(), 100, 120, alt)


def slider():
    views = {name: (picture(30 * k), picture(200)) for k, name in enumerate(("axial", "coronal"))}
    return before_after("slider", views, names=("source", "harmonized"))


def numbers(*, name="numbers"):
    rows = [["b", Cell("1e3", 1000.0), badge("ok")], ["a", "9", badge("fail")], ["c", "10", badge("check")]]
    return table(name, [Column("name"), Column("ml", is_number=True), Column("verdict")], rows)


@pytest.fixture
def opened(tmp_path, open_file):
    """Return a function that opens a page made of blocks."""

    def open_blocks(*blocks, title="A page", **options):
        path = tmp_path / "page.html"
        write_page(page(title, [Section("all", "All", blocks)]), path, overwrite=True)
        return open_file(path, **options)

    return open_blocks


def test_asks_for_nothing_but_itself_and_reports_no_error(opened):
    found = opened(paragraph("text"), numbers(), slider(), figure(picture(3)), text_to_copy("text", ["a", "b"]))
    found.page.wait_for_load_state("networkidle")
    assert [url for url in found.requests if not url.startswith("data:")] == [found.page.url]
    assert found.errors == []


def test_a_script_that_gets_onto_the_page_all_the_same_is_refused(tmp_path, open_file):
    path = tmp_path / "page.html"
    injected = "<script>document.title='owned'</script><img src='https://example.org/x.png' alt='' onerror='x()'>"
    path.write_text(page("A page", [Section("all", "All", [Markup(injected)])]), encoding="utf-8")
    found = open_file(path)
    assert found.page.title() == "A page"
    refused = [error for error in found.errors if "Content Security Policy" in error]
    assert any("example.org" in error for error in refused)
    assert len(refused) == len(found.errors) == 3


@pytest.mark.parametrize("text", HOSTILE)
def test_shows_a_hostile_text_as_text_wherever_it_stands(opened, text):
    found = opened(
        paragraph(text),
        definitions({text: text}),
        table(text, [Column(text)], [[text]]),
        figure(picture(3, alt=text), text),
        picture_grid([text], [[picture(3, alt=text)]], text),
        before_after("slider", {text: (picture(3, text), picture(4, text))}, names=(text, text), caption=text),
        text_to_copy("copy", [text]),
        badge("ok", text),
        title=text,
    )
    assert found.page.title().split() == text.split()
    assert found.page.locator("h1").inner_text().split() == text.split()
    assert found.page.locator("main td, main tbody th").first.text_content() == text
    assert found.page.locator("main img").first.get_attribute("alt") == text
    assert found.page.locator("h1").count() == 1
    assert found.page.locator("main script, main [onerror], main [onfocus], main [autofocus]").count() == 0
    assert found.errors == []


def test_what_cannot_be_seen_in_a_name_is_shown_escaped(tmp_path):
    path = tmp_path / "page.html"
    write_page(page("a\u202egz.iin\udce9\x07\u200b", []), path, overwrite=False)
    assert "<title>a\\u202egz.iin\\udce9\\x07\\u200b</title>" in path.read_text(encoding="utf-8")


def order(found, column):
    return found.page.locator(f"tbody tr > *:nth-child({column})").all_inner_texts()


def test_a_table_is_sorted_by_the_keyboard_and_says_so(opened):
    found = opened(numbers())
    heading = found.page.locator("thead th").nth(1)
    heading.locator("button").focus()
    found.page.keyboard.press("Enter")
    assert (order(found, 2), heading.get_attribute("aria-sort")) == (["9", "10", "1e3"], "ascending")
    found.page.keyboard.press("Space")
    assert (order(found, 2), heading.get_attribute("aria-sort")) == (["1e3", "10", "9"], "descending")
    found.page.locator("thead button").first.click()
    assert (order(found, 1), heading.get_attribute("aria-sort")) == (["a", "b", "c"], "none")


def clip(found):
    return found.page.locator(".over").first.evaluate("element => getComputedStyle(element).clipPath")


def test_the_slider_is_moved_by_the_keyboard_and_clips_the_picture(opened):
    found = opened(slider())
    handle = found.page.locator("input[type=range]")
    assert re.search(r"inset\(0(px)? 50%|calc\(100% - 50%\)", clip(found))
    handle.focus()
    for _ in range(10):
        found.page.keyboard.press("ArrowLeft")
    assert re.search(r"60%|calc\(100% - 40%\)", clip(found))
    assert handle.get_attribute("aria-valuetext") == "40 % source, 60 % harmonized"
    found.page.keyboard.press("End")
    assert handle.input_value() == "100"


def test_the_slider_follows_a_finger_on_the_picture(opened):
    found = opened(slider(), viewport={"width": 360, "height": 740}, has_touch=True)
    box = found.page.locator(".stack").first.bounding_box()
    found.page.touchscreen.tap(box["x"] + 0.25 * box["width"], box["y"] + 20)
    assert 23 <= int(found.page.locator("input[type=range]").input_value()) <= 27


def test_one_plane_is_shown_at_a_time_and_chosen_by_the_keyboard(opened):
    found = opened(slider())
    assert [stack.is_visible() for stack in found.page.locator(".stack").all()] == [True, False]
    found.page.locator("input[type=radio]").first.focus()
    found.page.keyboard.press("ArrowRight")
    assert [stack.is_visible() for stack in found.page.locator(".stack").all()] == [False, True]


def test_a_wide_table_scrolls_by_itself_on_a_phone(opened):
    columns = [Column(f"a long name of column {k}") for k in range(12)]
    found = opened(
        table("wide", columns, [["x" * 20] * 12]),
        paragraph("n" * 300),
        definitions({"h" * 60: "a" * 64}),
        viewport={"width": 360, "height": 740},
    )
    assert found.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_is_the_same_bytes_again_and_replaces_nothing_unasked(tmp_path):
    html = page("Title", [Section("one", "One", [numbers(), slider()])])
    assert html == page("Title", [Section("one", "One", [numbers(), slider()])])
    write_page(html, tmp_path / "new" / "page.html", overwrite=False)
    with pytest.raises(OutputExistsError):
        write_page(html, tmp_path / "new" / "page.html", overwrite=False)
