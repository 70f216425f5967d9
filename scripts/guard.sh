# What happens when the tool of one sample fails. Rules source it (planning/guard.py); bash and POSIX tools only, since the
# environment of a rule may hold nothing but its tool.
#
# A tool that fails twice the same way, with more memory and time, and without a sign that memory, time, disk, node or
# environment are to blame, fails because of its data. Then its outputs become files of one line, the mark of a failed
# sample, and so do those of every later rule of that sample, until rule tally_fragments makes the mark a verdict.
# scripts/rna2model/core/tool_failure.py does the same for scripts, and reads the marks.

MARK='#rna2model-failed' # then, with tabs between: sample, rule, log, first output, reason
HERE=${BASH_SOURCE[0]%/*}
LONGEST=200        # characters of a sentence
LEAST_FREE=20000   # kB; a disk with less is full

# guard SAMPLE KIND LOG INPUT... -- OUTPUT...: run the function `tool`, unless an input is marked.
# KIND of the outputs: files or folders. The folder of the log has the name of the rule. RNA2MODEL_ON_TOOL_FAILURE: the config's qc.on_tool_failure.
guard() {
    local sample=$1 kind=$2 log=$3 policy=$RNA2MODEL_ON_TOOL_FAILURE line='' tool_stderr status
    local rule=${log%/*}
    rule=${rule##*/}
    shift 3
    while [ "$1" != -- ]; do
        first_line "$1"
        case $line in "$MARK"*) break ;; esac
        line=
        shift
    done
    while [ "$1" != -- ]; do shift; done
    shift
    if [ -n "$line" ]; then
        echo "not run: ${line##*$'\t'}" >"$log"
        [ "$policy" = exclude ] || { to_repeat "$line" | tee -a "$log" >&2 && return 1; }
        leave_mark "$line" "$kind" "$@"
        return
    fi
    : >"$log" # some tools add to what another attempt wrote
    set +e
    { tool_stderr=$(run_tool 2>&1 1>&3 3>&-); } 3>&1
    status=$?
    set -e
    local before=${log%/*/*}/failed_once/${log#"${log%/*/*}"/}
    if [ $status != 0 ]; then
        judge "$@"
    else
        [ -z "$tool_stderr" ] || printf '%s\n' "$tool_stderr" >&2
        [ ! -f "$before" ] || rm -f "$before"
    fi
}

# Run the commands in a subshell and print the exit status of every part of a failed pipeline: a killed tool makes others fail.
run_tool() {
    exec 4>&2
    set -eE
    trap 'printf "exit status %s\n" "${PIPESTATUS[*]}" >&4' ERR
    tool
}

# After a failure: fail with the same status, or mark the outputs and succeed.
judge() {
    local statuses sentence signature
    statuses=$(sed -n 's/^exit status //p' <<<"$tool_stderr" && echo $status)
    tool_stderr=$(sed '/^exit status [0-9 ]*$/d' <<<"$tool_stderr")
    [ -z "$tool_stderr" ] || printf '%s\n' "$tool_stderr" >&2
    if [ "$policy" = stop ] || is_infrastructure "$log" "$tool_stderr" "$statuses" || is_full "$1"; then
        rm -f "$before"
        echo "exit status ${statuses%%$'\n'*}" >>"$log" || :
        exit "$status"
    fi
    sentence=$(sentence_of "$log" "$tool_stderr")
    [ -n "$sentence" ] || case $status in
        134) sentence="it aborted without a word" ;;
        136) sentence="it crashed without a word (arithmetic)" ;;
        139) sentence="it crashed without a word (segmentation fault)" ;;
        *) sentence="it ended with exit status $status without a word" ;;
    esac
    signature=$(sed -E 's,[^ ]*/[^ ]*,P,g; s,[0-9]+,N,g' <<<"$sentence")
    if [ ! -f "$before" ] || [ "$(<"$before")" != "$signature" ]; then
        mkdir -p "${before%/*}"
        printf '%s\n' "$signature" >"$before"
        exit "$status"
    fi
    rm -f "$before"
    line=$MARK$'\t'$sample$'\t'$rule$'\t'$log$'\t'$1$'\t'"$rule failed twice: $sentence"
    leave_mark "$line" "$kind" "$@"
    echo "rna2model: $sample: $rule failed twice, the run goes on without it: $sentence (log: $log)" >&2
}

# take_scratch FACTOR OUTPUT INPUT...: make the folder $scratch for temporary files of FACTOR times the inputs; it is gone
# when this shell ends.
take_scratch() {
    local factor=$1 output=$2 bytes=0 file place
    shift 2
    for file in "$@"; do bytes=$((bytes + $(wc -c <"$file"))); done
    place=$(scratch_place $((bytes * factor / 1000)) "$output")
    if [ "$place" = "${TMPDIR:-/tmp}" ]; then
        scratch=$(mktemp -d "$place"/rna2model.XXXXXX)
    else
        scratch=$output.tmp
        rm -rf "$scratch" # what a killed run left
        mkdir "$scratch"
    fi
    trap 'rm -rf "$scratch"' EXIT
}

# scratch_place KB OUTPUT: where such a folder is to be: the job's TMPDIR, which is Snakemake's `tmpdir`, if it has twice the
# room, as other jobs of the node use it, too, and is no memory (of up to 100 MB nobody dies); else beside the output. Some
# tools take no spaces.
scratch_place() {
    local place=${TMPDIR:-/tmp} room
    room=$(df -Pk "$place" 2>/dev/null \
        | awk -v need="$1" 'NR == 2 && $4 > 2 * need && (need < 100000 || $1 !~ /^(tmpfs|ramfs)$/) {print "yes"}')
    if [ -n "$room" ] && [ -w "$place" ] && [[ $place != *[[:space:]]* ]]; then echo "$place"; else dirname "$2"; fi
}

