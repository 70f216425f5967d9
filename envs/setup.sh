#!/usr/bin/env bash
# Make everything a run needs: .venv with Snakemake; the tools by conda per rule (if conda
# >= 24.7.1 is there), otherwise from Debian packages; otherwise say exactly what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
    echo "setup: Python 3.11 or newer is needed; '$python' is not (set PYTHON=/path/to/python3)." >&2
    exit 1
}

# an activated .venv is about to be replaced: use the Python it was made with
python=$("$python" -c 'import sys; print(getattr(sys, "_base_executable", sys.executable))')

wanted=$(cat envs/requirements.txt envs/setup.sh | sha256sum | cut -d' ' -f1)
if [ "$(cat .venv/.requirements 2>/dev/null)" != "$wanted" ]; then
    echo "setup: installing Python packages into .venv"
    rm -rf .venv
    "$python" -m venv .venv
    .venv/bin/python -m pip install --quiet --upgrade pip
    .venv/bin/python -m pip install --quiet torch==2.13.0 # first, so that nothing else picks a larger build
    echo "setuptools<80" > .venv/build.txt # umi_tools' build asks for the pkg_resources that newer ones dropped
    PIP_BUILD_CONSTRAINT=$PWD/.venv/build.txt PIP_CONSTRAINT=$PWD/.venv/build.txt \
        .venv/bin/python -m pip install --quiet -r envs/requirements.txt
    site=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    # where the library is, and what must be settled before Snakemake starts (a HOME that cannot be written, PYTHONPATH)
    printf '%s\n' "$PWD/scripts" "import rna2model.environment; rna2model.environment.at_start()" > "$site/rna2model.pth"
    echo "$wanted" > .venv/.requirements
fi

: > .venv/snakemake_options
conda_version=$(conda --version 2>/dev/null | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1 || true)
if [ -n "$conda_version" ] && [ "$(printf '%s\n' 24.7.1 "$conda_version" | sort -V | head -n 1)" = 24.7.1 ]; then
    echo "setup: conda $conda_version will provide the tools, one environment per rule"
    echo "--software-deployment-method conda" > .venv/snakemake_options
    exit 0
fi
[ -z "$conda_version" ] || echo "setup: conda $conda_version is not used; Snakemake needs 24.7.1 or newer"

missing=() packages=()
while IFS=$'\t' read -r command package; do
    case "$command" in '#'*) continue ;; esac
    command -v "$command" > /dev/null || { missing+=("$command"); packages+=("$package"); }
done < envs/debian.txt
[ ${#missing[@]} -gt 0 ] || { echo "setup: all tools are there"; exit 0; }

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo -n)
if command -v apt-get > /dev/null && "${as_root[@]}" true 2>/dev/null; then
    echo "setup: installing ${packages[*]} with apt-get"
    "${as_root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" > /dev/null
    exit 0
fi
{
    echo "setup: these commands are missing: ${missing[*]}"
    echo "  either install conda 24.7.1 or newer (Miniforge, say) and run this again,"
    echo "  or ask an administrator for the Debian packages: ${packages[*]}"
} >&2
exit 1
