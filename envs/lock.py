"""Write <name>.linux-64.pin.txt beside each environment file: the exact packages, which Snakemake then installs.

Asks the channels themselves, by conda's solver in Python, so that neither conda nor Linux is needed. All files are
written or none.
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

# A machine as old as we support, whatever machine this is: pins made here must run there.
OLDEST = {"__unix": "0", "__linux": "4.18", "__glibc": "2.28", "__archspec": "1"}


async def solve(path, cuda):
    """Text of the pin file of the environment file `path`."""
    environment = yaml.safe_load(path.read_text())
    wants_gpu = any(re.match("pytorch-gpu\\b", text) for text in environment["dependencies"])
    machine = OLDEST | ({"__cuda": cuda} if wants_gpu else {})
    records = await rattler.solve(
        [channel for channel in environment["channels"] if channel != "nodefaults"],
        environment["dependencies"],
        platforms=["linux-64", "noarch"],
        virtual_packages=[
            rattler.GenericVirtualPackage(
                rattler.PackageName(name),
                rattler.Version(version),
                rattler.BuildString("x86_64" if name == "__archspec" else "0"),
            )
            for name, version in machine.items()
        ],
    )
    urls = sorted(f"{record.url}#{record.md5.hex()}" for record in records)
    return "\n".join(["# platform: linux-64", "@EXPLICIT", *urls]) + "\n"


async def lock(paths, cuda=None):
    """Solve all environment files, then write their pins; the exit status."""
    pins = {}
    for path in paths:
        try:
            pins[path.with_suffix(".linux-64.pin.txt")] = await solve(path, cuda)
        except (GatewayError, SolverError) as error:
            print(
                f"lock: {path.name}: {str(error).splitlines()[0]}\n"
                "Nothing was written: `make lock` must reach every channel of the file (conda.anaconda.org) and find there what it names.",
                file=sys.stderr,
            )
            return 1
        print(f"lock: {path.name}")
    for path, text in pins.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environments", nargs="+", type=Path, help="environment files")
    parser.add_argument("--cuda", help="CUDA version of your driver (nvidia-smi): pins PyTorch's GPU build")
    given = parser.parse_args()
    status = asyncio.run(lock(given.environments, given.cuda))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # the solver's threads live on, and now and then crash a Python that ends as usual
