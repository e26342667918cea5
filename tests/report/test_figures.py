"""The comparison figure: what is written, where, and what is refused."""

import numpy as np
import pytest
from matplotlib import rcParams
from matplotlib.image import imread

from hail_mri.errors import InputError, OutputExistsError, UnwritableError
from hail_mri.image.volume import Volume
from hail_mri.report.figures import comparison_figure


def make_head(shape, spacing, brightness):
    """An egg of two tissues in air: wide in front, so that the picture shows where front is."""
    places = [(np.arange(n) - (n - 1) / 2) * s for n, s in zip(shape, spacing, strict=True)]
    x, y, z = np.meshgrid(*places, indexing="ij")
    radius = np.sqrt((x / (45 + 0.15 * y)) ** 2 + (y / 65) ** 2 + (z / 50) ** 2)
    data = np.select([radius < 0.7, radius < 1], [brightness, 1.6 * brightness], 0.0)
    return Volume(data + np.random.default_rng(0).normal(0, 0.02, shape) * data, np.diag([*spacing, 1.0]))


@pytest.fixture
def columns():
    source = make_head((50, 60, 28), (2.5, 2.5, 5.0), 100.0)
    harmonized, truth = source.with_data(source.data * 9), source.data * 10
    target = make_head((40, 48, 40), (3.0, 3.5, 3.0), 1000.0)
    return {"source": source, "target": target, "harmonized": harmonized, "truth": truth}


def test_picture_is_written_and_nothing_else(columns, tmp_path):
    comparison_figure(columns, tmp_path / "a.png", title="A to B", difference=("harmonized", "truth"))
    picture = imread(tmp_path / "a.png")
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
    assert picture.shape[0] > 900
    assert picture.shape[1] > 1500
    assert picture[..., :3].std() > 0.1


def test_same_columns_give_the_same_bytes(columns, tmp_path):
    for name in ("a.png", "b.png"):
        comparison_figure(columns, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_source_in_the_targets_unit_has_the_histogram_of_a_result_that_is_the_same(columns, tmp_path):
    columns["source"] = columns["harmonized"]
    for name, source_in_own_unit in (("own.png", True), ("target.png", False)):
        comparison_figure(columns, tmp_path / name, source_in_own_unit=source_in_own_unit)
    own, target = (imread(tmp_path / name) for name in ("own.png", "target.png"))
    assert own.shape == target.shape
    rows = np.flatnonzero((own != target).any(axis=(1, 2)))
    assert rows.size
    assert rows.min() > 0.6 * own.shape[0]  # the slices are as they were


def test_orientation_of_the_files_does_not_change_the_picture(columns, tmp_path):
    pair = {name: columns[name] for name in ("source", "target")}
    source = pair["source"]
    flip = np.array([[0, -1, 0, 49], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])  # new voxels -> old voxels
    turned = Volume(source.data[::-1].transpose(1, 0, 2), source.affine @ flip)
    comparison_figure(pair, tmp_path / "a.png")
    comparison_figure(pair | {"source": turned}, tmp_path / "b.png")
    assert np.abs(imread(tmp_path / "a.png") - imread(tmp_path / "b.png")).mean() < 1e-3


def test_settings_and_open_figures_of_matplotlib_are_left_alone(columns, tmp_path):
    before = dict(rcParams)
    comparison_figure(columns, tmp_path / "a.png")
    assert dict(rcParams) == before


def test_existing_picture_is_kept_unless_asked(columns, tmp_path):
    path = tmp_path / "a.png"
    path.write_text("precious")
    with pytest.raises(OutputExistsError, match="exists"):
        comparison_figure(columns, path)
    assert path.read_text() == "precious"
    comparison_figure(columns, path, overwrite=True)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_difference_of_equal_scans_can_be_drawn(columns, tmp_path):
    comparison_figure(columns, tmp_path / "a.png", difference=("harmonized", "harmonized"))
    assert (tmp_path / "a.png").exists()


@pytest.mark.parametrize(
    ("change", "settings", "error", "message"),
    [
        pytest.param({"source": None}, {}, InputError, "no column named source", id="no source"),
        pytest.param({"truth": np.ones((3, 3, 3))}, {}, InputError, "shape", id="array of another shape"),
        pytest.param({}, {"difference": ("harmonized", "x")}, InputError, "no difference", id="unknown column"),
        pytest.param({}, {"difference": ("target", "truth")}, InputError, "source's grid", id="another grid"),
        pytest.param({}, {"path": "a.jpg"}, InputError, "PNG", id="no PNG"),
        pytest.param({}, {"path": "missing/a.png"}, UnwritableError, "does not exist", id="no folder"),
    ],
)
def test_what_cannot_be_drawn_is_refused_and_leaves_nothing(columns, tmp_path, change, settings, error, message):
    used = {name: column for name, column in (columns | change).items() if column is not None}
    path = tmp_path / settings.pop("path", "a.png")
    with pytest.raises(error, match=message):
        comparison_figure(used, path, **settings)
    assert not list(tmp_path.iterdir())
