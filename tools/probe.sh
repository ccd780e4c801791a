#!/usr/bin/env bash
# Finds what ketsweep is built from; prints it as NAME=VALUE lines for make and for setup.sh.
#
# Judges by what the compiler sees and never by package names, so that Debian's packages, environment modules
# (CPATH, LIBRARY_PATH, PKG_CONFIG_PATH, mpicc or MPICC, h5pcc), Spack and prefixes (HDF5_ROOT, SUNDIALS_ROOT, ...) serve
# alike. MISSING lists what is not there, in words that setup.sh explains; TEST_CFLAGS and TEST_LIBS are what the test
# programs take beside the program's. With --tests it looks for what testing and the demo need too; with --python it
# prints only the Python to use.
set -uo pipefail
export LC_ALL=C
CC=${CC:-gcc}
mpicc=${MPICC:-mpicc}
mode=${1:-}
cflags='' libs='' test_cflags='' test_libs='' missing=''
serial_hdf5='' hdf5_from=''

# ---- one library's words ------------------------------------------------------------------------------------

compile_words() { # those of a compiler wrapper's command line that compiling needs
    local word
    for word in "$@"; do
        case $word in -I* | -pthread) echo -n " $word" ;; esac
    done
}

link_words() { # those that linking needs
    local word before=''
    for word in "$@"; do
        case $before:$word in
            -Xlinker:* | *:-Xlinker | *:-[lL]* | *:-Wl,* | *:-pthread | *.a | *.so) echo -n " $word" ;;
        esac
        before=$word
    done
}

prefix_libs() { # -L and run path of the prefix $1
    local folder
    for folder in "$1/lib64" "$1/lib"; do
        if [ -d "$folder" ]; then echo -n " -L$folder -Wl,-rpath,$folder"; fi
    done
}

add_prefixes() { # for libraries that may have no pkg-config file
    local prefix prefixes
    IFS=: read -ra prefixes <<<"${CMAKE_PREFIX_PATH:-}" # Spack's and EasyBuild's modules set it
    for prefix in "${SUNDIALS_ROOT:-}" "${SUNDIALS:-}" "${SUITESPARSE_ROOT:-}" "${RANDOM123_ROOT:-}" \
        "${GSL_ROOT:-}" "${LIBCONFIG_ROOT:-}" "${CMOCKA_ROOT:-}" "${prefixes[@]}"; do
        if [ -d "$prefix/include" ] && [ "$prefix" != /usr ]; then
            cflags+=" -I$prefix/include"
            libs+=$(prefix_libs "$prefix")
        fi
    done
}

add_package() { # pkg-config's name, and the link words where it knows none
    if pkg-config --exists "$1" 2>/dev/null; then
        cflags+=" $(pkg-config --cflags "$1")"
        libs+=" $(pkg-config --libs "$1")"
    else
        libs+=" $2"
    fi
}

add_mpi() {
    local command
    if command=$($mpicc --showme:compile 2>/dev/null); then
        cflags+=" $command"
        libs+=" $($mpicc --showme:link)"
    elif command=$($mpicc -show 2>/dev/null); then # MPICH and its kin
        # shellcheck disable=SC2086 # words are wanted
        cflags+=$(compile_words $command) libs+=$(link_words $command)
    fi # without mpicc the compiler itself may know MPI, as Cray's cc does
}

# Takes an HDF5 if it is there and parallel: where it is from, its compile words, its link words.
take_hdf5() {
    local kind program='#include <H5pubconf.h>\n#ifdef H5_HAVE_PARALLEL\nparallel\n#else\nserial\n#endif\n'
    # shellcheck disable=SC2059,SC2086 # words are wanted
    kind=$(printf "$program" | $CC -E -P $2 -x c - 2>/dev/null) || return 1
    if [[ $kind != *parallel* ]]; then
        serial_hdf5=$1
        return 1
    fi
    hdf5_from=$1
    cflags+=" $2"
    case $3 in
        *hdf5*_hl*) libs+=" $3" ;;
        *) libs+=" ${3/-lhdf5/-lhdf5_hl -lhdf5}" ;; # in Debian's folder this is the parallel one as well
    esac
}

hdf5_packages() { # on Debian each MPI has its own, and hdf5 may be the serial one
    case $($mpicc -show 2>/dev/null) in
        *mpich*) echo hdf5-mpich hdf5-mpi hdf5 ;;
        *) echo hdf5-openmpi hdf5-mpi hdf5 ;;
    esac
}

add_hdf5() {
    local prefix package command
    for prefix in "${HDF5_ROOT:-}" "${HDF5_DIR:-}"; do
        [ -d "$prefix/include" ] || continue
        take_hdf5 "$prefix" "-I$prefix/include" "$(prefix_libs "$prefix") -lhdf5" && return
    done
    for package in $(hdf5_packages); do
        pkg-config --exists "$package" 2>/dev/null || continue
        take_hdf5 "pkg-config $package" "$(pkg-config --cflags "$package")" \
            "$(pkg-config --libs "$package")" && return
    done
    if command=$(h5pcc -show 2>/dev/null); then
        # shellcheck disable=SC2086 # words are wanted
        take_hdf5 h5pcc "$(compile_words $command)" "$(link_words $command)" && return
    fi
    take_hdf5 "the compiler's own path" "" "-lhdf5"
}

