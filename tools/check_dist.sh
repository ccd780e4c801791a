#!/usr/bin/env bash
# Checks what `make dist` makes of the last commit: the same bytes at two times; unpacked without git in two folders it
# builds to the same program, byte for byte, which knows its commit; its unit tests pass.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export LC_ALL=C
folder=$PWD/build/dist-check
rm -rf "$folder"
mkdir -p "$folder"

archive=$(make -s dist)
cp "$archive" "$folder/first.tar.gz"
sleep 1
make -s dist >/dev/null
cmp "$archive" "$folder/first.tar.gz"

for place in "$folder/a" "$folder/b/longer"; do
    mkdir -p "$place"
    tar -xzf "$archive" -C "$place" --strip-components=1
    make -C "$place" -j"$(nproc)" all >"$folder/log" 2>&1 || { tail "$folder/log" >&2 && exit 1; }
    sleep 1
done
cmp "$folder/a/build/release/ketsweep" "$folder/b/longer/build/release/ketsweep"
version=$("$folder/a/build/release/ketsweep" --version)
if [[ $version != *" commit $(<"$folder/a/tools/commit")"$'\n'* ]]; then
    echo "the program of the archive does not know its commit: $version" >&2
    exit 1
fi
make -s -C "$folder/a" test-unit
rm -r "$folder"
echo "$archive: $(sha256sum <"$archive" | cut -d ' ' -f 1)"
