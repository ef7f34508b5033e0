"""The models of `keras.applications` and some small ones, as Keras wrote them."""

from __future__ import annotations

import json
import lzma

from conftest import DATA

FACTS = {
    fact["title"]: fact
    for fact in map(
        json.loads, lzma.decompress((DATA / "applications.jsonl.xz").read_bytes()).splitlines()
    )
}
