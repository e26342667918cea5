import csv
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest

from hail_mri.apps import kept_styles as module
from hail_mri.apps.cli import main
from hail_mri.apps.engine.workers import Workers
from hail_mri.apps.suggest_target import suggest_kept, suggest_target, write_candidates
from hail_mri.errors import InputError
from hail_mri.harmonize.limits import LIMITS
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.harmonize.style_card import StyleCard, StyleMeter
from hail_mri.image.nifti import load_volume, save_volume

FORCED = HarmonizeSettings(force=True, threads=1)


@pytest.fixture
def site(tmp_path, make_scan):
    """Return three scans of a site."""
    return [make_scan(tmp_path / f"in/{name}_T1w.nii.gz", seed=seed, spacing=4.0) for seed, name in enumerate("abc")]


def test_the_suggested_scan_is_the_one_that_is_nearest_to_all_others(site):
    candidates = suggest_target(site, FORCED)

    assert len(candidates) == 3
    distances = [candidate.distance for candidate in candidates]
    assert distances == sorted(distances)
    assert all(c.nearest <= c.distance <= c.farthest for c in candidates)


def test_the_order_of_scans_does_not_matter(site):
    assert suggest_target(site[::-1], FORCED) == suggest_target(site, FORCED)


def test_what_cannot_be_read_or_fails_a_check_is_not_asked_and_comes_last(site, tmp_path, simulated_slab):
    save_volume(simulated_slab, tmp_path / "in/head_T1w.nii.gz")
    (tmp_path / "in/broken_T1w.nii.gz").write_bytes(b"broken")
    scans = [*site, tmp_path / "in/head_T1w.nii.gz", tmp_path / "in/broken_T1w.nii.gz"]

    candidates = suggest_target(scans, HarmonizeSettings(threads=1))

    # A ball in a shell is no head.
    assert candidates[0].path.name == "head_T1w.nii.gz"
    assert candidates[0].distance == 0.0
    assert [candidate.distance for candidate in candidates[1:]] == [None] * 4
    assert all(candidate.message for candidate in candidates[1:])


def test_a_site_without_a_usable_scan_is_refused_with_a_reason(site):
    with pytest.raises(InputError, match="none of 3 scans can be an example") as caught:
        suggest_target(site, HarmonizeSettings(threads=1))

    assert "a_T1w.nii.gz: " in caught.value.hint


def test_styles_that_were_kept_are_not_measured_again(site, tmp_path, monkeypatch):
    first = suggest_target(site, FORCED, kept_dir=tmp_path / "kept")
    monkeypatch.setattr(module, "StyleMeter", None)

    assert suggest_target(site, FORCED, kept_dir=tmp_path / "kept") == first

    for path in (tmp_path / "kept").glob("*.style.json"):
        path.write_text("{")
    with pytest.raises(TypeError):  # there is no meter to measure them again with
        suggest_target(site, FORCED, kept_dir=tmp_path / "kept")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("LIMITS", LIMITS[1:], id="other limits"),
        pytest.param("__version__", "99.0", id="another version"),
    ],
)
def test_styles_that_were_judged_otherwise_are_measured_again(site, tmp_path, monkeypatch, name, value):
    first = suggest_target(site[:1], FORCED, kept_dir=tmp_path / "kept")
    monkeypatch.setattr(module, name, value)

    assert suggest_target(site[:1], FORCED, kept_dir=tmp_path / "kept") == first
    assert len(list((tmp_path / "kept").glob("*.checks.json"))) == 2
    suggest_target(site[:1], replace(FORCED, threads=2), kept_dir=tmp_path / "kept")
    assert len(list((tmp_path / "kept").glob("*.checks.json"))) == 3


def test_any_number_of_processes_measures_the_same_and_says_what_fails(site, tmp_path):
    (tmp_path / "in/broken_T1w.nii.gz").write_bytes(b"broken")
    scans = [*site, tmp_path / "in/broken_T1w.nii.gz"]
    done = []

    alone, two = (
        suggest_target(
            scans,
            FORCED,
            kept_dir=tmp_path / f"kept{number}",
            workers=Workers(n_processes=number),
            advance=lambda: done.append(1),
        )
        for number in (0, 2)
    )

    assert two == alone
    assert alone[-1].path.name == "broken_T1w.nii.gz"
    assert len(done) == 2 * len(scans)
    for name in (path.name for path in (tmp_path / "kept0").iterdir()):
        assert (tmp_path / "kept2" / name).read_bytes() == (tmp_path / "kept0" / name).read_bytes()


def test_a_scan_that_is_larger_than_the_machine_is_not_asked(site, monkeypatch):
    monkeypatch.setattr("hail_mri.apps.measured_styles.total_memory", lambda: 10**6)

    with pytest.raises(InputError, match="none of 3 scans") as caught:
        suggest_target(site, FORCED, workers=Workers(n_processes=2))

    assert "Take a larger machine" in caught.value.hint


def test_what_was_kept_tells_the_target_without_measuring(site, tmp_path, monkeypatch):
    kept_dir = tmp_path / "kept"
    first = suggest_target(site[:2], FORCED, kept_dir=kept_dir)
    monkeypatch.setattr(module, "StyleMeter", None)

    assert suggest_kept(site[:2], FORCED, kept_dir) == first
    assert suggest_kept(site, FORCED, kept_dir) is None
    assert suggest_kept(site[:2], replace(FORCED, threads=2), kept_dir) is None


