"""Objects pasted into other pictures: what is shown, what is labelled, and what stays as it was."""

import numpy as np
import torch

from pickclutter_lang.scenes.schema import ROBOT_SEGMENT
from pickclutter_lang.training.paste import Shown, paste_objects

KEY = (3, 1)
SIDE, LABELS = 24, 5


def pictures(robot=False):
    """Six pictures of a square of one object each, in the colour of its label; the last three of another source."""
    places = np.zeros((6, SIDE, SIDE), np.uint8)
    targets = torch.zeros(6, LABELS, dtype=torch.bool)
    origins = []
    for n in range(6):
        column = n % LABELS
        places[n, 2 + n : 8 + n, 3:7] = column + 1
        targets[n, column] = True
        origins.append({column: (int(n >= 3), n)})
    if robot:
        places[:, :, SIDE // 2 :] = ROBOT_SEGMENT
    images = torch.from_numpy(np.repeat(places[:, None] / 255, 3, axis=1)).float()
    return images, targets, Shown(places, origins)


def test_pictures_places_origins_and_labels_stay_in_step():
    images, targets, shown = pictures(robot=True)
    before = images.clone()
    changed = paste_objects(images, targets, shown, 0.5, KEY)
    assert changed.sum() == 3
    np.testing.assert_allclose(images[:, 0].numpy(), shown.places / 255, rtol=1e-6)
    torch.testing.assert_close(images[~changed], before[~changed], rtol=0, atol=0)
    assert ((shown.places == ROBOT_SEGMENT) == (before[:, 0].numpy() == 1)).all()
    for n, own in enumerate(shown.origins):
        seen = set((np.unique(shown.places[n]) - 1).tolist())
        assert set(torch.nonzero(targets[n]).flatten().tolist()) <= seen & set(own)
        for column, (source, row) in own.items():
            assert row % LABELS == column and (row == n or source == 1), "only objects of the last source are pasted"


def test_some_are_turned_and_the_draws_depend_on_the_key_alone():
    results = []
    for key in (KEY, KEY, (3, 2)):
        images, targets, shown = pictures()
        paste_objects(images, targets, shown, 0.9, key)
        results.append(shown.places)
    assert (results[0] == results[1]).all() and (results[0] != results[2]).any()
    boxes = set()
    for seed in range(20):
        images, targets, shown = pictures()
        changed = paste_objects(images, targets, shown, 0.9, (seed,))
        for n in np.flatnonzero(changed):
            rows, columns = np.nonzero(shown.places[n] == 5)
            if n % LABELS != 4 and len(rows) == 24:
                boxes.add((int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1))
    assert {(6, 4), (4, 6)} <= boxes


def test_what_is_hidden_loses_its_label():
    for seed in range(30):
        images, targets, shown = pictures()
        shown.places[4:, :20, :20] = 5  # things that hide nearly everything
        shown.origins[5] = {4: (1, 5)}
        targets[5] = torch.tensor([False] * 4 + [True])
        first = (shown.places == 1).sum(axis=(1, 2))[0]
        paste_objects(images, targets, shown, 0.9, (seed,))
        left = (shown.places[0] == 1).sum()
        assert bool(targets[0, 0]) == bool(left > 0.4 * first), f"seed {seed}: {left} of {first} pixels"


def test_without_objects_nothing_is_pasted():
    images, targets, shown = pictures()
    targets[:] = False
    before = images.clone()
    assert not paste_objects(images, targets, shown, 0.9, KEY).any()
    torch.testing.assert_close(images, before, rtol=0, atol=0)
