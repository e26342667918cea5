import numpy as np
import pytest

from hail_mri.errors import InputError, UnwritableError
from hail_mri.report.box_plots import FILL, POINT, box_figure

PANELS = {
    "A to B": {"do nothing": [20.0, 21.0, 22.5, 24.0], "ours": [30.0, 31.0, float("inf"), 32.0]},
    "B to A": {"do nothing": [19.0], "ours": [float("nan")]},
}


def test_the_same_numbers_give_the_same_bytes_as_png_and_svg(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        box_figure(PANELS, tmp_path / folder / "psnr", heading="PSNR, brain, dB")
    for suffix, start in (("png", b"\x89PNG"), ("svg", b"<?xml")):
        first, second = ((tmp_path / folder / f"psnr.{suffix}").read_bytes() for folder in ("one", "two"))
        assert first == second
        assert first.startswith(start)


@pytest.mark.parametrize(("n_results", "n_boxes"), [(2, 0), (3, 1), (9, 1)])
def test_every_result_is_a_point_and_three_make_a_box(tmp_path, n_results, n_boxes):
    box_figure({"A to B": {"ours": list(np.arange(n_results, dtype=float))}}, tmp_path / "psnr", heading="PSNR")
    svg = (tmp_path / "psnr.svg").read_text().lower()
    assert svg.count(FILL.lower()) == n_boxes
    assert svg.count(f"fill: {POINT.lower()}") == n_results


def test_nothing_to_show_is_refused(tmp_path):
    with pytest.raises(InputError, match="no number of PSNR"):
        box_figure({"A to B": {"ours": [float("nan")]}}, tmp_path / "psnr", heading="PSNR")
    with pytest.raises(InputError, match="no number"):
        box_figure({}, tmp_path / "psnr", heading="PSNR")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_missing_is_told(tmp_path):
    with pytest.raises(UnwritableError):
        box_figure(PANELS, tmp_path / "gone" / "psnr", heading="PSNR")