add_sundials() {
    local major
    # shellcheck disable=SC2086 # words are wanted
    major=$(printf '#include <sundials/sundials_config.h>\nmajor SUNDIALS_VERSION_MAJOR\n' |
        $CC -E -P $cflags -x c - 2>/dev/null | sed -n 's/^major \([0-9]*\)$/\1/p')
    if [ "${major:-0}" -ge 7 ]; then libs+=' -lsundials_core'; fi # before, each library had it in itself
    libs+=' -lsundials_cvode -lsundials_sunlinsolklu -lsundials_sunmatrixsparse -lsundials_nvecserial -lm'
}

add_suitesparse() { # SUNDIALS' KLU header includes <klu.h>, which most systems keep in a folder of its own
    local header
    # shellcheck disable=SC2086 # words are wanted
    header=$(echo '#include <suitesparse/klu.h>' | $CC -M $cflags -x c - 2>/dev/null | tr ' ' '\n' |
        grep -m 1 '/klu\.h$')
    if [ -n "$header" ]; then cflags+=" -I${header%/klu.h}"; fi
}

find_test_packages() {
    local cflags='' libs=''
    add_package gsl '-lgsl -lgslcblas'
    libs+=' -lcmocka'
    test_cflags=$cflags test_libs=$libs
}

# ---- what is not there --------------------------------------------------------------------------------------

lacks() {
    case " $missing " in *" $1 "*) ;; *) missing+=" $1" ;; esac
}

check_headers() { # pairs NAME:HEADER
    local pair program='' name
    for pair in "$@"; do
        program+="#if !__has_include(<${pair#*:}>)"$'\n'"${pair%%:*}"$'\n#endif\n'
    done
    # shellcheck disable=SC2086 # words are wanted
    for name in $($CC -E -P $cflags -x c - <<<"$program" 2>/dev/null); do lacks "$name"; done
}

check_libraries() { # one link with all of them; the linker names each that it cannot find
    local folder library
    folder=$(mktemp -d)
    # shellcheck disable=SC2086 # words are wanted
    $CC -o "$folder/program" -x c - -x none $libs <<<'int main(void) { return 0; }' 2>&1 |
        sed -nE 's/.*(cannot find|unable to find library) (-l|[^ ]*\/lib)([A-Za-z0-9_]+).*/\3/p' >"$folder/names"
    while read -r library; do
        case $library in
            hdf5* | sz | z | aec) lacks hdf5 ;;
            sundials_* | klu) lacks sundials ;;
            gsl*) lacks gsl ;;
            config) lacks libconfig ;;
            mpi* | open | hwloc | event* | rt) lacks mpi ;; # mpicc names them; open: open-rte, open-pal
            *) lacks "$library" ;;
        esac
    done <"$folder/names"
    rm -r "$folder"
}

find_python() { # the first that has h5py, which often only the system's has
    local python
    for python in ${PYTHON:-} /usr/bin/python3 python3; do
        if [ -z "$(python_lacks "$python" h5py)" ]; then break; fi
    done
    echo "$python"
}

python_lacks() { # those of the modules that Python $1 does not have
    local python=$1
    shift
    "$python" -c 'import importlib.util as u, sys; print(*[m for m in sys.argv[1:] if not u.find_spec(m)])' "$@" \
        2>/dev/null || echo "$*"
}

check_tools() {
    local program module python
    python=$(find_python)
    for program in mpirun h5dump clang-format Rscript; do
        command -v "$program" >/dev/null || lacks "$program"
    done
    for module in $(python_lacks "$python" h5py matplotlib xarray h5netcdf); do lacks "$module"; done
    if command -v Rscript >/dev/null; then
        Rscript --vanilla -e 'quit(status = !nzchar(system.file(package = "hdf5r")))' 2>/dev/null || lacks hdf5r
    fi
}

# ---- all of it ----------------------------------------------------------------------------------------------

if [ "$mode" = --python ]; then
    find_python
    exit
fi
if echo | $CC -E - >/dev/null 2>&1; then
    add_prefixes
    add_hdf5
    add_mpi
    add_package libconfig -lconfig
    add_sundials
    add_suitesparse
    if [ -z "$hdf5_from" ]; then lacks "${serial_hdf5:+serial-}hdf5"; fi
    check_headers mpi:mpi.h libconfig:libconfig.h random123:Random123/threefry.h sundials:cvode/cvode.h \
        sundials:sunlinsol/sunlinsol_klu.h sundials:klu.h
    find_test_packages
    if [ "$mode" = --tests ]; then
        cflags+=$test_cflags libs+=$test_libs
        check_headers cmocka:cmocka.h gsl:gsl/gsl_cdf.h
    fi
    check_libraries
else
    lacks compiler
fi
command -v make >/dev/null || lacks compiler
if [ "$mode" = --tests ]; then
    check_tools
fi
echo "HDF5_FROM=${hdf5_from:-${serial_hdf5:+$serial_hdf5 (serial)}}"
echo "FOUND_CFLAGS=$(tr ' ' '\n' <<<"$cflags" | awk 'NF && !seen[$0]++' | paste -sd ' ')"
echo "FOUND_LIBS=${libs# }"
echo "TEST_CFLAGS=$(xargs <<<"$test_cflags")"
echo "TEST_LIBS=${test_libs# }"
echo "MISSING=${missing# }"
