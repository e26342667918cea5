"""Heads that are placed once and read again."""

from hail_mri.simulation.phantoms import centred_affine
from hail_mri.training.data.heads import fill_store, head_path, load_head


def test_a_stored_head_is_the_same_after_an_interrupted_and_an_uninterrupted_filling(label_maps_dir, tmp_path):
    paths = sorted(label_maps_dir.iterdir())[:2]
    settings = {"n_heads": 3, "shape": (8, 8, 8), "spacing": 30.0, "seed": 2}
    list(fill_store(tmp_path / "whole", paths, **settings))
    next(iter(fill_store(tmp_path / "interrupted", paths, **settings)))
    assert list(fill_store(tmp_path / "interrupted", paths, **settings)) == [2, 3]
    for index in range(3):
        whole, interrupted = (head_path(tmp_path / name, index).read_bytes() for name in ("whole", "interrupted"))
        assert whole == interrupted


def test_a_stored_head_is_on_the_grid_that_was_asked_for(head_paths):
    head = load_head(head_paths[0])
    assert head.shape == (24, 32, 32)
    assert (head.affine == centred_affine((24, 32, 32), 8.0)).all()
    assert 0 < head.brain.sum() < head.head.sum()
