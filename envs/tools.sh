#!/usr/bin/env bash
# Where the tools of a run come from: conda per rule (if conda >= 24.7.1 is there), otherwise Debian packages. These are
# installed by root, or with sudo where SETUP_APT=1 asks for it; else it is said what is missing, and how to install it.
set -euo pipefail
cd "$(dirname "$0")/.."

: > .venv/snakemake_options
conda_version=$(conda --version 2>/dev/null | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1 || true)
if [ -n "$conda_version" ] && [ "$(printf '%s\n' 24.7.1 "$conda_version" | sort -V | head -n 1)" = 24.7.1 ]; then
    options="--software-deployment-method conda"
    # one place for all projects, else Snakemake makes every environment again in each folder that it runs in
    prefix=${SNAKEMAKE_CONDA_PREFIX:-$PWD/.conda}
    case "$prefix" in
        *[[:space:]]*) echo "setup: '$prefix' has a space in it, so that each project gets its own environments; SNAKEMAKE_CONDA_PREFIX=<folder without spaces> make setup gives them one place" ;;
        *) options+=" --conda-prefix $prefix" ;;
    esac
    echo "$options" > .venv/snakemake_options
    echo "setup: conda $conda_version will provide the tools, one environment per rule"
    exit 0
fi
[ -z "$conda_version" ] || echo "setup: conda $conda_version is not used; Snakemake needs 24.7.1 or newer"

missing=() packages=()
while IFS=$'\t' read -r command package; do
    case "$command" in '#'*) continue ;; esac
    command -v "$command" > /dev/null || { missing+=("$command"); packages+=("$package"); }
done < envs/debian.txt
[ ${#missing[@]} -gt 0 ] || { echo "setup: all tools are there"; exit 0; }

user=$(id -u)
stop() { # says what is missing and the ways out ("$@", a line each)
    {
        echo "setup: these commands are missing: ${missing[*]}"
        echo "  None of them was installed. Install conda 24.7.1 or newer (Miniforge, say) and run this again"
        printf '  %s\n' "$@"
    } >&2
    exit 1
}
command -v apt-get > /dev/null || stop "or install these programs yourself; this machine has no apt-get."
install="apt-get install --no-install-recommends ${packages[*]}"
as_root=()
if [ "$user" != 0 ]; then
    [ "${SETUP_APT:-}" = 1 ] || stop "or let it install the Debian packages with sudo: SETUP_APT=1 make setup" "or have an administrator do so: $install"
    command -v sudo > /dev/null || stop "or have an administrator install the Debian packages (there is no sudo here): $install"
    as_root=(sudo)
fi
echo "setup: installing ${packages[*]} with ${as_root[*]:+${as_root[*]} }apt-get"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" > /dev/null
