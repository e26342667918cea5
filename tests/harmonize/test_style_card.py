import json
from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from hail_mri.errors import InputError, MissingFileError, OutputExistsError, UnwritableError
from hail_mri.harmonize.harmonizer import Harmonizer, harmonize
from hail_mri.harmonize.style_card import StyleCard, mean_card
from hail_mri.model.feature_network import FeatureStyleNetwork
from hail_mri.model.feature_style import FeatureStyle
from hail_mri.model.tissue_classes import CLASS_INDEX, TISSUE_CLASSES
from hail_mri.model.weights import load_model, save_model


@pytest.fixture
def card(small_model, other_head):
    return StyleCard.from_volumes([other_head], model=small_model)


def test_a_card_comes_back_from_its_file_as_it_was(card, tmp_path):
    card.save(tmp_path / "site.style.json")
    assert StyleCard.load(tmp_path / "site.style.json") == card
    assert [path.name for path in tmp_path.iterdir()] == ["site.style.json"]


def test_a_card_gives_the_same_bits_as_the_scan_it_was_made_of(model, make_head, other_head, tmp_path):
    source = make_head()
    StyleCard.from_volumes([other_head], model=model).save(tmp_path / "card.json")
    from_card = harmonize(source, StyleCard.load(tmp_path / "card.json"), model=model)
    np.testing.assert_array_equal(from_card.data, harmonize(source, other_head, model=model).data)


def test_a_card_is_a_few_kilobytes_and_holds_no_image(model, other_head, tmp_path):
    card = StyleCard.from_volumes([other_head], model=model)
    card.save(tmp_path / "card.json")
    entries = json.loads((tmp_path / "card.json").read_text())
    assert (tmp_path / "card.json").stat().st_size < 20_000
    assert set(entries) - {"format", "tissues", "features"} == {field.name for field in fields(card)} - {"style"}


def test_the_card_of_several_scans_is_the_mean_of_their_cards(small_model, make_head, other_head):
    volumes = [other_head, make_head()]
    one, other = (StyleCard.from_volumes([volume], model=small_model) for volume in volumes)
    both = StyleCard.from_volumes(volumes, model=small_model)
    assert both.n_scans == 2
    assert both.low == one.low == other.low == 0
    assert both.high == pytest.approx((one.high * other.high) ** 0.5)
    np.testing.assert_allclose(both.style.stds[3], (np.array(one.style.stds[3]) + other.style.stds[3]) / 2)


def test_a_card_of_several_scans_can_be_harmonized_to_and_saved(small_model, make_head, other_head, tmp_path):
    card = StyleCard.from_volumes([other_head, make_head()], model=small_model)
    card.save(tmp_path / "card.json")
    results = [
        harmonize(make_head(), target, model=small_model) for target in (card, StyleCard.load(tmp_path / "card.json"))
    ]
    np.testing.assert_array_equal(results[0].data, results[1].data)


def test_a_card_of_no_scan_is_refused(small_model):
    with pytest.raises(InputError, match="no scan"):
        StyleCard.from_volumes([], model=small_model)


def test_the_card_of_other_weights_is_refused(small_model, card, tmp_path):
    _, model_card = load_model(small_model)
    torch.manual_seed(1)
    other_path = save_model(FeatureStyleNetwork(model_card.network), model_card, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="other weights"):
        Harmonizer(card, model=other_path)


def test_a_card_with_another_number_of_channels_is_refused(small_model, card):
    with pytest.raises(InputError, match="edited"):
        Harmonizer(replace(card, style=FeatureStyle(card.style.means[:2], card.style.stds)), model=small_model)


def test_a_card_that_is_not_there_is_missing(tmp_path):
    with pytest.raises(MissingFileError):
        StyleCard.load(tmp_path / "card.json")


def test_a_card_is_not_overwritten_unasked(card, tmp_path):
    card.save(tmp_path / "card.json")
    with pytest.raises(OutputExistsError):
        replace(card, n_scans=5).save(tmp_path / "card.json")
    replace(card, n_scans=5).save(tmp_path / "card.json", overwrite=True)
    assert StyleCard.load(tmp_path / "card.json").n_scans == 5


def test_a_card_that_cannot_be_written_leaves_nothing_behind(card, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UnwritableError, match=r"file/card\.json cannot be written: .*file is not a folder"):
        card.save(tmp_path / "file" / "card.json")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="folder is a folder"):
        card.save(tmp_path / "folder", overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_folders_for_a_card_are_made(card, tmp_path):
    card.save(tmp_path / "new" / "sites" / "card.json")
    assert StyleCard.load(tmp_path / "new" / "sites" / "card.json") == card


def test_a_card_that_could_not_be_read_is_not_written(card, tmp_path):
    with pytest.raises(InputError, match=r"card\.json would be no style card: low is 3 and high is 3"):
        replace(card, low=3.0, high=3.0).save(tmp_path / "card.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.xdist_group("simulated head")
def test_a_stripped_scan_takes_nothing_from_what_a_whole_one_says_of_tissues_outside_the_brain(
    simulated_slab, slab, visit, tmp_path
):
    stripped = simulated_slab.with_data(np.where(visit.head.brain.numpy()[slab], simulated_slab.data, 0))
    cards = [StyleCard.from_volumes([volume]) for volume in (simulated_slab, stripped)]
    whole, both = cards[0].style, mean_card(cards)
    both.save(tmp_path / "card.json")

    tissues = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))["tissues"]

    assert list(tissues) == list(TISSUE_CLASSES)
    assert all(list(entries) == ["mean", "error", "volume_fraction"] for entries in tissues.values())
    for name in ("fat", "marrow", "muscle", "connective_tissue", "bone", "vitreous"):
        index = CLASS_INDEX[name]
        assert abs(tissues[name]["mean"] - whole.means[index]) < whole.errors[index], name
    assert tissues["white_matter"]["mean"] == pytest.approx(0.6)
    assert StyleCard.load(tmp_path / "card.json") == both
