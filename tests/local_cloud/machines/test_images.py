from pathlib import Path

import pytest

from local_cloud.machines.images import Images
from local_cloud.machines.source_image import SourceImage


@pytest.fixture
def used() -> set[str]:
    return set()


@pytest.fixture
def images(tmp_path: Path, used: set[str]) -> Images:
    tree = tmp_path / "cache/tree"
    tree.mkdir(parents=True)
    images = Images(tmp_path / "images", lambda: used)
    images.start(SourceImage("ami-source", "debian-12-amd64-20261121-local", tree, "x86_64"))
    return images


def layer(images: Images, name: str) -> str:
    (images.layers_directory / name).mkdir()
    return name


def names(images: Images) -> set[str]:
    return {path.name for path in images.layers_directory.iterdir()}


def test_a_layer_stays_as_long_as_an_image_stands_on_it(images: Images) -> None:
    base = layer(images, "base")
    images.add("ami-base", [base, "ami-source"])
    images.add("ami-application", [layer(images, "application"), base, "ami-source"])

    images.remove("ami-base")
    assert names(images) == {"ami-source", "application", "base"}

    images.remove("ami-application")
    assert names(images) == {"ami-source"}


def test_a_layer_stays_as_long_as_an_instance_stands_on_it(images: Images, used: set[str]) -> None:
    images.add("ami-1", [layer(images, "one"), "ami-source"])
    used.update({"one", "ami-source"})

    images.remove("ami-1")
    assert "one" in names(images)

    used.clear()
    images.collect()
    assert names(images) == {"ami-source"}


def test_an_image_with_a_layer_missing_is_not_whole(images: Images, tmp_path: Path) -> None:
    images.add("ami-1", ["gone", "ami-source"])

    assert images.layers("ami-1") is None
    assert images.layers("ami-nobody-knows") is None
    assert images.layers("ami-source") == ("ami-source",)
