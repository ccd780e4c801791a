/* What this build is: the Makefile hands over the commit and the flags, the compiler names itself. Only this
 * file is compiled anew when the commit changes. */
#include "base/build_info.h"

#ifndef KS_COMMIT
#define KS_COMMIT ""
#endif

#ifndef KS_FLAGS
#define KS_FLAGS ""
#endif

#define TEXT_OF(x)                      #x
#define VERSION_OF(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

#if defined(__clang__)
#define COMPILER "clang " VERSION_OF(__clang_major__, __clang_minor__, __clang_patchlevel__)
#elif defined(__GNUC__)
#define COMPILER "gcc " VERSION_OF(__GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__)
#else
#define COMPILER "unknown"
#endif

const char *const ks_build_commit = KS_COMMIT;
const char *const ks_build_compiler = COMPILER;
const char *const ks_build_flags = KS_FLAGS;

int ks_build_info_widest_lanes(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) return 8;
    return __builtin_cpu_supports("avx2") ? 4 : 2;
#else
    return 2;
#endif
}
