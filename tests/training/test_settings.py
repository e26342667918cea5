from pathlib import Path

import pytest

from hail_mri.errors import InputError, MissingFileError
from hail_mri.model.feature_network import FeatureNetworkSettings
from hail_mri.training.gan_settings import load_gan_settings
from hail_mri.training.settings import load_settings, load_tissue_settings

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


def test_every_configuration_that_comes_with_the_project_loads():
    assert {path.stem for path in CONFIGS.glob("*.toml")} == {
        "paper",
        "hail-small",
        "smoke",
        "compact",
        "liu",
        "liu-small",
    }
    assert load_settings(CONFIGS / "hail-small.toml").data.sites == ("A", "B")
    assert load_settings(CONFIGS / "paper.toml").style.epochs == 1000
    assert load_settings(CONFIGS / "smoke.toml").style.epochs == 2
    assert load_tissue_settings(CONFIGS / "compact.toml").tissues.precision == "auto"
    assert load_gan_settings(CONFIGS / "liu.toml").network != load_gan_settings(CONFIGS / "liu-small.toml").network


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param("patch = 64", "patch = 40", "multiple of the network's stride, 16", id="patch and stride"),
        pytest.param("patch = 64", "patch = 112", "at most the edges of data.shape", id="patch and phantom"),
        pytest.param("[1, 1, 1, 2]", "[1, 1]", "blocks of 2", id="stages"),
    ],
)
def test_settings_of_a_tissue_network_that_contradict_each_other_are_refused(tmp_path, old, new, message):
    text = (CONFIGS / "compact.toml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "edited.toml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_tissue_settings(tmp_path / "edited.toml")


def test_the_papers_numbers_are_those_of_the_paper():
    settings = load_settings(CONFIGS / "paper.toml")
    assert settings.network.to_settings() == FeatureNetworkSettings((64, 128, 256, 512), (1, 1, 1, 1), skips=False)
    assert (settings.data.spacing_mm, settings.data.patch) == (1.0, 64)
    assert (2 * settings.encoder.pairs_per_batch, 2 * settings.style.pairs_per_batch) == (48, 32)
    assert {phase.epochs for phase in (settings.encoder, settings.style)} == {1000}
    assert {phase.learning_rate for phase in (settings.encoder, settings.style)} == {1e-4}
    assert (settings.losses.style, settings.losses.content, settings.losses.consistency) == (100, 150, 200)
    assert settings.losses.freeze_encoder


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"),
    [
        pytest.param("n_heads", "n_haeds", "data.n_haeds", "Did you mean 'n_heads'?", id="misspelt key"),
        pytest.param("[losses]", "[loses]", "loses", "Did you mean 'losses'?", id="misspelt table"),
        pytest.param("skips = true", "skips = true\ncolour = 1", "network.colour", "Known are channels", id="unknown"),
        pytest.param("seed = 1", "", "data.seed", "", id="missing key"),
        pytest.param("epochs = 2", "epochs = 0", "encoder.epochs", "", id="out of range"),
        pytest.param('"constant"', '"linear"', "encoder.schedule", "", id="no schedule"),
        pytest.param("[4, 8, 8, 8]", "[4, 8]", "network: a network has channels of 2 stages", "", id="stages differ"),
        pytest.param("[24, 32, 32]", "[24, 32, 30]", "data.shape is", "", id="shape does not fit the stride"),
        pytest.param("patch = 0", "patch = 12", "data.patch is 12", "", id="patch does not fit the stride"),
        pytest.param("patch = 0", "patch = 32", "data.patch is 32", "", id="patch larger than the volume"),
        pytest.param("pairs_per_batch = 1", "pairs_per_batch = 4", "encoder: pairs_per_batch is 4", "", id="batch"),
        pytest.param("supervised = 1.0", "supervised = inf", "losses.supervised", "", id="no number"),
        pytest.param("[data]", "[data", "is not TOML", "", id="no TOML"),
    ],
)
def test_settings_that_cannot_be_are_refused(edited, old, new, message, hint):
    path = edited(old, new)
    with pytest.raises(InputError, match=message) as caught:
        load_settings(path)
    assert str(path) in str(caught.value)
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        pytest.param({}, "losses: style, content, consistency, supervised and prediction are all 0", id="no loss"),
        pytest.param({"consistency": 1.0}, "losses: style, supervised, prediction, content", id="consistency"),
        pytest.param(
            {"content": 1.0, "content_wanted": '"source"'},
            "losses: style, supervised, prediction are all 0, expected one above 0: content alone",
            id="content of the source",
        ),
    ],
)
def test_losses_that_teach_nothing_of_the_target_are_refused(tmp_path, weights, message):
    text = (CONFIGS / "smoke.toml").read_text(encoding="utf-8").split("[losses]")[0]
    losses = dict.fromkeys(("style", "content", "consistency", "supervised", "prediction"), 0.0)
    losses |= {"content_wanted": '"adain"', "freeze_encoder": "true"} | weights
    lines = "\n".join(f"{name} = {value}" for name, value in losses.items())
    (tmp_path / "edited.toml").write_text(f"{text}[losses]\n{lines}\n", encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_settings(tmp_path / "edited.toml")


def test_the_steps_of_a_phase_are_those_of_its_epochs_the_last_of_each_not_full():
    section = load_settings(CONFIGS / "smoke.toml").encoder.model_copy(update={"pairs_per_batch": 2})
    assert (section.epochs, section.pairs_per_epoch) == (2, 3)
    assert (section.n_steps, section.n_steps_of(2)) == (4, 2)


def test_a_file_that_is_no_text_is_no_toml(tmp_path):
    (tmp_path / "settings.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is not TOML"):
        load_settings(tmp_path / "settings.toml")


def test_settings_that_are_not_there_are_missing(tmp_path):
    with pytest.raises(MissingFileError, match="no settings at"):
        load_settings(tmp_path / "settings.toml")
