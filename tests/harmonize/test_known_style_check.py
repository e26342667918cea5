"""How far a scan is from those that a network of the paper's kind has learned from, as a check."""

import shutil

import numpy as np
import pytest
import torch

from hail_mri.errors import InputError
from hail_mri.harmonize.checks import check_reading, check_style
from hail_mri.harmonize.harmonizer import Harmonizer
from hail_mri.harmonize.models import load_style_model
from hail_mri.model.feature_style import FeatureStyle
from hail_mri.model.known_styles_file import add_known_styles
from hail_mri.model.known_styles_fit import learn_known_styles
from hail_mri.preprocess.prepare import prepare

NAME = "distance from training scans"


def read(volume, path):
    model = load_style_model(path, torch.device("cpu"))[0]
    with torch.inference_mode():
        return model.read(prepare(volume, spacing=model.spacing, stride=model.stride))


def known_style_check(checks):
    return next(check for check in checks if check.name == NAME)


@pytest.fixture(scope="module")
def knowing_model(small_model, make_head, tmp_path_factory):
    """The small model, which knows the styles of twenty heads that are held unlike."""
    path = tmp_path_factory.mktemp("knowing") / "small.safetensors"
    for suffix in (".safetensors", ".json"):
        shutil.copy(small_model.with_suffix(suffix), path.with_suffix(suffix))
    rng = np.random.default_rng(0)
    styles = []
    for _ in range(20):
        signal = np.array([0, 900, 120, 200, 500, 700]) * rng.uniform(0.9, 1.1, 6)
        head = make_head(rotation=rng.uniform(-8, 8, 3), centre=rng.uniform(-8, 8, 3), signal=tuple(signal))
        styles.append(read(head, path).style)
    return add_known_styles(path, learn_known_styles(styles, np.arange(20)))


def test_weights_without_training_styles_say_that_there_is_no_score(small_model, make_head):
    check = known_style_check(check_reading(read(make_head(), small_model)))
    assert (check.verdict, check.found.startswith("no score")) == ("check", True)


def test_styles_of_another_network_are_refused_with_the_name_of_the_file(knowing_model, tmp_path):
    path = tmp_path / "other.safetensors"
    for suffix in (".safetensors", ".json"):
        shutil.copy(knowing_model.with_suffix(suffix), path.with_suffix(suffix))
    rows = np.random.default_rng(0).uniform(1, 2, (20, 2, 3))
    styles = [FeatureStyle((tuple(means),), (tuple(stds),)) for means, stds in rows.tolist()]
    add_known_styles(path, learn_known_styles(styles, np.arange(20)))
    with pytest.raises(InputError, match=r"other\.safetensors knows styles of 6 numbers, its network has \d+"):
        load_style_model(path, torch.device("cpu"))


def test_a_head_like_those_that_are_known_is_ok(knowing_model, make_head):
    check = known_style_check(check_reading(read(make_head(rotation=(3, 2, 1)), knowing_model)))
    assert (check.verdict, float(check.found.split()[0]) < 1.5) == ("ok", True)


def test_a_scan_of_noise_is_told(knowing_model, make_head):
    head = make_head()
    noise = head.with_data(np.random.default_rng(1).uniform(0, 1000, head.shape).astype(np.float32))
    assert known_style_check(check_reading(read(noise, knowing_model))).verdict != "ok"


def test_source_and_target_are_both_checked_and_so_is_a_card(knowing_model, make_head):
    source, target = make_head(rotation=(3, 2, 1)), make_head()
    harmonizer = Harmonizer(target, model=knowing_model)
    result = harmonizer.run(source)
    of_target = known_style_check(harmonizer.target_checks)
    of_card = known_style_check(Harmonizer(harmonizer.style, model=knowing_model).target_checks)
    assert known_style_check(result.checks).verdict == "ok"
    assert of_card == of_target


def test_a_card_of_weights_without_training_styles_has_no_score(small_model, make_head):
    style = read(make_head(), small_model).style
    (check,) = check_style(style, 0.0, 900.0)
    assert (check.name, check.verdict) == (NAME, "check")
