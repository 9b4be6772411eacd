"""Training runs of a few steps, and what they leave."""

import csv

import numpy as np
from safetensors.numpy import load_file
from small_training import draw_photo, small_config, small_vgg

from arbitrary_nst.training.train import train


def run(data, out, *, checkpoint_every=100, **options):
    config = small_config(data, **options.pop("settings", {}))
    return train(config, out, vgg=small_vgg(), checkpoint_every=checkpoint_every, **options)


def checkpoint(out):
    return load_file(out / "checkpoint.safetensors")


def assert_same_state(left, right):
    left, right = checkpoint(left), checkpoint(right)
    assert list(left) == list(right)
    for name in left:
        np.testing.assert_array_equal(left[name], right[name], err_msg=name)


def logged(out):
    with (out / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def contents(folder):
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def one_hot(index, count=4, batch=2):
    return np.eye(count, dtype=np.float32)[[index] * batch]


def batch_of(mixing, seed=0):
    photos = np.stack([draw_photo(seed + i, 32, 32) for i in range(len(mixing))])
    return {"content": photos.astype(np.float32), "mixing": np.asarray(mixing, np.float32)}
