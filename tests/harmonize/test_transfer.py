import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from hail_mri.harmonize.transfer import TransferSettings, fit_curves, read_curves, transfer
from hail_mri.image.resampling import area_weights, axis_weights

N, FACTOR = 48, 4  # native voxels along an edge, and native voxels along one of the network grid
TO_WORKING = (area_weights(N // FACTOR, N, FACTOR, 1.0, 1.5),) * 3
TO_NATIVE = (axis_weights(N, N // FACTOR, 1.0, FACTOR, -1.5),) * 3


def coarse(volume):
    """Mean over the voxels of the network grid, as float32."""
    blocks = np.asarray(volume, np.float32).reshape((N // FACTOR, FACTOR) * 3)
    return torch.from_numpy(blocks.mean(axis=(1, 3, 5)))


def change_of(source, p, r, weight=None, air=None):
    """Run the transfer on arrays; everything is head if nothing else is said."""
    weight = torch.ones(p.shape) if weight is None else weight
    air = torch.zeros(p.shape) if air is None else air
    source = torch.from_numpy(np.asarray(source, np.float32))
    return transfer(source, p, r, weight, air, to_network=TO_WORKING, to_native=TO_NATIVE).numpy()


def in_the_middle(volume):
    return volume[6:-6, 6:-6, 6:-6]


@pytest.fixture
def blobs():
    """Three tissues in blobs a few working voxels wide, piecewise constant."""
    field = gaussian_filter(np.random.default_rng(0).normal(size=(N, N, N)), 8)
    return np.array([0.2, 0.5, 0.8])[np.digitize(field, np.quantile(field, [1 / 3, 2 / 3]))]


@pytest.fixture
def hills():
    """A smooth scan from 0.1 to 0.9."""
    field = gaussian_filter(np.random.default_rng(1).normal(size=(N, N, N)), 6)
    return 0.1 + 0.8 * (field - field.min()) / np.ptp(field)


@pytest.mark.parametrize("seed", range(3))
def test_the_change_is_exactly_0_when_p_is_r(seed):
    generator = torch.Generator().manual_seed(seed)
    drawn, weight, air = torch.rand(3, *(N // FACTOR,) * 3, generator=generator) * 2 - 0.5
    source = np.random.default_rng(seed).normal(0.5, 1.0, (N, N, N))
    assert not change_of(source, drawn, drawn.clone(), weight.clamp(min=0), air.clamp(min=0)).any()


CURVES = [
    pytest.param(lambda s: 0.7 * s, id="darker"),
    pytest.param(lambda s: 0.4 * s + 0.3, id="less contrast"),
    pytest.param(lambda s: s**1.5, id="gamma"),
    pytest.param(lambda s: s**0.5, id="root"),
]


@pytest.mark.parametrize("curve", CURVES)
def test_a_global_curve_is_recovered_on_a_smooth_scan(hills, curve):
    harmonized = hills + change_of(hills, coarse(curve(hills)), coarse(hills))
    assert np.abs(harmonized - curve(hills)).mean() < 0.01 * np.ptp(curve(hills))


@pytest.mark.parametrize("curve", CURVES)
def test_a_global_curve_is_recovered_on_three_tissues(blobs, curve):
    harmonized = blobs + change_of(blobs, coarse(curve(blobs)), coarse(blobs))
    assert np.abs(harmonized - curve(blobs)).mean() < 0.01 * np.ptp(curve(blobs))


def test_curves_may_differ_from_place_to_place(blobs):
    shading = np.linspace(0.8, 1.2, N)[:, None, None]
    harmonized = blobs + change_of(blobs, coarse(blobs * shading), coarse(blobs))
    assert np.abs(in_the_middle(harmonized - blobs * shading)).mean() < 0.01


def test_intensities_keep_their_order_in_every_neighbourhood():
    generator = torch.Generator().manual_seed(0)
    p, r = torch.rand(2, 6, 6, 6, generator=generator)
    settings = TransferSettings()
    curves = fit_curves(p, r, torch.ones(6, 6, 6), settings)
    places = [torch.eye(6)] * 3
    read = [
        level + read_curves(curves, torch.full((6, 6, 6), level), places, settings.ceiling)
        for level in np.linspace(-0.5, 2.0, 101).tolist()
    ]
    assert torch.stack(read).diff(dim=0).min() > -1e-5


def test_at_one_place_a_brighter_voxel_stays_brighter(hills):
    generator = torch.Generator().manual_seed(0)
    p, r = torch.rand(2, *(N // FACTOR,) * 3, generator=generator)
    settings, places = TransferSettings(), [torch.from_numpy(matrix) for matrix in TO_NATIVE]
    curves = fit_curves(p, r, torch.ones(p.shape), settings)
    source = torch.from_numpy(hills.astype(np.float32))
    darker, brighter = (s + read_curves(curves, s, places, settings.ceiling) for s in (source, source + 0.05))
    assert (brighter - darker).min() > -1e-5


@pytest.mark.parametrize(("gain", "shift"), [(1.0, 0.2), (0.6, 0.1), (1.3, -0.05)])
def test_noise_is_amplified_by_the_slope_of_the_curve_and_no_more(blobs, gain, shift):
    noise = np.random.default_rng(2).normal(0, 0.02, blobs.shape)
    r = coarse(blobs + noise)
    with_noise = blobs + noise + change_of(blobs + noise, gain * r + shift, r)
    without = blobs + change_of(blobs, gain * coarse(blobs) + shift, coarse(blobs))
    assert in_the_middle(with_noise - without).std() < 1.05 * max(gain, 1.0) * noise.std()


def test_a_scan_without_edges_gets_none_whatever_is_drawn():
    p, r = torch.rand(2, *(N // FACTOR,) * 3, generator=torch.Generator().manual_seed(3))
    change = change_of(np.full((N, N, N), 0.5), p, r)
    assert np.ptp(change) > 0.1
    # Along every line the change is straight from the centre of one working voxel (at 1.5, 5.5, ...) to the next.
    for axis in range(3):
        bends = np.diff(change, n=2, axis=axis).swapaxes(0, axis)
        assert np.abs(bends[np.arange(N - 2) % FACTOR >= 2]).max() < 1e-5


def test_what_the_curves_leave_unexplained_is_corrected_in_the_mean(blobs):
    rng = np.random.default_rng(4)
    wanted = blobs + gaussian_filter(rng.normal(size=blobs.shape), 8) * 4  # a field, no curve over intensity
    change = change_of(blobs, coarse(wanted), coarse(blobs))
    assert np.abs(in_the_middle(change - (wanted - blobs))).mean() < 0.25 * np.abs(wanted - blobs).mean()


def test_the_change_of_the_head_does_not_spill_into_the_air():
    weight = torch.zeros((N // FACTOR,) * 3)
    weight[: N // FACTOR // 2] = 1
    scan = np.where(np.arange(N)[:, None, None] < N // 2, 0.5, 0.02) * np.ones((N, N, N))
    r = coarse(scan)
    change = change_of(scan, r + 0.3 * weight, r, weight, 1 - weight)
    assert change[: N // 2 - FACTOR].mean() == pytest.approx(0.3, rel=0.05)
    assert abs(change[N // 2 + FACTOR :].mean()) < 0.05 * 0.3


def bright_spot_among(*, interior):
    """How a voxel of 0.9 changes in white matter that does not, in a head whose fat goes from 0.9 to 0.5."""
    r = torch.full((12, 12, 12), 0.6)
    r[:2] = 0.9
    p = torch.where(r > 0.8, 0.5, 0.6)
    settings, places = TransferSettings(), [torch.eye(12)] * 3
    curves = fit_curves(p, r, torch.ones_like(r), settings, interior)
    return read_curves(curves, torch.full_like(r, 0.9), places, settings.ceiling)[9, 6, 6].item()


def test_deep_in_the_brain_what_is_brighter_than_all_around_changes_in_proportion_and_not_as_fat():
    assert bright_spot_among(interior=None) < -0.2
    assert bright_spot_among(interior=torch.ones(12, 12, 12)) == pytest.approx(0, abs=0.02)


def test_the_interior_changes_nothing_that_the_neighbourhood_knows():
    r = 1.5 * torch.rand(12, 12, 12, generator=torch.Generator().manual_seed(0))
    p, weight, settings = 0.8 * r + 0.1, torch.ones_like(r), TransferSettings(radius=3.0)  # every intensity everywhere
    plain = fit_curves(p, r, weight, settings)
    deep = fit_curves(p, r, weight, settings, torch.ones_like(r))
    torch.testing.assert_close(deep, plain, atol=0.02, rtol=0)


def test_the_interior_changes_nothing_where_p_is_r():
    r = torch.rand(6, 6, 6, generator=torch.Generator().manual_seed(0))
    assert not fit_curves(r, r, torch.ones_like(r), TransferSettings(), torch.rand_like(r)).any()


def test_intensities_beyond_the_curves_take_the_change_of_the_last_ones():
    settings = TransferSettings()
    r = torch.linspace(0, 1, 216).reshape(6, 6, 6)
    curves, places = fit_curves(0.5 * r, r, torch.ones(6, 6, 6), settings), [torch.eye(6)] * 3

    def read(level):
        return read_curves(curves, torch.full((6, 6, 6), level), places, settings.ceiling)

    assert torch.equal(read(-3.0), read(0.0))
    torch.testing.assert_close(read(30.0), read(settings.ceiling))


def test_slabs_leave_no_seam_and_inputs_are_not_mutated(hills):
    generator = torch.Generator().manual_seed(6)
    p, r = torch.rand(2, *(N // FACTOR,) * 3, generator=generator)
    kept = p.clone(), r.clone(), hills.copy()
    turned = change_of(hills.transpose(2, 1, 0), p.permute(2, 1, 0), r.permute(2, 1, 0)).transpose(2, 1, 0)
    np.testing.assert_allclose(change_of(hills, p, r), turned, atol=1e-5)
    assert torch.equal(p, kept[0])
    assert torch.equal(r, kept[1])
    assert np.array_equal(hills, kept[2])
