#!/usr/bin/env bash
# Tries ketsweep as a newcomer does: a bare Debian in a folder with git and make, a clone, README's commands word for word.
#
# Needs root, debootstrap and a network. The root is kept for a second try; remove its folder for a fresh one. Its
# processes and mounts live in namespaces of their own and end with it. Ends with the status of the first command
# that fails.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

usage() {
    cat <<'END'
usage: tools/fresh.sh [FOLDER [COMMAND]...]
  FOLDER    where the bare system is, or will be made (build/fresh; a few GB)
  COMMAND   instead of those in README.md, section "Two commands"
SUITE (bookworm), MIRROR (http://deb.debian.org/debian) and SCRIPT (debootstrap's, where it does not know SUITE) name
the system. What is tried is the last commit, not the work tree.
END
}

readme_commands() { # those of the section's blocks, each on a line
    # shellcheck disable=SC2016 # nothing to expand
    sed -n '/^## Two commands/,/^## [^T]/{/^```sh/,/^```$/{/^```/!p}}' "$top/README.md"
}

if [ "${1:-}" = --help ]; then usage && exit; fi
if [ "$(id -u)" != 0 ]; then echo "tools/fresh.sh must be run as root" >&2 && exit 1; fi
command -v debootstrap >/dev/null || { echo "debootstrap is not here (Debian: debootstrap)" >&2 && exit 1; }
root=${1:-$top/build/fresh}
shift || true
if [ $# -gt 0 ]; then commands=$(printf '%s\n' "$@"); else commands=$(readme_commands); fi

if [ ! -e "$root/etc/debian_version" ]; then
    mkdir -p "$root"
    debootstrap --variant=minbase "${SUITE:-bookworm}" "$root" "${MIRROR:-http://deb.debian.org/debian}" ${SCRIPT:+"$SCRIPT"} \
        >"$root.log" 2>&1 || { tail "$root.log" >&2 && exit 1; }
fi
cp /etc/resolv.conf "$root/etc/"
rm -rf "$root/root/ketsweep"
git clone -q --no-hardlinks "$top" "$root/root/ketsweep"
{
    printf '%s\n' 'set -e' 'export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
        'command -v git make >/dev/null || { apt-get -qq update && apt-get -qq install -y git make >/dev/null 2>&1; }' \
        'cd ~/ketsweep'
    while read -r command; do
        printf "echo '\$' %q\n%s\n" "$command" "$command"
    done <<<"$commands"
} >"$root/root/commands"

# shellcheck disable=SC2016 # the inner shell expands these
exec env -i unshare --mount --pid --ipc --uts --fork --kill-child --propagation private sh -ec '
    mount -t proc proc "$0/proc"
    mount --rbind /sys "$0/sys"
    mount --rbind /dev "$0/dev"
    mount -t tmpfs -o mode=1777 shm "$0/dev/shm"
    hostname fresh
    exec chroot "$0" /bin/bash /root/commands' "$root"
