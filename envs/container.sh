#!/usr/bin/env bash
# Make the environments of the rules where Snakemake looks for them in an image: a folder per file, named by its content
# (and that of its lock, where there is one). container.sh ENVS TO; --names prints the folders only. CUDA=12.9: the one for GPUs, too.
set -euo pipefail
names=
if [ "$1" = --names ]; then names=yes; shift; fi
from=$1 to=$2
for file in "$from"/*.yaml; do
    if [ "$(basename "$file")" = torch_gpu.yaml ] && [ -z "${CUDA:-}" ]; then continue; fi
    lock=${file%.yaml}.linux-64.pin.txt parts=("$file")
    if [ -f "$lock" ]; then parts=("$lock" "$file"); fi
    prefix=$to/$(cat "${parts[@]}" | md5sum | cut -d' ' -f1)
    echo "$(basename "$file") $prefix"
    if [ -n "$names" ]; then continue; fi
    if [ -f "$lock" ]; then
        CONDA_OVERRIDE_CUDA=${CUDA:-} conda create --yes --quiet --prefix "$prefix" --file "$lock"
    else
        CONDA_OVERRIDE_CUDA=${CUDA:-} CONDA_CHANNELS=conda-forge,bioconda CONDA_CHANNEL_PRIORITY=strict conda env create --quiet --prefix "$prefix" --file "$file"
    fi
done
