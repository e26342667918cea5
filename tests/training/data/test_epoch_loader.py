from torch.utils.data import StackDataset

from hail_mri.training.data.epoch_loader import EpochLoader, Share

ITEMS = StackDataset(list(range(7)))


def batches_of(loader):
    return [batch[0].tolist() for batch in loader]


def test_an_epoch_is_all_items_in_order_the_last_batch_with_what_is_left():
    assert batches_of(EpochLoader(ITEMS, batch_size=3, n_workers=0)) == [[0, 1, 2], [3, 4, 5], [6]]


def test_a_loader_goes_on_after_what_another_one_gave():
    first, second = (EpochLoader(ITEMS, batch_size=3, n_workers=0) for _ in range(2))
    given = iter(first)
    next(given)
    second.load_state_dict(first.state_dict())
    assert batches_of(second) == [[3, 4, 5], [6]]
    assert len(second) == 3


def test_a_loader_that_gave_all_goes_on_with_nothing():
    first, second = (EpochLoader(ITEMS, batch_size=3, n_workers=0) for _ in range(2))
    batches_of(first)
    second.load_state_dict(first.state_dict())
    assert batches_of(second) == []


def test_batches_that_workers_made_ahead_are_not_taken_for_given():
    first, second = (EpochLoader(ITEMS, batch_size=1, n_workers=1) for _ in range(2))
    given = iter(first)
    assert [next(given)[0].item() for _ in range(2)] == [0, 1]
    second.load_state_dict(first.state_dict())
    assert batches_of(second) == [[2], [3], [4], [5], [6]]


def test_the_batches_of_several_processes_are_one_batch_as_large_as_all():
    items = StackDataset(list(range(8)))
    loaders = [EpochLoader(items, batch_size=2, n_workers=0, share=Share(index, 2)) for index in range(2)]
    assert [len(loader) for loader in loaders] == [2, 2]
    together = [one + other for one, other in zip(*map(batches_of, loaders), strict=True)]
    assert together == batches_of(EpochLoader(items, batch_size=4, n_workers=0))


def test_each_process_goes_on_with_its_own_batches():
    items = StackDataset(list(range(8)))
    loader = EpochLoader(items, batch_size=2, n_workers=0, share=Share(1, 2))
    loader.load_state_dict({"n_given": 1})  # of the first process, which alone writes checkpoints
    assert batches_of(loader) == [[6, 7]]
