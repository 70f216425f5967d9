"""Fixtures shared by all tests: where things are, and how a user would run the workflow."""

import subprocess

import pytest

from tests.browser import CHROMIUM, opened_page
from tests.command import REPOSITORY, command

REAL_DATA = REPOSITORY.parent / "shared" / "data"


SHARE_THE_DEMO = {
    f"tests/workflow/test_{name}.py"
    for name in ("demo", "incremental", "sample_files", "serving", "explore", "conda")
}


def pytest_xdist_make_scheduler(config, log):
    """With two workers (`make test`) a file stays together, and so do all that share the run of the demo, or the cluster."""
    from xdist.scheduler import LoadScopeScheduling

    class ByRun(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.split("::")[0]
            if file.startswith("tests/slurm/"):
                return "slurm"
            return "demo" if file in SHARE_THE_DEMO else file

    config.option.loadscopereorder = False
    return ByRun(config, log)


def pytest_collection_modifyitems(items):
    """Whole runs start first, the demo before all: two workers end at about the same time."""
    runs = [item for item in items if item.path.parent.name == "workflow" and "demo" in item.fixturenames]
    apart = {item.nodeid.split("::")[0] for item in runs} - SHARE_THE_DEMO
    assert not apart, f"the demo would be made again for these, which SHARE_THE_DEMO lacks: {apart}"
    order = {"workflow": 1, "slurm": 2, "faults": 3}
    items.sort(
        key=lambda item: (
            0 if item.nodeid.split("::")[0] in SHARE_THE_DEMO else order.get(item.path.parent.name, 4)
        )
    )


@pytest.fixture(scope="session")
def repository():
    return REPOSITORY


@pytest.fixture(scope="session")
def real_data():
    """Published reads and matrices; a checkout without them skips the tests that need them."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"the published data sets are not at {REAL_DATA}")
    return REAL_DATA


@pytest.fixture(scope="session")
def german(tmp_path_factory):
    """Variables of a desktop with a decimal comma; its locale is made here, for few machines have it."""
    folder = tmp_path_factory.mktemp("locale")
    command = ["localedef", "-f", "UTF-8", "-i", "de_DE", str(folder / "de_DE.UTF-8")]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no localedef, or no source of de_DE, on this machine (Debian package locales)")
    return {"LOCPATH": str(folder), "LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8", "LANGUAGE": "de"}


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium, or a skip that says what is missing."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (make setup)")
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine (Debian package chromium)")
    with sync_api.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser):
    """Function that opens a file: opened(path, width=1200, **options of the context)."""
    contexts = []

    def open_page(path, width=1200, **options):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **options))
        return opened_page(contexts[-1], path)

    yield open_page
    for context in contexts:
        context.close()


def snakemake(folder, *arguments, config="config.yaml", cores=2, check=None, within=()):
    """Run the workflow in `folder` as a user would; returns the finished process with its text output.

    `within`: a command that runs it, to limit what it may use.
    """
    started = [*map(str, within), *command(folder, *arguments, config=config, cores=cores)]
    run = subprocess.run(started, capture_output=True, text=True)
    run.text = run.stdout + run.stderr
    if check is not None:
        assert (run.returncode == 0) == check, run.text[-6000:]
    return run
