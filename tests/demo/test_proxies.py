"""The demo in the networks of companies."""

import importlib.util
import logging
import os

import pytest

from arbitrary_nst.demo.serving import go_past_proxies

OWN = ["localhost", "127.0.0.1", "::1"]


@pytest.fixture
def environment(monkeypatch):
    """None of this machine's proxies, and after the test what was there before."""
    values = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    monkeypatch.setattr(os, "environ", values)
    return values


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_it_reaches_itself(environment, name):
    go_past_proxies()
    assert environment[name].split(",") == OWN
    environment[name] = "a.example,127.0.0.1"
    for _ in range(2):
        go_past_proxies()
        assert environment[name].split(",") == ["a.example", "127.0.0.1", "localhost", "::1"]


@pytest.mark.parametrize("has_package", [True, False])
def test_a_socks_proxy(environment, has_package, monkeypatch, caplog):
    found = importlib.util.find_spec("json") if has_package else None
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found)
    environment.update(ALL_PROXY="socks5://host:1", http_proxy="http://host:2")
    with caplog.at_level(logging.WARNING):
        go_past_proxies()
    assert environment["http_proxy"] == "http://host:2"
    assert ("ALL_PROXY" in environment) == has_package
    assert ("ALL_PROXY" in caplog.text) != has_package
