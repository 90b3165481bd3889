"""Servers for the tests of fetching."""

from __future__ import annotations

import pytest

import servers
from choices import also_slow


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return servers.Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def quick(monkeypatch):
    """Short waits before the next attempt."""
    from unihub._resolve import requests_client

    monkeypatch.setattr(requests_client, "_FIRST_WAIT", 0.01)


@pytest.fixture(params=also_slow(["https", "http"], 1))
def site(request, authority, monkeypatch):
    """A server, with TLS and without."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", authority.path)
    found = servers.Site(authority.context if request.param == "https" else None)
    yield found
    found.close()


@pytest.fixture
def plain_site():
    found = servers.Site()
    yield found
    found.close()


@pytest.fixture
def internet(authority, monkeypatch):
    """A server that is reached, through a proxy, by the names of tfhub.dev and Kaggle."""
    found = servers.Site(authority.context)
    proxy = servers.Proxy(found.port)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", authority.path)
    monkeypatch.setenv("https_proxy", proxy.url)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    found.proxy = proxy
    yield found
    proxy.close()
    found.close()