# read_library FILE: what rule describe_library says of a sample, as $strandedness, $layout and $fragments.
read_library() {
    eval "$(sed -nE 's/^ "(strandedness|layout|fragments)": "?([a-z0-9]+)"?,?$/\1=\2/p' "$1")"
}

# take_evenly MOST: FASTQ records evenly from standard input, the same as rna2model.reads.fastq.Evenly takes them.
take_evenly() {
    LC_ALL=C awk -v most="$1" '
        BEGIN {step = 1; first = 1} # the line that begins the next record that is taken
        NR < first {next}
        {read = read $0 "\n"}
        NR < first + 3 {next}
        {
            taken[n++] = read; read = ""
            if (n > most) {
                for (i = 0; 2 * i < n; i++) taken[i] = taken[2 * i]
                for (n = i; i in taken; i++) delete taken[i]
                step *= 2
            }
            first = 4 * n * step + 1
        }
        END {for (i = 0; i < n; i++) printf "%s", taken[i]}'
}

# The first line of a file, or of the mark in a folder, as $line.
first_line() {
    local file=$1
    line=
    [ ! -d "$file" ] || file=$file/failed.txt
    [ ! -f "$file" ] || IFS= LC_ALL=C read -r -n 4000 line <"$file" || :
}

leave_mark() {
    local line=$1 kind=$2 output
    shift 2
    for output in "$@"; do
        if [ "$kind" = folders ]; then
            rm -rf "$output"
            mkdir -p "$output"
            output=$output/failed.txt
        fi
        printf '%s\n' "$line" >"$output"
    done
}

to_repeat() {
    local sample rule log file reason
    IFS=$'\t' read -r _ sample rule log file reason <<<"$1"
    echo "error: $sample: $reason; qc.on_tool_failure is stop now: run that job again with --forcerun $file"
}

# Whether a log, the standard error beside it, or an exit status shows that the machine is at fault.
is_infrastructure() {
    local status
    for status in $3; do
        case $status in 126 | 127 | 129 | 130 | 131 | 132 | 135 | 137 | 138 | 140 | 143 | 152 | 153) return 0 ;; esac
    done
    # read to its end: what writes into a closed pipe would fail
    [ -n "$({ readable_end "$1" && printf '%s\n' "$2"; } | grep -iEf "$HERE/infrastructure.txt")" ]
}

# Whether the disk that a file is to be written to has no room.
is_full() {
    local free
    free=$(df -Pk "$(dirname "$1")" 2>/dev/null | awk 'NR == 2 {print $4}')
    [ "${free:-$LEAST_FREE}" -lt "$LEAST_FREE" ]
}

# The last lines of a log without colours, and each state of a progress bar as a line.
readable_end() {
    [ ! -f "$1" ] || tail -c 20000 "$1" | sed $'s/\e\\[[0-9;]*m//g' | tr '\r' '\n' | LC_ALL=C tr -cd '\11\12\40-\176'
}

# What a line looks like that says nothing: decoration, warnings, code of a traceback, consequences of an error before it.
NOISE='^[^[:alpha:]]*$|\[W::|^Traceback |^    |^ +File "|^[[:space:]]+at |SOLUTION|ERROR, exiting$|^terminate called'
NOISE+='|^\(ERR\): |^Aborted|ail(ed)? to read( the)? header (for|from) "-"|Broken pipe|error closing "-"|^Exiting|sage:|\[info\]'
# One that begins an error, in the words of STAR, htslib, HISAT2, fastp, Python, Java, Salmon, argparse and C++.
MARKED='EXITING|^\[E::|^(ERROR|Error|error|FATAL|Fatal|fatal)[ :,]|^[A-Za-z_.]*(Error|Exception)( ?:|$)|: error: '
MARKED+='|\] \[(error|critical)\] +[^ ]|^ *what\(\): '
SOUNDS='[Ee]rror|ERROR|[Ff]ail|annot|ould not|nable|nvalid|orrupt|runcated|fault'

# The sentence in which a tool says why it fails: the first line that is marked as an error, for what follows is its
# consequence; else the last that sounds like one, else the last.
# sentence_of LOG SAID [errors]: with `errors` not a last line that is none.
sentence_of() {
    local line marked='' doubtful='' last='' unfinished=''
    while IFS= read -r line; do
        if [[ $line =~ $NOISE ]]; then
            [ -z "$unfinished" ] || break
        elif [ -n "$unfinished" ]; then
            marked="${marked%:}: ${line#"${line%%[! ]*}"}"
            break
        elif [[ $line =~ $MARKED ]]; then
            marked=$line
            [[ $line =~ EXITING|:\ *$|^Error\ occur ]] || break
            unfinished=yes
        else
            last=$line
            ! [[ $line =~ $SOUNDS ]] || doubtful=$line
        fi
    done < <({ readable_end "$1" && printf '%s\n' "$2"; } | tail -n 200 | expand -t 1)
    line=${marked:-${doubtful:-$last}}
    [ "$line" != "$last" ] || [ -z "${3:-}" ] || [[ $last =~ ^exit\ status|$SOUNDS ]] || return 0
    sed -E 's/^.*(EXITING)/\1/; s/^(\[[^]]*\] *)*\[(error|critical)\] *//; s/^ *what\(\): *//; s/ +/ /g; s/^ //; s/ $//' <<<"$line" \
        | cut -c "1-$LONGEST"
}
