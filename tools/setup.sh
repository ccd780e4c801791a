#!/usr/bin/env bash
# Installs what ketsweep needs and this machine lacks; does nothing, quickly, where all is found.
#
# tools/probe.sh judges what is there. On Debian and Ubuntu, as root or with passwordless sudo, exactly the missing
# packages are installed. Elsewhere this names what is missing and the usual modules, and exits with status 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
    cat <<'END'
usage: tools/setup.sh [--check] [--build]
  --check   install nothing; name what is missing, exit status 1 if anything is
  --build   only what building needs, not what tests and tools need
  --help    this text
END
}

# The words of probe.sh: what it is | packages of Debian and Ubuntu | usual module
explain() {
    case $1 in
        compiler) echo 'a C compiler and make|build-essential|gcc' ;;
        mpi) echo 'MPI|libopenmpi-dev openmpi-bin|openmpi' ;;
        mpirun) echo 'mpirun|openmpi-bin|openmpi' ;;
        hdf5) echo 'parallel HDF5 with its high-level library|pkg-config libhdf5-openmpi-dev|hdf5, its MPI build' ;;
        serial-hdf5) echo 'parallel HDF5 (found: a serial one)|pkg-config libhdf5-openmpi-dev|hdf5, its MPI build' ;;
        libconfig) echo 'libconfig|pkg-config libconfig-dev|libconfig' ;;
        gsl) echo 'GSL (tests)|pkg-config libgsl-dev|gsl' ;;
        random123) echo 'Random123|librandom123-dev|random123' ;;
        sundials) echo 'SUNDIALS CVODE with KLU|libsundials-dev|sundials' ;;
        cmocka) echo 'cmocka (tests)|libcmocka-dev|cmocka' ;;
        h5dump) echo 'h5dump (tests)|hdf5-tools|hdf5' ;;
        clang-format) echo 'clang-format (tests)|clang-format|llvm' ;;
        h5py | matplotlib | xarray | h5netcdf) echo "Python module $1 (tests)|python3-$1|python, or pip install $1" ;;
        Rscript) echo 'R (tests)|r-base-core r-cran-hdf5r|R' ;;
        hdf5r) echo 'R package hdf5r (tests)|r-cran-hdf5r|R, and install.packages("hdf5r")' ;;
        *) echo "library $1||$1" ;; # no name of a package is guessed
    esac
}

missing_words() {
    tools/probe.sh "$@" | sed -n 's/^MISSING=//p'
}

report() { # the words
    local word what packages module
    echo 'ketsweep needs, and this machine lacks:'
    for word in "$@"; do
        IFS='|' read -r what packages module <<<"$(explain "$word")"
        printf '  %s\n      Debian, Ubuntu: %s; module: %s\n' "$what" "$packages" "$module"
    done
    echo 'On Debian and Ubuntu tools/setup.sh installs it, as root or by sudo. On a cluster load modules, or name a'
    echo 'prefix by HDF5_ROOT, SUNDIALS_ROOT, SUITESPARSE_ROOT, RANDOM123_ROOT, GSL_ROOT, LIBCONFIG_ROOT, CMOCKA_ROOT.'
} >&2

install_packages() {
    local as_root=()
    if [ "$(id -u)" != 0 ]; then as_root=(sudo -n); fi
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300) log
    if [ $# -eq 0 ]; then return; fi
    echo "tools/setup.sh: installing $*" >&2
    "${apt[@]}" install -y --no-install-recommends "$@" >/dev/null 2>&1 && return
    log=$(mktemp)
    "${apt[@]}" update >"$log" 2>&1 || true # lists may be absent or old
    "${apt[@]}" install -y --no-install-recommends "$@" >>"$log" 2>&1 || cat "$log" >&2
    rm "$log"
}

can_install() {
    command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }
}

is_check=false
scope=(--tests)
for argument in "$@"; do
    case $argument in
        --check) is_check=true ;;
        --build) scope=() ;;
        --help) usage && exit ;;
        *) usage >&2 && exit 2 ;;
    esac
done

read -ra words <<<"$(missing_words "${scope[@]}")"
before=''
while [ ${#words[@]} -gt 0 ] && [ "${words[*]}" != "$before" ] && ! $is_check && can_install; do
    before=${words[*]} # without a compiler the probe sees no libraries: it takes more than one pass
    read -ra packages <<<"$(for word in "${words[@]}"; do explain "$word" | cut -d '|' -f 2; done | xargs)"
    install_packages "${packages[@]}" || true # what did not come is named below
    read -ra words <<<"$(missing_words "${scope[@]}")"
done
if [ ${#words[@]} -gt 0 ]; then
    report "${words[@]}"
    exit 1
fi

# Tests that want these are skipped where they do not come.
if [ ${#scope[@]} -gt 0 ] && ! $is_check && can_install; then
    wanted=()
    for program in slurmctld:slurmctld slurmd:slurmd srun:slurm-client munged:munge shellcheck:shellcheck zsh:zsh man:man-db \
        mandoc:mandoc node:nodejs npm:npm chromium:chromium; do
        PATH=$PATH:/usr/sbin command -v "${program%%:*}" >/dev/null || wanted+=("${program#*:}")
    done
    install_packages "${wanted[@]}" || true
    if [ tests/web/package-lock.json -nt tests/web/node_modules/.package-lock.json ] && command -v npm >/dev/null; then
        (cd tests/web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null) || true
    fi
fi
