"""A pipeline whose driver is killed: `ray_driver.py CLUSTER ENDPOINT FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

import ray
import ray.data

from extractify.engines.ray import extract
from tests.test_engines import Receipt, at


def main(cluster: str, url: str, folder: Path) -> None:
    ray.init(cluster, log_to_driver=False)
    read = ray.data.read_parquet(str(folder / "in"))
    extract(
        read,
        Receipt,
        at(url),
        text="body",
        id="id",
        in_flight=8,
        rows_per_block=20,
        checkpoint=str(folder / "done"),
    ).write_parquet(str(folder / "out"))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
