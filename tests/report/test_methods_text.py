from pathlib import Path

from hail_mri.report.methods_text import methods_paragraphs
from hail_mri.report.scan_record import ScanRecord


def text_of(*, is_style_card=False, **told):
    told = {"Versions": {"hail-mri": "9.8.7"}, "Sha256": {"Weights": "abc123"}, **told}
    return methods_paragraphs(ScanRecord(told, Path()), is_style_card=is_style_card)


def test_says_what_was_done_and_cites_it_in_order():
    paragraph, *references = text_of(
        Settings={"model": "hail-small", "strength": 0.5, "keep_bias": False},
        BiasField={"Method": "N4"},
        Registration={"Reference": "mni152"},
        is_style_card=True,
    )
    for expected in (
        "hail-mri 9.8.7 [1]",
        "Parida et al. [2]",
        "from a style card of the target site, by the model hail-small",
        "adaptive instance normalization between them [3] (SHA-256 of its weights: abc123)",
        "estimated with N4 [4], corrected first, and left out of the result",
        "registered rigidly to the MNI152 template [5]",
        "at a strength of 0.5",
    ):
        assert expected in paragraph
    assert [reference[:12] for reference in references] == [
        "[1] The hail",
        "[2] Parida A",
        "[3] Huang X,",
        "[4] Tustison",
        "[5] Fonov V,",
    ]


def test_cites_only_what_was_used():
    paragraph, *references = text_of(Settings={"model": "compact"})
    assert len(references) == 2
    assert "neither registered nor corrected" in paragraph
    assert "strength" not in paragraph


def test_says_so_where_the_prediction_itself_was_taken():
    paragraph, *_ = text_of(Settings={"model": "compact", "output_mode": "network"})
    assert "The result is the prediction of the network itself" in paragraph
    assert "monotone" not in paragraph
