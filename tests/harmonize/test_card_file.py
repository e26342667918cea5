"""A card is believed only once all of it is checked: one row for each thing that can be wrong with it."""

import json
import os

import pytest

from hail_mri.errors import InputError, MissingFileError
from hail_mri.harmonize.card_file import LARGEST_BYTES, read_card
from hail_mri.model.feature_style import FeatureStyle
from hail_mri.model.tissue_classes import TISSUE_CLASSES
from hail_mri.model.tissue_style import TissueStyle

HEADER = {
    "format": "hail-mri style card 2",
    "model": "compact",
    "weights_sha256": "0123456789abcdef" * 4,
    "low": 0.0,
    "high": 1200,
    "n_scans": 2,
}
TISSUES = {name: {"mean": 0.5, "error": 0.01, "volume_fraction": 0.05} for name in TISSUE_CLASSES}
FEATURES = {"means": [[0.1, -0.2], [3]], "stds": [[1.0, 0.5], [1e-3]]}
CARD = HEADER | {"tissues": TISSUES}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "site.style.json"


def with_entry(where, value):
    """A card with one entry put in, of a path such as `tissues.fat.mean`."""
    card = json.loads(json.dumps(HEADER | ({"features": FEATURES} if where.startswith("features") else CARD)))
    *folders, name = where.split(".")
    place = card
    for folder in folders:
        place = place[int(folder) if isinstance(place, list) else folder]
    place[int(name) if isinstance(place, list) else name] = value
    return card


def without_entry(where):
    card = with_entry(where, None)
    *folders, name = where.split(".")
    place = card
    for folder in folders:
        place = place[folder]
    del place[name]
    return card


def refusal(path, text):
    """What is said of a file, which is one line that names it."""
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as raised:
        read_card(path)
    start = f"{path} is not a style card: "
    assert str(raised.value).startswith(start)
    assert "\n" not in str(raised.value)
    assert raised.value.hint == "make one with `hail-mri style`"
    return str(raised.value).removeprefix(start)


def test_a_card_of_tissues_is_read(path):
    path.write_text(json.dumps(CARD), encoding="utf-8")
    assert read_card(path).style() == TissueStyle((0.5,) * 16, (0.01,) * 16, (0.05,) * 16)


def test_a_card_of_features_is_read(path):
    path.write_text(json.dumps(HEADER | {"features": FEATURES}), encoding="utf-8")
    assert read_card(path).style() == FeatureStyle(((0.1, -0.2), (3.0,)), ((1.0, 0.5), (1e-3,)))


@pytest.mark.parametrize(
    ("where", "value", "expected"),
    [
        ("format", "hail-mri style card 1", "its format is 'hail-mri style card 1', expected 'hail-mri style card 2'"),
        ("format", None, "its format is None, expected"),
        ("model", 7, "model is 7, expected a text"),
        ("model", "", "model is '', expected 1 to 100 printable letters"),
        ("model", "x" * 101, f"model is '{'x' * 39}..., expected 1 to 100 printable letters"),
        ("model", "a\n\x1b[31m", r"model is 'a\n\x1b[31m', expected 1 to 100 printable letters"),
        ("weights_sha256", "abc", "weights_sha256 is 'abc', expected 64 hexadecimal digits"),
        ("weights_sha256", "g" * 64, "expected 64 hexadecimal digits"),
        ("weights_sha256", "A" * 64, "expected 64 hexadecimal digits in lower case"),
        ("weights_sha256", None, "weights_sha256 is None, expected a text"),
        ("low", "0", "low is '0', expected a number"),
        ("low", False, "low is False, expected a number"),
        ("low", 1200, "low is 1200 and high is 1200, expected high above low"),
        ("low", 5000, "low is 5000 and high is 1200, expected high above low"),
        ("low", 1199.9999, "expected high above low"),
        ("high", 1e31, "high is 1e+31, expected at most 1e+30"),
        ("high", 10**400, "high is 10000000000"),
        ("high", [1], "high is a list of 1, expected a number"),
        ("n_scans", 0, "n_scans is 0, expected at least 1"),
        ("n_scans", -1, "n_scans is -1, expected at least 1"),
        ("n_scans", 10**9, "n_scans is 1000000000, expected at most 1e+06"),
        ("n_scans", 1.0, "n_scans is 1.0, expected a whole number"),
        ("n_scans", True, "n_scans is True, expected a whole number"),
        ("tissues", 3, "tissues is 3, expected an object"),
        ("tissues", None, "it has both tissues and features, or neither"),
        ("tissues", {}, "tissues.background is missing"),
        ("tissues.fat", [1, 2], "tissues.fat is a list of 2, expected an object"),
        ("tissues.fat.mean", "bright", "tissues.fat.mean is 'bright', expected a number"),
        ("tissues.fat.mean", 11, "tissues.fat.mean is 11, expected at most 10"),
        ("tissues.csf.mean", -11.5, "tissues.csf.mean is -11.5, expected at least -10"),
        ("tissues.white_matter.mean", 0, "tissues.white_matter.mean is 0, expected a number above 0"),
        ("tissues.white_matter.mean", -0.6, "tissues.white_matter.mean is -0.6, expected a number above 0"),
        ("tissues.bone.error", -1e-9, "tissues.bone.error is -1e-09, expected at least 0"),
        ("tissues.bone.error", 1e6, "tissues.bone.error is 1000000.0, expected at most 10"),
        ("tissues.bone.volume_fraction", 0, "tissues.bone.volume_fraction is 0, expected a number above 0"),
        ("tissues.bone.volume_fraction", 1.5, "tissues.bone.volume_fraction is 1.5, expected at most 1"),
        ("tissues.bone.volume_fraction", 0.9, "volume fractions of tissues add up to 1.65, expected about 1"),
        ("features", {"means": [], "stds": []}, "features.means is a list of 0, expected at least 1 entry"),
        ("features.means", 3, "features.means is 3, expected a list"),
        ("features.means.0", [], "features.means.0 is a list of 0, expected at least 1 entry"),
        ("features.means.1.0", "3", "features.means.1.0 is '3', expected a number"),
        ("features.means.1.0", 1e7, "features.means.1.0 is 10000000.0, expected at most 1e+06"),
        ("features.stds.0.1", 0.0, "features.stds.0.1 is 0.0, expected a number above 0"),
        ("features.stds.0.1", -1, "features.stds.0.1 is -1, expected a number above 0"),
        ("features.stds.1", [1, 2], "features: means are of [2, 1] channels, stds of [2, 2], expected the same"),
        ("features.means", [[0.0]] * 17, "features.means is a list of 17, expected at most 16 entries"),
    ],
)
def test_an_entry_that_cannot_be_is_named_with_what_it_is_and_should_be(path, where, value, expected):
    assert expected in refusal(path, json.dumps(with_entry(where, value)))


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("colour", "colour is unknown, expected no such entry"),
        ("tissues.dura", "tissues.dura is unknown"),
        ("tissues.fat.maen", "tissues.fat.maen is unknown"),
        ("features.skewness", "features.skewness is unknown"),
        ("\x1b[31m", r"'\x1b[31m' is unknown"),
        ("x" * 1000, f"'{'x' * 39}... is unknown"),
    ],
)
def test_an_entry_that_nobody_knows_is_refused_by_its_name(path, where, expected):
    assert expected in refusal(path, json.dumps(with_entry(where, 0.5)))


