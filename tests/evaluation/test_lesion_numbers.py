"""What the numbers and the summary of an evaluation say of lesions, in noise as scans have it."""

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from hail_mri.evaluation.pair_measures import LESION, MeasureSettings, measure_pair
from hail_mri.evaluation.pair_table import PairRow
from hail_mri.evaluation.score_summary import summarize
from hail_mri.image.nifti import save_volume

NO_TISSUES = MeasureSettings(segmentation="none")


@pytest.fixture(scope="module")
def measured(visit, slab, simulated_slab, tmp_path_factory):
    """Return the numbers of a dark lesion that was kept, turned over or erased, and of an empty mask."""
    folder = tmp_path_factory.mktemp("lesions")
    white = visit.head.white_matter.numpy()[slab]
    depth = ndimage.distance_transform_edt(white)
    depth[:, :, :6] = depth[:, :, -6:] = 0
    middle = np.array(np.unravel_index(depth.argmax(), depth.shape))
    lesion = np.linalg.norm(np.moveaxis(np.indices(depth.shape), 0, -1) - middle, axis=-1) < 4
    level, noise = float(np.median(simulated_slab.data[white])), np.random.default_rng(0)
    volumes = {
        name: np.where(lesion, noise.normal(share * level, 0.03 * level, lesion.shape), simulated_slab.data)
        for name, share in (("source", 0.5), ("turned over", 1.5), ("erased", 0.96))
    }
    volumes |= {"brain": visit.head.brain.numpy()[slab], "lesion": lesion, "none": 0 * lesion}
    files = {name: folder / f"{name}.nii.gz" for name in volumes}
    for name, data in volumes.items():
        save_volume(simulated_slab.with_data(data.astype(np.float32)), files[name])
    numbers = {}
    for method, result, mask in (
        ("kept", "source", "lesion"),
        ("turned over", "turned over", "lesion"),
        ("erased", "erased", "lesion"),
        ("healthy", "source", "none"),
    ):
        of_line = {"source": files["source"], "target": files["source"], "harmonized": files[result]}
        of_line |= {"brain_mask": files["brain"], "lesion_mask": files[mask]}
        numbers[method] = measure_pair(PairRow(2, of_line), NO_TISSUES).numbers
    return numbers


def of_lesions(numbers):
    return {each.metric: each.measurement for each in numbers if each.region == LESION}


def test_a_lesion_that_was_turned_over_is_told_beside_its_volume(measured):
    kept, turned = (of_lesions(measured[method]) for method in ("kept", "turned over"))
    assert (kept["lesions reversed"].value, turned["lesions reversed"].value) == (0, 1)
    assert kept["contrast-to-noise after"].value == pytest.approx(kept["contrast-to-noise before"].value)
    assert turned["contrast-to-noise before"].value < -3 < 3 < turned["contrast-to-noise after"].value
    assert turned["volume found"].value == pytest.approx(100, abs=1)  # which alone would look as if nothing was changed


def test_a_lesion_that_was_erased_has_no_edge_no_place_and_no_volume(measured):
    erased = of_lesions(measured["erased"])
    assert (erased["volume found"].value, erased["Dice"].value, erased["lesions not shown"].value) == (0, 0, 1)
    assert erased["edge sharpness"].reason == erased["shift"].reason == "the result does not show the lesion"


def test_an_empty_mask_of_a_patient_without_lesions_leaves_the_rest_scored(measured):
    healthy = of_lesions(measured["healthy"])
    assert {number.reason for number in healthy.values()} == {"the lesion mask is empty"}
    assert [each.metric for each in measured["healthy"]] == [each.metric for each in measured["kept"]]
    scored = {each.metric: each.measurement.value for each in measured["healthy"] if each.region == "head"}
    assert scored["monotonicity"] == pytest.approx(1, abs=1e-4)


def test_the_summary_has_contrast_and_what_was_turned_over_or_erased(measured):
    scores = pd.DataFrame(
        {
            "line": line,
            "method": method,
            "subject": "",
            "pair": "",
            "direction": "",
            "metric": each.metric,
            "region": each.region,
            "unit": each.unit,
            "value": each.measurement.value,
        }
        for line, (method, numbers) in enumerate(measured.items(), start=2)
        for each in numbers
    )
    lines = pd.DataFrame({"line": [2, 3, 4, 5], "status": "scored", "message": "", "segmentation": ""})
    rows = [
        [cell.strip() for cell in row.strip("|").split("|")]
        for row in summarize(scores, lines, []).splitlines()
        if row.startswith("|")
    ]
    table = {row[0]: dict(zip(rows[0], row, strict=True)) for row in rows[2:]}
    assert float(table["turned over"]["lesion CNR before"]) < 0 < float(table["turned over"]["lesion CNR after"])
    for heading, expected in (
        ("lesions reversed, share", ["0", "1", "0"]),
        ("lesions not shown, share", ["0", "0", "1"]),
    ):
        assert [table[method][heading] for method in ("kept", "turned over", "erased")] == expected
