"""A sweep on a cluster of Dask: its parts go to other processes, and the rows come back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from distributed import Client, LocalCluster
from support.sweep_model import NO_UNITS

from dense_calc.api import sweep

SETTINGS: dict[str, Any] = {"w": [4, 0, *range(8, 108)], "d": [1, 2], "head.units": range(3, 5)}


@pytest.fixture
def client() -> Iterator[Client]:
    """A client of two processes on this machine."""
    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="localhost:0",
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def test_a_cluster_works_out_the_rows(client: Client, folder: Path) -> None:
    whole = sweep("m.yaml", SETTINGS)
    expected = list(whole)
    assert {"set": {"w": 0, "d": 1, "head.units": 3}, "error": NO_UNITS} in expected
    Path("m.yaml").unlink()  # the workers may stand where it is not
    parts = client.gather(client.map(list, whole.split(5)))
    assert [len(part) for part in parts] == [81, 82, 81, 82, 82]
    assert [row for part in parts for row in part] == expected
