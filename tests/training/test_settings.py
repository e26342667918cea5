from pathlib import Path

import pytest

from hail_mri.errors import InputError, MissingFileError
from hail_mri.model.networks import COMPACT, PAPER
from hail_mri.training.settings import load_settings

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture
def edited(tmp_path):
    """Return a function that writes configs/smoke.toml with one line replaced."""

    def edit(old, new):
        text = (CONFIGS / "smoke.toml").read_text(encoding="utf-8")
        assert old in text
        (tmp_path / "edited.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
        return tmp_path / "edited.toml"

    return edit


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_configuration_that_comes_with_the_project_loads(path):
    assert load_settings(path).style.epochs >= 1


def test_the_papers_numbers_are_those_of_the_paper():
    settings = load_settings(CONFIGS / "paper.toml")
    assert settings.network.to_settings() == PAPER
    assert (settings.data.spacing_mm, settings.data.patch) == (1.0, 64)
    assert (2 * settings.encoder.pairs_per_batch, 2 * settings.style.pairs_per_batch) == (48, 32)
    assert {phase.epochs for phase in (settings.encoder, settings.style)} == {1000}
    assert {phase.learning_rate for phase in (settings.encoder, settings.style)} == {1e-4}
    assert (settings.losses.style, settings.losses.content, settings.losses.consistency) == (100, 150, 200)
    assert settings.losses.freeze_encoder


def test_the_compact_configuration_has_the_widths_of_the_compact_preset():
    assert load_settings(CONFIGS / "compact.toml").network.channels == COMPACT.channels


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"),
    [
        pytest.param("n_heads", "n_haeds", "data.n_haeds", "Did you mean 'n_heads'?", id="misspelt key"),
        pytest.param("[losses]", "[loses]", "loses", "Did you mean 'losses'?", id="misspelt table"),
        pytest.param("skips = true", "skips = true\ncolour = 1", "network.colour", "Known are channels", id="unknown"),
        pytest.param("seed = 1", "", "data.seed", "", id="missing key"),
        pytest.param("epochs = 2", "epochs = 0", "encoder.epochs", "", id="out of range"),
        pytest.param('"constant"', '"linear"', "encoder.schedule", "", id="no schedule"),
        pytest.param("[4, 8, 8, 8]", "[4, 8]", "network: a network has channels of 2 levels", "", id="levels differ"),
        pytest.param("[24, 32, 32]", "[24, 32, 30]", "data.shape is", "", id="shape does not fit the stride"),
        pytest.param("patch = 0", "patch = 12", "data.patch is 12", "", id="patch does not fit the stride"),
        pytest.param("patch = 0", "patch = 32", "data.patch is 32", "", id="patch larger than the volume"),
        pytest.param("[data]", "[data", "is not TOML", "", id="no TOML"),
    ],
)
def test_settings_that_cannot_be_are_refused(edited, old, new, message, hint):
    path = edited(old, new)
    with pytest.raises(InputError, match=message) as caught:
        load_settings(path)
    assert str(path) in str(caught.value)
    assert caught.value.hint.startswith(hint)


def test_a_file_that_is_no_text_is_no_toml(tmp_path):
    (tmp_path / "settings.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is not TOML"):
        load_settings(tmp_path / "settings.toml")


def test_settings_that_are_not_there_are_missing(tmp_path):
    with pytest.raises(MissingFileError, match="no settings at"):
        load_settings(tmp_path / "settings.toml")
