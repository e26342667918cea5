"""The figure of directions: what is written and what is refused."""

import numpy as np
import pytest
from matplotlib.image import imread

from hail_mri.errors import InputError, UnwritableError
from hail_mri.image.volume import Volume
from hail_mri.report.directions import directions_figure


@pytest.fixture
def volumes(simulated_slab):
    brighter = simulated_slab.with_data(3 * simulated_slab.data)
    return {"input": simulated_slab, "target": brighter, "prediction": brighter}


def test_directions_with_as_many_predictions_as_there_are_share_a_picture(volumes, tmp_path):
    more = volumes | {"another prediction": volumes["target"]}
    directions_figure({"A to B (seen)": volumes, "A to C (unseen)": more}, tmp_path / "figure.png")
    picture = imread(tmp_path / "figure.png")
    assert [path.name for path in tmp_path.iterdir()] == ["figure.png"]
    assert picture.shape[1] > 1200
    assert picture[..., :3].std() > 0.1


def test_the_orientation_of_the_file_does_not_change_the_picture(volumes, tmp_path):
    turned = {}
    for name, volume in volumes.items():
        flip = np.diag([-1.0, 1.0, 1.0, 1.0])
        flip[0, 3] = volume.shape[0] - 1  # new voxels -> old voxels
        turned[name] = Volume(volume.data[::-1], volume.affine @ flip)
    directions_figure({"A to B": volumes}, tmp_path / "a.png")
    directions_figure({"A to B": turned}, tmp_path / "b.png")
    assert (imread(tmp_path / "a.png") == imread(tmp_path / "b.png")).all()


def test_a_direction_without_a_target_is_refused(volumes, tmp_path):
    del volumes["target"]
    with pytest.raises(InputError, match="no target"):
        directions_figure({"A to B": volumes}, tmp_path / "figure.png")


def test_no_direction_is_refused(tmp_path):
    with pytest.raises(InputError, match="no direction"):
        directions_figure({}, tmp_path / "figure.png")


def test_a_missing_folder_is_said(volumes, tmp_path):
    with pytest.raises(UnwritableError):
        directions_figure({"A to B": volumes}, tmp_path / "no" / "figure.png")
