#!/usr/bin/env bash
# Starts a real Slurm on this one machine, for tests: a controller and NODES simulated nodes, each a slurmd of its own.
#
#   tools/slurm_up.sh FOLDER [NODES=4] [CPUS_PER_NODE=2]
#
# Everything lies in FOLDER, which tools/slurm_down.sh FOLDER ends and leaves with its logs; the machine's own Slurm and
# munge, if there are any, are not touched. Slurm's commands find it by SLURM_CONF=FOLDER/slurm.conf. Needs root (name
# spaces) and the programs slurmctld, slurmd, munged. Exit status 77, with the reason: it cannot be started here.
set -euo pipefail
folder=$(realpath -m "$1") n_nodes=${2:-4} n_cpus=${3:-2}

cannot() {
    echo "slurm_up: $*" >&2
    exit 77
}

export PATH=$PATH:/usr/sbin:/sbin
[ "$(id -u)" = 0 ] || cannot 'only root can start a Slurm of several nodes on one machine'
for program in slurmctld slurmd munged srun sbatch unshare; do
    command -v "$program" >/dev/null || cannot "$program is not here (Debian: slurmctld slurmd slurm-client munge)"
done
unshare --uts --mount --propagation private true 2>/dev/null || cannot 'name spaces are not allowed here'

mkdir -p "$folder"/{pids,log,state,spool}
chmod 755 "$folder" "$folder"/*
port=$((20000 + $$ % 800 * 50)) # two of these on a machine keep apart

# ---- munge, with a key and a socket of its own
head -c 1024 /dev/urandom >"$folder/munge.key"
chmod 400 "$folder/munge.key"
munged --force --num-threads=2 --socket="$folder/munge.socket" --key-file="$folder/munge.key" \
    --pid-file="$folder/pids/munged.pid" --log-file="$folder/log/munged.log" --seed-file="$folder/munge.seed" 2>/dev/null
munge --no-input --socket="$folder/munge.socket" >/dev/null || cannot 'munge does not work'

cat >"$folder/slurm.conf" <<END
ClusterName=test
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_min_interval=100000
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool/%n
SlurmctldPidFile=$folder/pids/slurmctld.pid
SlurmdPidFile=$folder/pids/slurmd.%n.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd.%n.log
SlurmctldPort=$port
SlurmdParameters=config_overrides
ReturnToService=2
MinJobAge=3600
KillWait=5
SlurmctldTimeout=60
SlurmdTimeout=60
JobRequeue=1
NodeName=node[1-$n_nodes] NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + n_nodes))] CPUs=$n_cpus Boards=1 SocketsPerBoard=1 CoresPerSocket=$n_cpus ThreadsPerCore=1 RealMemory=8000 State=UNKNOWN
PartitionName=main Nodes=node[1-$n_nodes] Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
END
export SLURM_CONF=$folder/slurm.conf
slurmctld -f "$SLURM_CONF"

# Each node has its own host name, /dev/shm and folder of PMIx: files there are named by host and rank.
for ((i = 1; i <= n_nodes; i++)); do
    node=node$i
    mkdir -p "$folder/spool/$node" "$folder/etc.$node" "$folder/pmix.$node"
    chmod 1777 "$folder/pmix.$node"
    cp "$SLURM_CONF" "$folder/etc.$node/slurm.conf"
    echo "PMIxCliTmpDirBase=$folder/pmix.$node" >"$folder/etc.$node/mpi.conf"
    # shellcheck disable=SC2016 # the inner shell expands them
    unshare --uts --mount --propagation private sh -c '
        hostname "$1" && mount -t tmpfs -o mode=1777,size=2g tmpfs /dev/shm &&
        exec slurmd -N "$1" -f "$2/etc.$1/slurm.conf"' sh "$node" "$folder"
done

for _ in $(seq 600); do
    n_idle=$(sinfo --noheader --Node --states=idle --format=%N 2>/dev/null | sort -u | wc -l) || n_idle=0
    if [ "$n_idle" = "$n_nodes" ]; then exit; fi
    sleep 0.2
done
tail -n 5 "$folder"/log/*.log >&2
cannot "only $n_idle of $n_nodes nodes came up"
