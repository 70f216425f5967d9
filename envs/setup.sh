#!/usr/bin/env bash
# Make everything a run needs: .venv with Snakemake, and the tools (envs/tools.sh).
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
    echo "setup: Python 3.11 or newer is needed; '$python' is not (set PYTHON=/path/to/python3)." >&2
    exit 1
}

# an activated .venv is about to be replaced: use the Python it was made with
python=$("$python" -c 'import sys; print(getattr(sys, "_base_executable", sys.executable))')

in_use() { # numbers of the processes that were started from .venv or have loaded something of it; none where no /proc says it
    local here=$PWD/.venv/ folder
    for folder in /proc/[0-9]*; do
        case ${folder#/proc/} in $$ | $BASHPID | $PPID) continue ;; esac
        if grep -qaF "$here" "$folder/cmdline" "$folder/maps" 2> /dev/null; then printf '%s ' "${folder#/proc/}"; fi
    done
}

wanted=$(cat envs/requirements.txt envs/setup.sh | sha256sum | cut -d' ' -f1)
if [ "$(cat .venv/.requirements 2>/dev/null)" != "$wanted" ]; then
    used=$(in_use)
    [ -z "$used" ] || {
        echo "setup: .venv has to be made anew, but these processes of this machine work with it: $used" >&2
        echo "  Nothing was changed. Wait for their end (and for runs on other machines), or install into another folder." >&2
        exit 1
    }
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
    printf '%s\n' "$PWD/scripts" "import rna2model.core.environment; rna2model.core.environment.at_start()" > "$site/rna2model.pth"
    .venv/bin/python -m compileall -q scripts || true # others, who cannot write here, need not compile it each time
    echo "$wanted" > .venv/.requirements
fi

envs/tools.sh
