"""The user's cache: environments that an installation of others has not."""

import pytest

from rna2model.core import user_cache


@pytest.mark.parametrize("state", ["writable", "has environments", "neither"])
def test_conda_makes_environments_where_the_user_may(state, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(user_cache.os, "access", lambda path, mode: state == "writable")
    if state == "has environments":
        (tmp_path / ".conda/abc_/conda-meta").mkdir(parents=True)
    options = ["--software-deployment-method", "conda", "--conda-prefix", str(tmp_path / ".conda")]
    wanted = tmp_path / ("cache/rna2model/conda" if state == "neither" else ".conda")
    assert user_cache.conda_options(options) == [*options[:3], str(wanted)]
    assert user_cache.conda_options(["--cores", "1"]) == ["--cores", "1"]
