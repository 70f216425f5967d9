"""Write <name>.<platform>.pin.txt of each environment file: the exact packages. Beside the file Snakemake installs them.

Asks the channels themselves, by conda's solver in Python, so that neither conda nor the platform is needed. Every
environment is tried, and what cannot be solved is said with the solver's whole answer; all files are written or none.
"""

import argparse
import asyncio
import os
import re
import sys
from pathlib import Path

import rattler
import yaml
from rattler.exceptions import GatewayError, SolverError

# Machines as old as we support, whatever machine this is: pins made here must run there.
OLDEST = {
    "linux-64": {"__unix": "0", "__linux": "4.18", "__glibc": "2.28", "__archspec": "1"},
    "osx-arm64": {"__unix": "0", "__osx": "13.0", "__archspec": "1"},
}
PROCESSOR = {"linux-64": "x86_64", "osx-arm64": "m1"}
CUDA = "12.9"  # a build for it runs with every driver for CUDA 12


def needs_gpu(environment):
    """Whether an environment (content of its file) has builds for GPUs only; macOS has none."""
    return any(re.match("pytorch-gpu\\b", text) for text in environment["dependencies"])


async def solve(environment, platform, cuda):
    """Text of the pin file of an environment (content of its file)."""
    machine = OLDEST[platform] | ({"__cuda": cuda} if needs_gpu(environment) else {})
    records = await rattler.solve(
        environment["channels"],
        environment["dependencies"],
        platforms=[platform, "noarch"],
        virtual_packages=[
            rattler.GenericVirtualPackage(
                rattler.PackageName(name),
                rattler.Version(version),
                rattler.BuildString(PROCESSOR[platform] if name == "__archspec" else "0"),
            )
            for name, version in machine.items()
        ],
    )
    urls = sorted(f"{record.url}#{record.md5.hex()}" for record in records)
    return "\n".join([f"# platform: {platform}", "@EXPLICIT", *urls]) + "\n"


async def solve_all(paths, platforms, cuda):
    """({file name: text} of the pins, messages on what cannot be solved)."""
    pins, problems = {}, []
    for path in paths:
        environment = yaml.safe_load(path.read_text())
        for platform in platforms:
            if platform.startswith("osx") and needs_gpu(environment):
                print(f"lock: {path.name} {platform}: left out, macOS has no CUDA")
                continue
            try:
                pins[f"{path.stem}.{platform}.pin.txt"] = await solve(environment, platform, cuda)
                print(f"lock: {path.name} {platform}")
            except GatewayError as error:  # the others would wait for the same channel
                reach = "`make lock` must reach every channel of the file (conda.anaconda.org)."
                return pins, [*problems, f"lock: {path.name} {platform}: {error}\n{reach}"]
            except SolverError as error:
                problems.append(f"lock: {path.name} {platform}: {error}")
    return pins, problems


def lock(paths, platforms, out, cuda, keep_going):
    """Solve all, then write the pins to the folder `out` (None: beside the environment files); the exit status."""
    pins, problems = asyncio.run(solve_all(paths, platforms, cuda))
    folder = out or paths[0].parent
    written = pins if keep_going or not problems else {}
    if written:
        folder.mkdir(parents=True, exist_ok=True)
    for name, text in written.items():
        (folder / name).write_text(text)
    if problems:
        left = f"{len(written)} files were written." if written else "Nothing was written."
        print(*problems, left, sep="\n", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environments", nargs="+", type=Path, help="environment files")
    parser.add_argument("--platform", nargs="+", choices=OLDEST, default=["linux-64"])
    parser.add_argument(
        "--out", type=Path, help="folder of the pins; default: beside the first environment file"
    )
    parser.add_argument("--cuda", default=CUDA, help="CUDA of your GPU nodes' driver, as nvidia-smi shows it")
    parser.add_argument(
        "--keep-going", action="store_true", help="write what can be solved where some cannot"
    )
    given = parser.parse_args()
    status = lock(given.environments, given.platform, given.out, given.cuda, given.keep_going)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # the solver's threads live on, and now and then crash a Python that ends as usual
