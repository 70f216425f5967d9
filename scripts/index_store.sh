# One index for all projects: rules that make an index source this (planning/index_commands.py) where the config names `reference.store`.
# bash and POSIX tools only, since the environment of a rule may hold nothing but its tool.
#
# STORE/indices/TOOL-VERSION-KEY/ has made_of.txt (what the key is the checksum of), sizes.txt and index/. An index is made in the
# results as without a store, copied beside its place there and renamed, so that one that is there is whole. The results keep a
# folder of links: no tool is ever told a path of the store, which may hold any character.

# index_in_store TOOL VERSION OPTIONS LOG OUTPUT INPUT...: link the index of these inputs to OUTPUT, made by `build` where there is none
index_in_store() {
    local tool=$1 version=$2 options=$3 log=$4 output=$5 made_of key note='' locked=
    shift 5
    : >"$log"
    # A checksum that failed would be the same for every genome.
    if ! made_of=$(describe_index "$tool" "$version" "$options" "$@") || ! key=$(printf '%s\n' "$made_of" | sha256); then
        note="the version of $tool or a checksum of its input cannot be had: the index is made in the results."
    else
        PLACE=$RNA2MODEL_STORE/indices/$tool-$version-${key:0:32}
        if use_stored "$made_of" "$output" "$log"; then return 0; fi
        if [ -e "$PLACE" ]; then
            note="$PLACE cannot be read, is not whole or not what its name says: ask its owner. The index is made in the results."
        elif ! make_store; then
            note="$RNA2MODEL_STORE cannot be written by $(id -un): the index is made in the results, and stays there."
        fi
    fi
    rm -rf "$output" # never build into links: the tool would write into the store
    if [ -n "$note" ]; then
        build
        echo "reference.store: $note" | tee -a "$log" >&2
        return 0
    fi
    if command -v flock >/dev/null && touch "$PLACE.lock" 2>/dev/null; then
        chmod g+rw "$PLACE.lock" 2>/dev/null || true # where another made it, it is so already
        exec 9>>"$PLACE.lock"
        if flock -n 9 2>/dev/null; then
            locked=yes
        else
            echo "reference.store: waiting for whoever makes $PLACE" | tee -a "$log" >&2
            flock 9 2>>"$log" && locked=yes # a disk without locks: both make it, and the first to end is used
        fi
    fi
    if ! use_stored "$made_of" "$output" "$log"; then
        [ -z "$locked" ] || rm -rf "$PLACE".half.* 2>/dev/null || true # of runs that were killed
        build 9>&- # a tool that outlives its job holds no lock
        if publish "$made_of" "$output"; then
            use_stored "$made_of" "$output" "$log"
        else
            echo "reference.store: the index could not be copied to $PLACE; it stays in the results." | tee -a "$log" >&2
        fi
    fi
    [ -z "$locked" ] || exec 9>&-
}

sha256() { { sha256sum 2>/dev/null || shasum -a 256; } | cut -d ' ' -f 1; }

# Names and bases in their order; how long lines are, what else a header says and which bases are in lower case changes no index.
fasta_text() {
    tr -d '\r' <"$1" | awk '
        /^>/ {sub(/^>[ \t]*/, ""); printf "%s>%s\n", (NR > 1 ? "\n" : ""), $1; next}
        {gsub(/[ \t]/, ""); printf "%s", toupper($0)}
        END {print ""}'
}

# Text that says what an index is made of; fails where any part of it is not known.
describe_index() {
    local input sum
    [ -n "$2" ] || return 1
    printf 'tool\t%s\nversion\t%s\noptions\t%s\n' "$1" "$2" "$3"
    shift 3
    for input; do
        case $input in
            *.fa) sum=$(fasta_text "$input" | sha256) || return 1 ;;
            *) sum=$(sha256 <"$input") || return 1 ;;
        esac
        [ "${#sum}" = 64 ] || return 1
        printf '%s\t%s\n' "${input##*/}" "$sum"
    done
}

# Sizes of all files of an index: one cut short by a full disk, or by hand, is not used.
sizes_of() {
    (cd "$1" && find . -type f | LC_ALL=C sort | while IFS= read -r file; do printf '%s\t%d\n' "$file" "$(wc -c <"$file")"; done)
}

# Whether the index at PLACE is there, whole and of these inputs; then OUTPUT is a folder of links to its files.
use_stored() {
    local made_of=$1 output=$2 log=$3 file
    [ -r "$PLACE/made_of.txt" ] && [ "$(cat "$PLACE/made_of.txt")" = "$made_of" ] || return 1
    [ -s "$PLACE/sizes.txt" ] && [ "$(sizes_of "$PLACE/index" 2>/dev/null)" = "$(cat "$PLACE/sizes.txt")" ] || return 1
    for file in "$PLACE"/index/*; do [ -r "$file" ] || return 1; done
    rm -rf "$output"
    mkdir -p "$output" || return 1
    for file in "$PLACE"/index/*; do ln -s "$file" "$output/" || return 1; done
    echo "reference.store: the index is $PLACE" >>"$log"
}

# The folder of the indices; whoever may write the store may write it, too.
make_store() {
    local indices=$RNA2MODEL_STORE/indices
    if [ ! -d "$indices" ]; then
        mkdir -p "$RNA2MODEL_STORE" 2>/dev/null && [ -w "$RNA2MODEL_STORE" ] || return 1
        mkdir "$indices" 2>/dev/null || [ -d "$indices" ] || return 1
        chmod g+rX "$indices" 2>/dev/null || true
        case $(ls -ld "$RNA2MODEL_STORE") in ?????w*) chmod g+w "$indices" 2>/dev/null || true ;; esac
    fi
    [ -w "$indices" ]
}

# Copy OUTPUT to PLACE, there whole or not at all. That another got there first is no failure.
publish() {
    local made_of=$1 output=$2 half
    half=$PLACE.half.${HOSTNAME:-}.$$
    if mkdir "$half" && cp -R "$output" "$half/index" && sizes_of "$output" >"$half/sizes.txt" \
        && [ "$(sizes_of "$half/index")" = "$(cat "$half/sizes.txt")" ] && printf '%s\n' "$made_of" >"$half/made_of.txt" \
        && chmod -R u+rwX,g+rX "$half"; then
        mv -T "$half" "$PLACE" 2>/dev/null || { [ ! -e "$PLACE" ] && mv "$half" "$PLACE"; } || true
    fi
    rm -rf "$half"
    [ -d "$PLACE" ]
}
