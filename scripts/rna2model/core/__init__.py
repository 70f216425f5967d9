"""What every other package uses: artefacts on disk, files, errors, jobs, gene ids."""
