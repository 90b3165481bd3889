"""What the tests of fetching share: a cache of their own, and servers. No conftest, for the live tests have one."""

from __future__ import annotations

import os

import pytest

import servers


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return servers.Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """An empty cache, and nothing of what the machine says about caches and proxies."""
    unwanted = ("UNIHUB_", "TFHUB_", "KAGGLE", "SSL_CERT", "REQUESTS_CA", "CURL_CA", "AWS_")
    for name in set(os.environ) - {"UNIHUB_INSTALLED"}:
        if name.startswith(unwanted) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("UNIHUB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kagglehub"))
    return tmp_path / "cache"


@pytest.fixture
def quick(monkeypatch):
    """Short waits before the next attempt."""
    from unihub._resolve import requests_client

    monkeypatch.setattr(requests_client, "_FIRST_WAIT", 0.01)


@pytest.fixture(params=["http", "https"])
def site(request, authority, own_cache, monkeypatch):
    """A server, with TLS and without."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", authority.path)
    found = servers.Site(authority.context if request.param == "https" else None)
    yield found
    found.close()


@pytest.fixture
def plain_site(own_cache):
    found = servers.Site()
    yield found
    found.close()


@pytest.fixture
def internet(authority, own_cache, monkeypatch):
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
