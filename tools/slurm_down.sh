#!/usr/bin/env bash
# Ends the Slurm that tools/slurm_up.sh FOLDER started, by the process ids that it noted; its logs stay in FOLDER/log.
set -uo pipefail
folder=$(realpath -m "$1")
export SLURM_CONF=$folder/slurm.conf

process_of() { # PID-FILE: its process, if that is what the file is named for
    local name pid
    pid=$(cat "$1" 2>/dev/null) || return
    name=$(basename "$1" .pid)
    if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "${name%%.*}" ]; then echo "$pid"; fi
}

if [ -n "$(process_of "$folder/pids/slurmctld.pid")" ]; then
    squeue --noheader --format=%A | sort -u | xargs --no-run-if-empty scancel
    for _ in $(seq 60); do
        [ -z "$(squeue --noheader)" ] && break
        sleep 0.25
    done
fi
pids=() # nodes, controller, munge: in this order
for file in "$folder"/pids/slurmd.*.pid "$folder/pids/slurmctld.pid" "$folder/pids/munged.pid"; do
    pid=$(process_of "$file")
    if [ -n "$pid" ] && kill "$pid"; then pids+=("$pid"); fi
done
for pid in "${pids[@]}"; do
    for _ in $(seq 80); do
        kill -0 "$pid" 2>/dev/null || continue 2
        sleep 0.1
    done
    kill -9 "$pid"
done
rm -rf "$folder"/{pids,state,spool,munge.*}
