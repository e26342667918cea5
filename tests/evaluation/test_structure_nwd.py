"""In a tissue only its look counts: against SciPy on each tissue, and what the anatomy of two people may not change."""

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from hail_mri.errors import InputError
from hail_mri.evaluation.structure_nwd import nwd_of_structures
from hail_mri.evaluation.wasserstein import nwd

TISSUES = {"csf": (1,), "grey matter": (2, 4), "white matter": (3,)}
SITE_A = np.array([0, 150, 420, 640, 400])  # intensity of each label
SITE_B = np.array([0, 500, 1400, 2000, 1300])


@pytest.fixture
def scans():
    """Source, target and result with two people's labels; the target has far more fluid."""
    rng = np.random.default_rng(1)
    labels = rng.choice(5, (9, 10, 11), p=[0.2, 0.1, 0.3, 0.3, 0.1])
    target_labels = rng.choice(5, (8, 12, 10), p=[0.2, 0.5, 0.1, 0.1, 0.1])
    source, target = SITE_A[labels] + rng.normal(0, 20, labels.shape), SITE_B[target_labels] * 1.0
    result = SITE_B[labels] - 10.0
    return {
        "source": source,
        "target": target,
        "harmonized": result,
        "source_labels": labels,
        "target_labels": target_labels,
    }


def test_each_tissue_agrees_with_scipy_on_its_own_voxels(scans):
    found = nwd_of_structures(**scans, structures=TISSUES)
    for name, values in TISSUES.items():
        here, there = np.isin(scans["source_labels"], values), np.isin(scans["target_labels"], values)
        i, t, p = scans["source"][here], scans["target"][there], scans["harmonized"][here]
        whole_way = wasserstein_distance(i, t)
        assert found[name].ip == pytest.approx(100 * wasserstein_distance(i, p) / whole_way, rel=1e-9)
        assert found[name].tp == pytest.approx(100 * wasserstein_distance(t, p) / whole_way, rel=1e-9)


def test_perfect_look_is_perfect_in_a_tissue_whatever_the_two_people_have_of_it(scans):
    single = {"csf": (1,), "white matter": (3,)}
    perfect = {**scans, "harmonized": SITE_B[scans["source_labels"]] * 1.0}
    assert all(found.tp == 0 for found in nwd_of_structures(**perfect, structures=single).values())
    assert nwd(perfect["source"], perfect["target"], perfect["harmonized"]).tp > 10  # over the image it is not


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_order_of_the_axes_does_not_matter(scans, order):
    turned = {name: values.transpose(order) for name, values in scans.items()}
    assert nwd_of_structures(**turned, structures=TISSUES) == nwd_of_structures(**scans, structures=TISSUES)


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        pytest.param(("source_labels",), "there is no csf in the source", id="source"),
        pytest.param(("target_labels",), "there is no csf in the target", id="target"),
        pytest.param(("source_labels", "target_labels"), "there is no csf in the source and the target", id="both"),
    ],
)
def test_tissue_that_is_missing_is_undefined_and_the_others_are_not(scans, where, reason):
    without = {**scans, **{name: np.where(scans[name] == 1, 0, scans[name]) for name in where}}
    found = nwd_of_structures(**without, structures=TISSUES)
    assert (found["csf"].ip, found["csf"].tp, found["csf"].reason) == (None, None, reason)
    assert found["white matter"].reason == ""


def test_tissue_with_one_look_at_both_sites_is_undefined(scans):
    alike = {**scans, "source": np.where(scans["source_labels"] == 1, 500.0, scans["source"])}
    assert "one histogram" in nwd_of_structures(**alike, structures=TISSUES)["csf"].reason


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        pytest.param({"harmonized": np.zeros((2, 2, 2))}, "the shapes differ", id="result on another grid"),
        pytest.param({"target_labels": np.ones((2, 2, 2), int)}, "label map of the target", id="labels elsewhere"),
        pytest.param({"source_labels": np.full((9, 10, 11), 0.5)}, "not whole numbers", id="labels between"),
        pytest.param({"structures": {}}, "no structures", id="no structure"),
        pytest.param({"structures": {"csf": ()}}, "has no labels", id="structure without a label"),
    ],
)
def test_what_cannot_be_meant_is_refused(scans, changed, message):
    with pytest.raises(InputError, match=message) as caught:
        nwd_of_structures(**{**scans, "structures": TISSUES, **changed})
    assert caught.value.hint