@pytest.mark.parametrize(
    ("ending", "content"),
    [
        pytest.param("checks", "[]", id="no checks"),
        pytest.param("checks", "{}", id="no list"),
        pytest.param("checks", "[" * 100_000, id="deep checks"),
        pytest.param("style", "[" * 100_000, id="deep style"),
    ],
)
def test_what_is_kept_of_a_scan_that_fails_is_no_reason_to_take_it(ending, content, site, tmp_path):
    settings, kept_dir = replace(FORCED, force=False), tmp_path / "kept"
    with pytest.raises(InputError, match="none of 1 scans"):  # a ball in a shell is no head
        suggest_target(site[:1], settings, kept_dir=kept_dir)
    (path,) = kept_dir.glob(f"*.{ending}.json")
    before = path.read_text()
    path.write_text(content)

    assert suggest_kept(site[:1], settings, kept_dir) is None
    with pytest.raises(InputError, match="none of 1 scans"):
        suggest_target(site[:1], settings, kept_dir=kept_dir)
    assert path.read_text() == before


def test_a_scan_that_is_replaced_while_it_is_measured_is_not_known_by_its_new_content(site, tmp_path, monkeypatch):
    scan, other = site[:2]

    class SlowMeter(StyleMeter):
        def measure(self, *args, **options):
            measured = super().measure(*args, **options)
            scan.write_bytes(other.read_bytes())
            return measured

    before = scan.read_bytes()
    monkeypatch.setattr(module, "StyleMeter", SlowMeter)
    first = suggest_target([scan], FORCED, kept_dir=tmp_path / "kept")

    assert suggest_kept([scan], FORCED, tmp_path / "kept") is None
    scan.write_bytes(before)
    assert suggest_kept([scan], FORCED, tmp_path / "kept") == first


def test_a_lesion_mask_changes_the_style_and_is_known_again(site, tmp_path):
    scan = load_volume(site[0])
    lesion = np.zeros(scan.data.shape, np.uint8)
    centre = np.array(lesion.shape) // 2
    lesion[tuple(slice(c - 5, c + 5) for c in centre)] = 1
    nib.save(nib.Nifti1Image(lesion, scan.affine), tmp_path / "lesion.nii.gz")
    data = scan.data.copy()
    data[lesion > 0] *= 3
    save_volume(replace(scan, data=data), tmp_path / "bright_T1w.nii.gz")
    scans = [tmp_path / "bright_T1w.nii.gz", *site[1:]]
    kept_dir, masks = tmp_path / "kept", {scans[0]: {"lesion_mask": tmp_path / "lesion.nii.gz"}}

    without = suggest_target(scans, FORCED, kept_dir=kept_dir)
    without_lesion = suggest_target(scans, FORCED, masks=masks, kept_dir=kept_dir)

    distances = [{c.path: c.distance for c in candidates} for candidates in (without, without_lesion)]
    assert distances[1][scans[0]] < distances[0][scans[0]]
    assert suggest_kept(scans, FORCED, kept_dir, masks=masks) == without_lesion
    assert suggest_kept(scans, FORCED, kept_dir) == without


def test_a_table_lists_candidates_as_seen_from_its_folder(site, tmp_path):
    candidates = suggest_target(site, FORCED)
    write_candidates(candidates, tmp_path / "tables/a.tsv")

    with (tmp_path / "tables/a.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, dialect="excel-tab"))
    assert [row["source"] for row in rows] == [f"../in/{candidate.path.name}" for candidate in candidates]
    assert float(rows[0]["distance"]) == pytest.approx(candidates[0].distance, abs=1e-3)


def test_a_model_without_tissues_is_refused(site):
    with pytest.raises(InputError, match="knows no tissues"):
        suggest_target(site, HarmonizeSettings(model="hail-small", force=True, threads=1))


def test_the_command_prints_the_best_example_first_and_makes_no_card(site, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())

    assert main(["style", "in", "--suggest-target", "--force", "--threads", "1"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("source\tdistance\tnearest")
    assert lines[1].split("\t")[0] == f"in/{suggest_target(site, FORCED)[0].path.name}"
    assert len(lines) == 4
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_is_pooled_into_a_card_with_its_picture(site, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert main(["style", "in", "-o", "card.json", "--preview", "a.png", "--force", "--threads", "1"]) == 0
    assert main(["style", "card.json", "--preview", "b.png"]) == 0

    assert StyleCard.load("card.json").n_scans == len(site)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["in"], "-o is missing, expected the card", id="no output"),
        pytest.param(["gone.json", "--preview", "a.png"], "gone.json does not exist", id="no card"),
        pytest.param(["in/a.json", "--preview", "a.jpg"], "expected a name that ends in .png", id="no PNG"),
        pytest.param(
            ["in", "--suggest-target", "--preview", "x.png"], "--preview is given with --suggest-target", id="picture"
        ),
        pytest.param(
            ["in", "--suggest-target", "--brain-mask", "m.nii"],
            "--brain-mask is given with --suggest-target",
            id="mask",
        ),
        pytest.param(
            ["in/a.json", "--preview", "a.png", "--brain-mask", "m.nii"],
            "--brain-mask is given with a style card",
            id="mask of a card",
        ),
        pytest.param(
            ["in/a_T1w.nii.gz", "--suggest-target", "-o", "in/a_T1w.nii.gz"], "is an input of this run", id="input"
        ),
    ],
)
@pytest.mark.usefixtures("site")
def test_a_wrong_call_is_one_line(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    assert main(["style", *arguments]) == 2

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]
