import numpy as np
import pytest
from scipy import ndimage

from hail_mri.errors import InputError
from hail_mri.simulation.mni import mni_label_map
from hail_mri.simulation.tissues import AIR, INDEX_OF, TISSUES

INSIDE_THE_SKULL = [tissue.name for tissue in TISSUES[1:13] if tissue.name not in ("optic_nerve", "lesion")]


@pytest.fixture(scope="module")
def tissue(mni):
    return mni.tissue.numpy()


def where(tissue, *names):
    return np.isin(tissue, [INDEX_OF[name] for name in names])


# Millilitres; adults have these, the template's probabilities blur cortex and thin fluid.
@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("white_matter", 350, 700),
        ("cortex", 500, 950),
        ("csf", 150, 450),
        ("thalamus", 7, 20),
        ("striatum", 12, 30),
        ("cerebellar_cortex", 70, 180),
        ("vitreous", 8, 16),
        ("brain_stem", 20, 60),
    ],
)
def test_volumes_are_those_of_a_head(mni, tissue, name, low, high):
    assert low < where(tissue, name).sum() * mni.spacing**3 / 1000 < high


def test_the_scalp_is_closed_and_the_skin_outermost(tissue):
    # Below is the cut through the neck.
    padded = np.pad(tissue, ((1, 1), (1, 1), (0, 1)))
    outside = ndimage.label(padded == AIR)[0]
    surface = ndimage.binary_dilation(outside == outside[0, 0, -1]) & (padded != AIR)

    assert where(padded, "skin")[surface].mean() > 0.99
    assert not where(padded, *INSIDE_THE_SKULL).any(where=surface)


def test_the_skull_is_closed_around_the_brain(tissue):
    inside = where(tissue, *INSIDE_THE_SKULL)
    around = ndimage.binary_dilation(inside) & ~inside

    # Only the optic nerves come out.
    assert where(tissue, "cortical_bone", "optic_nerve")[around].all()


def test_left_and_right_are_alike(tissue):
    # The template is symmetric, and so is what is built around it.
    assert (tissue == tissue[::-1]).mean() > 0.99


def test_only_airways_are_empty_inside_the_head(tissue):
    head = np.pad(tissue != AIR, ((0, 0), (0, 0), (0, 1)), constant_values=True)
    holes = ndimage.binary_fill_holes(head)[:, :, :-1] & (tissue == AIR)
    labelled, _ = ndimage.label(holes)
    touched = np.unique(tissue[ndimage.binary_dilation(labelled > 0) & ~holes])

    assert holes.mean() < 0.01
    assert INDEX_OF["mucosa"] in touched
    assert not set(touched) & {INDEX_OF[name] for name in ("cortex", "white_matter", "csf", "vitreous")}


def test_other_spacings_are_refused():
    with pytest.raises(InputError, match="1 or 2 mm, not 3 mm"):
        mni_label_map(3.0)
