"""The library behind the rules: pure functions and fitted artefacts, importable without Snakemake."""

from pathlib import Path

__version__ = "0.2.0"
REPOSITORY = Path(__file__).resolve().parents[2]
