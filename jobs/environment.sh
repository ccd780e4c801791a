# shellcheck shell=bash
# What this cluster needs, for building and for jobs: the one place to edit. Source it before `make`.

# The modules to load, for example: modules=(gcc openmpi hdf5-parallel libconfig sundials)
modules=()

# The oldest processors the jobs may meet: x86-64-v2, x86-64-v3 (AVX2), x86-64-v4 (AVX-512), native, or empty for the
# compiler's choice.
export ARCH=

# How a job starts its ranks, one on a core: by srun, or, where it lacks PMIx (`srun --mpi=list`), launch=(mpirun), which
# finds the job's nodes and tasks by itself. Tasks per node may differ.
# shellcheck disable=SC2034 # the jobs use it
launch=(srun --mpi=pmix --cpu-bind=cores)

# By default Slurm's PMIx mixes two kinds of fences, and lets ranks out of MPI_Init before others are in: with Slurm 22.05 and
# Open MPI 4.1 one step of eight ranks in ten crashed or hung at its start, any MPI program's.
export SLURM_PMIX_FENCE=${SLURM_PMIX_FENCE:-tree}

if [ ${#modules[@]} -gt 0 ]; then module load "${modules[@]}"; fi
