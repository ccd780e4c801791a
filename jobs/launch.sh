# shellcheck shell=bash
# What the job scripts share; nothing to edit. A job goes on by itself: a run that is stopped by the end of its time exits
# with status 3, and the job is put back into the queue, where the same lines go on with the file.
#
# Expects $jobs, the folder of this file. Needs bash 4.4.
set -euo pipefail

# shellcheck source=jobs/environment.sh disable=SC2154 # $jobs is of the script that sources this
source "$jobs/environment.sh"

# The program: $KETSWEEP, or that of this copy of ketsweep, or that which `make install` put beside share/, or any.
find_program() {
    local program
    for program in "${KETSWEEP:-}" "$jobs/../build/release/ketsweep" "$jobs/../../../bin/ketsweep"; do
        if [ -n "$program" ] && [ -x "$program" ]; then
            realpath "$program"
            return
        fi
    done
    command -v ketsweep || fail "there is no ketsweep: build it by \`make\`, or let KETSWEEP name it"
}

fail() {
    echo "$*" >&2
    exit 2
}

# The file that CONFIG and the options of `ketsweep run` name. A fault of CONFIG ends the job, with its sentence in the log.
output_file() { # CONFIG [OPTION]...
    local config=$1 output='' plan overrides=()
    shift
    while [ $# -gt 0 ]; do
        case $1 in
            -o | --output) output=${2:-} ;;
            --output=*) output=${1#*=} ;;
            --set) overrides+=(--set "${2:-}") ;;
            --set=*) overrides+=("$1") ;;
        esac
        shift
    done
    plan=$("$ketsweep" check "$config" "${overrides[@]}") || return
    if [ -z "$output" ]; then
        output=$(sed -n 's/^file \(.*\); [0-9.]* [kMGTP]*B of rows in memory .*/\1/p' <<<"$plan")
    fi
    echo "$output"
}

# For `ketsweep status JOB`.
note_file() { # FILE
    scontrol update JobId="$SLURM_JOB_ID" Comment="ketsweep:$(realpath -m "$1")" 2>/dev/null || true
}

# Seconds until Slurm ends this job; nothing where it does not say.
seconds_left() {
    local end
    end=$(squeue --noheader --jobs="$SLURM_JOB_ID" --format=%e 2>/dev/null) || return 0
    end=$(date -d "$end" +%s 2>/dev/null) || return 0
    echo $((end - $(date +%s)))
}

# Runs `ketsweep ARGUMENT...` on all ranks. USR1 to this shell, which Slurm sends before the end of the time
# (#SBATCH --signal=B:USR1@...), stops it in order.
near_end=false
run_on_ranks() { # ARGUMENT...; sets $status
    local ranks
    "${launch[@]}" "$ketsweep" "$@" &
    ranks=$!
    trap 'near_end=true; kill -USR1 $ranks 2>/dev/null || true' USR1
    while :; do # a trap ends `wait` early
        status=0
        wait "$ranks" || status=$?
        kill -0 "$ranks" 2>/dev/null || break
    done
    trap - USR1
}

# Runs to the end, over as many jobs as it takes: returns when the work is done, or does not return. A run that somebody
# stopped in good time (scancel --signal=USR1) stays stopped.
run_until_complete() { # ARGUMENT...
    local left
    run_on_ranks "$@"
    if [ "$status" = 3 ]; then
        left=$(seconds_left)
        if $near_end || [ "${left:-0}" -lt 180 ]; then
            echo "$(date -u +%FT%TZ) job $SLURM_JOB_ID goes back into the queue, and goes on from there"
            scontrol requeue "$SLURM_JOB_ID" && sleep 60 # Slurm ends this script
            echo "Slurm does not requeue job $SLURM_JOB_ID; the same sbatch line goes on with it" >&2
        fi
    fi
    if [ "$status" != 0 ]; then exit "$status"; fi
}

# Submits a command as a job of its own for when job $1 is done; it vanishes where that fails. Not again in a job that was
# requeued.
submit_after() { # JOB NAME OPTIONS-OF-SBATCH COMMAND...
    local after=$1 name=$2 options=$3
    shift 3
    if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then return; fi
    # shellcheck disable=SC2086 # the options are words
    sbatch --dependency="afterok:$after" --kill-on-invalid-dep=yes --job-name="$name" --output="%x-%j.log" \
        --partition="$SLURM_JOB_PARTITION" ${SLURM_JOB_ACCOUNT:+--account="$SLURM_JOB_ACCOUNT"} $options \
        --wrap="${*@Q}"
}

ketsweep=$(find_program)
