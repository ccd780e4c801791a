#!/usr/bin/env bash
# Builds ketsweep for aarch64 and runs its unit and science tests under qemu; campaigns must have this machine's bits.
#
# For Debian and Ubuntu with gcc-aarch64-linux-gnu and qemu-user. The libraries come from the distribution's packages
# for arm64, unpacked below build/aarch64-system: dpkg and apt of this machine know nothing of them, and no root is needed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
system=$PWD/build/aarch64-system
libraries=usr/lib/aarch64-linux-gnu
compiler=aarch64-linux-gnu-gcc

for program in $compiler:gcc-aarch64-linux-gnu qemu-aarch64:qemu-user apt-get:apt; do
    command -v "${program%:*}" >/dev/null ||
        { echo "${program%:*} is not here (Debian: ${program#*:}, libc6-dev-arm64-cross)" >&2 && exit 1; }
done

apt_arm64() { # apt-get with lists, cache and status of its own
    apt-get -qq -o Dir::State="$system.apt" -o Dir::State::status="$system.apt/status" -o Dir::Cache="$system.apt" \
        -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Debug::NoLocking=true -o APT::Sandbox::User=root \
        -o APT::Install-Recommends=false -o APT::Get::AllowUnauthenticated=false "$@"
}

unpack() {
    local package link
    mkdir -p "$system".apt/{lists,archives}/partial
    : >"$system.apt/status"
    apt_arm64 update
    apt_arm64 install --download-only -y libc6-dev libopenmpi-dev libhdf5-openmpi-dev libconfig-dev librandom123-dev \
        libsundials-dev libgsl-dev libcmocka-dev
    mkdir -p "$system.new/usr"/{lib,bin,sbin}
    for link in lib bin sbin; do ln -sfn usr/$link "$system.new/$link"; done
    for package in "$system".apt/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$package" | tar -x --no-same-owner --keep-directory-symlink -C "$system.new" \
            --exclude='./usr/share/*' --exclude='./dev/*'
    done
    # What maintainers' scripts would have linked.
    ln -sf blas/libblas.so.3 "$system.new/$libraries/"
    ln -sf lapack/liblapack.so.3 "$system.new/$libraries/"
    find "$system.new" -type l -lname '/*' -printf '%p\t%l\n' | # links that begin at the root
        while IFS=$'\t' read -r link target; do ln -srfT "$system.new$target" "$link"; done
    mv "$system.new" "$system"
    rm -r "$system.apt"
}

if [ ! -d "$system" ]; then unpack; fi
export PKG_CONFIG_SYSROOT_DIR=$system PKG_CONFIG_LIBDIR=$system/$libraries/pkgconfig MPICC=false
emulator="qemu-aarch64 -L $system"
python=$(env -u PKG_CONFIG_SYSROOT_DIR -u PKG_CONFIG_LIBDIR tools/probe.sh --python)
make --no-print-directory -j"$(nproc)" CC="$compiler --sysroot=$system" EMULATOR="$emulator" VARIANT=aarch64 \
    all tests
unset PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_LIBDIR MPICC
# The time limit of the long tests: an emulator is slow.
KETSWEEP_SOAK=1 "$python" tests/run.py --build build/aarch64 --emulator "$emulator" unit science

# The program itself, alone: Open MPI must not start its own helpers, which are of the other machine.
make --no-print-directory -j"$(nproc)" all
export OMPI_MCA_ess_singleton_isolated=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
printf '#!/bin/sh\nexec %s %s "$@"\n' "$emulator" "$PWD/build/aarch64/ketsweep" >build/aarch64/emulated
chmod +x build/aarch64/emulated
KETSWEEP_OTHER=$PWD/build/aarch64/emulated "$python" tests/unittest_tap.py tests/ports/test_other_program.py
