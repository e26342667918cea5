import numpy as np
import pytest

from hail_mri.errors import InputError
from hail_mri.report.tissue_histograms import STYLES, histogram_figure

CENTRES = np.linspace(-0.2, 1.8, 200)


def bump(middle):
    curve = np.exp(-(((CENTRES - middle) / 0.05) ** 2))
    return curve / curve.sum()


ROWS = {
    "do nothing": {"grey matter": {"source": bump(0.3), "target": bump(0.5), "harmonized": bump(0.3)}},
    "ours": {"grey matter": {"source": bump(0.3), "target": bump(0.5), "harmonized": bump(0.48), "truth": bump(0.5)}},
}


def draw(rows, stem):
    histogram_figure(rows, CENTRES, stem, heading="A to B", unit="intensity")
    return stem.with_suffix(".svg").read_text()


def test_the_same_histograms_give_the_same_bytes(tmp_path):
    (tmp_path / "again").mkdir()
    for folder in (tmp_path, tmp_path / "again"):
        draw(ROWS, folder / "a")
    for suffix in ("png", "svg"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / "again" / f"a.{suffix}").read_bytes()


def test_every_scan_of_every_method_is_a_curve(tmp_path):
    svg = draw(ROWS, tmp_path / "a").lower()
    in_legend = 1
    assert svg.count(f"stroke: {STYLES['truth']['color'].lower()}") == 1 + in_legend
    assert svg.count(f"stroke: {STYLES['harmonized']['color'].lower()}") == 2 + in_legend


def test_a_tissue_that_a_method_lacks_is_an_empty_panel(tmp_path):
    draw({**ROWS, "third": {"csf": {"source": bump(0.1)}}}, tmp_path / "a")
    assert (tmp_path / "a.png").stat().st_size > 0


def test_no_histogram_is_refused(tmp_path):
    with pytest.raises(InputError, match="no histogram"):
        draw({"ours": {}}, tmp_path / "a")
