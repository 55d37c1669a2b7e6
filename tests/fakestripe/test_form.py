"""Form bodies decode to what the SDK encoded, and broken ones are refused."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stripe._encode import _api_encode

from storefront.fakestripe.errors import ApiError
from storefront.fakestripe.form import decode

names = st.text(st.characters(codec="utf-8", exclude_characters="[]"), min_size=1, max_size=8)
leaves = st.text(max_size=12)
trees = st.recursive(
    leaves,
    lambda children: (
        st.dictionaries(names, children, min_size=1, max_size=4)
        | st.lists(children, min_size=1, max_size=4)
    ),
    max_leaves=12,
)


def numbered(tree: Any) -> Any:
    """Return the tree as the decoder gives it: a list is a dict with the keys "0", "1", …"""
    if isinstance(tree, list):
        return {str(i): numbered(item) for i, item in enumerate(tree)}
    if isinstance(tree, dict):
        return {name: numbered(item) for name, item in tree.items()}
    return tree


@settings(deadline=None, suppress_health_check=list(HealthCheck))  # a machine may be slow
@given(st.dictionaries(names, trees, max_size=4))
def test_what_the_sdk_encodes_is_decoded(params: dict[str, Any]) -> None:
    text = urlencode(list(_api_encode(params)))
    assert decode(text) == numbered(params)


def test_empty_brackets_append() -> None:
    assert decode("expand[]=a&expand[]=b") == {"expand": {"0": "a", "1": "b"}}
    assert decode("i[][a]=1&i[][b]=2&i[][a]=3") == {
        "i": {"0": {"a": "1", "b": "2"}, "1": {"a": "3"}}
    }


def test_the_last_of_two_values_counts() -> None:
    assert decode("amount=1&amount=2") == {"amount": "2"}


@pytest.mark.parametrize(
    "text", ["a=1&a[b]=2", "[a]=1", "a[b=1", "a]=1", "a=%ff", "a" + "[b]" * 30 + "=1"]
)
def test_what_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ApiError) as caught:
        decode(text)
    assert caught.value.status == 400
