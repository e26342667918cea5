import matplotlib.image
import pytest

from hail_mri.errors import InputError, OutputExistsError
from hail_mri.harmonize.style_card import StyleCard
from hail_mri.model.feature_style import FeatureStyle
from hail_mri.model.tissue_classes import TISSUE_CLASSES
from hail_mri.model.tissue_style import TissueStyle
from hail_mri.report.card_preview import card_preview


def card_of(grey, error=0.01):
    n = len(TISSUE_CLASSES)
    means = [0.3] * n
    means[1], means[2] = 0.6, grey
    return StyleCard("compact", "0" * 64, TissueStyle(tuple(means), (error,) * n, (1 / n,) * n), 0.0, 1000.0)


def test_the_picture_shows_the_card_and_is_the_same_for_the_same_card(tmp_path):
    for name, grey in (("a", 0.4), ("b", 0.4), ("c", 0.5)):
        card_preview(card_of(grey), tmp_path / f"{name}.png")

    a, b, c = ((tmp_path / f"{name}.png").read_bytes() for name in "abc")
    assert a == b
    assert a != c
    assert matplotlib.image.imread(tmp_path / "a.png").std() > 0.05  # not an empty page


def test_a_class_of_which_nothing_is_known_is_marked(tmp_path):
    card_preview(card_of(0.4), tmp_path / "known.png")
    card_preview(card_of(0.4, error=1.0), tmp_path / "unknown.png")

    assert (tmp_path / "known.png").read_bytes() != (tmp_path / "unknown.png").read_bytes()


def test_a_card_without_tissues_is_refused(tmp_path):
    card = StyleCard("hail-small", "0" * 64, FeatureStyle(((0.0,),), ((1.0,),)), 0.0, 1.0)

    with pytest.raises(InputError, match="knows no tissues"):
        card_preview(card, tmp_path / "a.png")


def test_an_existing_file_stays(tmp_path):
    (tmp_path / "a.png").write_bytes(b"mine")

    with pytest.raises(OutputExistsError):
        card_preview(card_of(0.4), tmp_path / "a.png")

    assert (tmp_path / "a.png").read_bytes() == b"mine"
