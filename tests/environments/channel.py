"""Conda channels on this disk: small packages with the names, versions and dependencies of channel.yaml.

Their programs run the machine's own tools. `python` is an interpreter of the environment itself, the one that .venv was
made with; it has those packages of .venv that the environment names, and theirs, and no others. So an environment that lacks
a package fails here as it would with the real one.
"""

import functools
import hashlib
import io
import json
import re
import shutil
import sys
import tarfile
from importlib import metadata
from pathlib import Path

import yaml
from packaging.requirements import Requirement

RECORDED = yaml.safe_load((Path(__file__).parent / "channel.yaml").read_text())
PROGRAMS = RECORDED["programs"]
PYTHON = Path(sys._base_executable)
SITE = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
INTERPRETERS = ("python", "python3", f"python3.{sys.version_info.minor}")
CONDA_NAME = {theirs: ours for ours, theirs in RECORDED["distributions"].items()}


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@functools.cache
def distribution(package):
    """The distribution in .venv of a conda package, or None."""
    try:
        return metadata.distribution(RECORDED["distributions"].get(package, package))
    except metadata.PackageNotFoundError:
        return None


@functools.cache
def needs(package):
    """Conda names (list of str) of the packages that a distribution in .venv requires."""
    required = map(Requirement, (distribution(package).requires or []) if distribution(package) else [])
    taken = [r.name for r in required if r.marker is None or r.marker.evaluate({"extra": ""})]
    conda_names = {CONDA_NAME.get(canonical(name), name) for name in taken if distribution(name)}
    known = {canonical(name): name for packages in RECORDED["packages"].values() for name in packages}
    return sorted(known.get(canonical(name), canonical(name)) for name in conda_names)


def all_packages():
    """{channel: {package: {"version build": depends}}}: what is recorded, and the libraries of .venv that it needs."""
    recorded = RECORDED["packages"]
    channels = {channel: dict(packages) for channel, packages in recorded.items()}
    known = {name for packages in recorded.values() for name in packages}
    waiting = sorted(known)
    while waiting:
        for name in set(needs(waiting.pop())) - known:
            known.add(name)
            waiting.append(name)
            channels["conda-forge"][name] = {distribution(name).version.partition("+")[0]: ["python"]}
    return channels


def files_of(package, links):
    """{path in the environment: bytes of a program, or Path that it is a link to} of a package.

    links: folder for links to what a Python package has in .venv; conda does not install links to folders
    """
    files = {f"bin/{name}": _program(name) for name in PROGRAMS.get(package, ())}
    if package == "python":
        files |= {f"bin/{name}": PYTHON for name in INTERPRETERS}
        files["pyvenv.cfg"] = f"home = {PYTHON.parent}\n".encode()
    elif package not in PROGRAMS and distribution(package):
        files |= _python_files(distribution(package), links / package)
    return files


def _program(name):
    program = shutil.which(name)
    return f'#!/bin/sh\nexec "{program}" "$@"\n'.encode() if program else b"#!/bin/sh\nexit 127\n"


def _python_files(dist, links):
    """A line for sys.path with the folder of links to a distribution, and its programs, which run by the environment's Python."""
    root, files = Path(dist.locate_file("")), {}
    files[f"{SITE}/{links.name}.pth"] = f"{links}\n".encode()
    links.mkdir(parents=True, exist_ok=True)
    for path in dist.files or ():
        first = path.parts[0]
        if first not in ("..", "__pycache__") and not (links / first).is_symlink():
            (links / first).symlink_to(root / first)
        elif first == ".." and path.parts[-2] == "bin":
            program = f'#!/bin/sh\nexec "$(dirname "$0")/python" "{path.locate().resolve()}" "$@"\n'
            files[f"bin/{path.name}"] = program.encode()
    return files


def write(folder):
    """Make the channels in `folder`."""
    for channel, packages in all_packages().items():
        place = folder / channel
        for subdir in ("noarch", "linux-64", "linux-aarch64", "osx-64", "osx-arm64"):
            (place / subdir).mkdir(parents=True)
        index = {}
        for name, versions in packages.items():
            for key, depends in versions.items():
                version, _, build = key.partition(" ")
                depends = sorted({*depends, *_unnamed(needs(name), depends)})
                file, record = _package(place / "noarch", name, version, build or "0", depends)
                index[file] = record
        for subdir in place.iterdir():
            content = {"info": {"subdir": subdir.name}, "packages": index if subdir.name == "noarch" else {}}
            (subdir / "repodata.json").write_text(json.dumps(content | {"packages.conda": {}}))
    return folder


def _unnamed(names, depends):
    """Those names (list of str) that `depends` has no version of."""
    return set(names) - {text.split()[0] for text in depends}


def _package(folder, name, version, build, depends):
    """Write a package; (name of its file, its record)."""
    record = {"name": name, "version": version, "build": build, "build_number": 0, "depends": depends}
    record |= {"arch": None, "platform": None, "noarch": "generic", "subdir": "noarch"}
    files = files_of(name, folder.parents[1] / "links")
    about = {
        "info/index.json": json.dumps(record).encode(),
        "info/files": "".join(f"{path}\n" for path in files).encode(),
    }
    file = folder / f"{name}-{version}-{build}.tar.bz2"
    with tarfile.open(file, "w:bz2") as archive:
        for path, content in (about | files).items():
            entry = tarfile.TarInfo(path)
            entry.mode = 0o755 if path.startswith("bin/") else 0o644
            if isinstance(content, Path):
                entry.type, entry.linkname = tarfile.SYMTYPE, str(content)
                archive.addfile(entry)
            else:
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    text = file.read_bytes()
    sums = {"md5": hashlib.md5(text).hexdigest(), "sha256": hashlib.sha256(text).hexdigest()}
    return file.name, record | sums | {"size": len(text)}
