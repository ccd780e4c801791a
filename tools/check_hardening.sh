#!/usr/bin/env bash
# Checks that a program is hardened: check_hardening.sh PROGRAM. Prints each fault; exit status 1 if any.
set -uo pipefail
export LC_ALL=C
headers=$(readelf -hlW "$1") dynamic=$(readelf -dW "$1") symbols=$(readelf --dyn-syms -W "$1")
status=0

expect() { # PATTERN TEXT FAULT
    if ! grep -qE "$1" <<<"$2"; then
        echo "$program: $3"
        status=1
    fi
}

program=$1
expect 'Type: +DYN' "$headers" 'is loaded at a fixed address (-fPIE, -pie)'
expect 'GNU_STACK .* RW +0x' "$headers" 'has an executable stack (-Wl,-z,noexecstack)'
expect 'GNU_RELRO' "$headers" 'has no read-only relocations (-Wl,-z,relro)'
expect 'BIND_NOW|FLAGS_1.*NOW' "$dynamic" 'binds its symbols late (-Wl,-z,now)'
expect '__stack_chk_fail' "$symbols" 'does not guard its stack (-fstack-protector-strong)'
expect '__[a-z]+_chk' "$(grep -v stack_chk <<<"$symbols")" 'does not check its buffers (-D_FORTIFY_SOURCE=2)'
if grep -qE 'LOAD .* RWE ' <<<"$headers"; then
    echo "$program: has memory that can be written and executed"
    status=1
fi
exit $status