@pytest.mark.parametrize(
    "where",
    ["model", "weights_sha256", "low", "high", "n_scans", "tissues.bone", "tissues.fat.error", "features.stds"],
)
def test_an_entry_that_is_missing_is_named(path, where):
    assert refusal(path, json.dumps(without_entry(where))) == f"{where} is missing"


def test_tissues_and_features_in_one_card_are_refused(path):
    assert "it has both tissues and features" in refusal(path, json.dumps(CARD | {"features": FEATURES}))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("name", ["high", "mean", "error", "volume_fraction"])
def test_numbers_that_are_none_are_refused(path, name, number):
    text = json.dumps(with_entry("high" if name == "high" else f"tissues.bone.{name}", "HERE")).replace(
        '"HERE"', number
    )
    assert "expected a finite number" in refusal(path, text).replace("finite numbers", "a finite number")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", "it is no JSON", id="empty"),
        pytest.param("{", "it is no JSON", id="cut short"),
        pytest.param("\ufeff{}", "it is no JSON", id="byte order mark"),
        pytest.param("[]", "it holds a list of 0, expected an object", id="a list"),
        pytest.param("null", "it holds None, expected an object", id="null"),
        pytest.param("{}", "its format is None", id="nothing in it"),
        pytest.param('{"low": 1, "low": 2}', "it has 'low' twice in one object", id="one name twice"),
        pytest.param('{"tissues": {"fat": {"mean": 1, "mean": 2}}}', "'mean' twice", id="one name twice, deep down"),
        pytest.param("[" * 100_000, "it is nested too deeply", id="lists in lists"),
        pytest.param('{"a":' * 100_000, "it is nested too deeply", id="objects in objects"),
        pytest.param('{"high": ' + "9" * 5000 + "}", "it is no JSON", id="a number of 5000 digits"),
        pytest.param(" " * (LARGEST_BYTES + 1), "it has 1048577 bytes, expected a few thousand", id="too large"),
    ],
)
def test_what_is_no_card_at_all_is_refused(path, text, expected):
    assert expected in refusal(path, text)


def test_deep_lists_where_a_number_should_be_are_refused(path):
    text = json.dumps(CARD).replace("1200", "[" * 900 + "]" * 900)
    assert refusal(path, text) == "high is a list of 1, expected a number"


def test_bytes_that_are_no_text_are_refused(path):
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="is not a style card: it is no JSON"):
        read_card(path)


def test_a_card_that_is_not_there_is_missing(path):
    with pytest.raises(MissingFileError):
        read_card(path)


def test_nothing_is_read_of_a_pipe_or_a_device(path):
    os.mkfifo(path)
    with pytest.raises(InputError, match="is a pipe, expected a style card"):
        read_card(path)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(InputError, match="is a device, expected a style card"):
        read_card(path)
