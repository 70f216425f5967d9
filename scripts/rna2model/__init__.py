"""The library behind the rules: pure functions and fitted artefacts, importable without Snakemake."""

__version__ = "0.1.0"
