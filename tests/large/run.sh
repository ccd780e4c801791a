#!/bin/sh
# Files that 32 bits cannot count: more than 2^31 rows, and a campaign of more than 2^32 bytes that is written by two ranks and
# then verified round by round. In TMPDIR, which needs 30 GB.
#
#     make test-large        or        tests/large/run.sh build/release
set -eu
build=$1
folder=$(mktemp -d "${TMPDIR:-/tmp}/ketsweep-large-XXXXXX")
trap 'rm -rf "$folder"' EXIT INT TERM

free=$(df -Pk "$folder" | awk 'NR == 2 { print int($4 / 1e6) }')
[ "$free" -ge 30 ] || { echo "test-large: $folder has $free GB free, 30 are needed (TMPDIR names another place)" >&2; exit 1; }

TMPDIR=$folder mpirun -n 2 "$build/tests/large/test_rows"

cat >"$folder/wide.cfg" <<'END'
model = "test:wide";
design : { kind = "random"; points = 8400000; };
parameters : ( { name = "x1"; }, { name = "x2"; }, { name = "x3"; }, { name = "x4"; } );
END
mpirun -n 2 "$build/ketsweep" run "$folder/wide.cfg" -o "$folder/wide.h5"
[ "$(stat -c %s "$folder/wide.h5")" -gt 4294967296 ] || { echo 'test-large: the file is too small' >&2; exit 1; }
"$build/ketsweep" verify "$folder/wide.h5"
"$build/ketsweep" status "$folder/wide.h5"
