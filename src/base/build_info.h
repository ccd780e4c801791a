/* What this program is and was built with, for --version and for the provenance of files. */
#ifndef KS_BASE_BUILD_INFO_H
#define KS_BASE_BUILD_INFO_H

#define KS_VERSION "0.1.0"
#define KS_DATE    "2026-11-25" /* of the version, for the man page */

extern const char *const ks_build_commit;   /* "" outside a git tree */
extern const char *const ks_build_compiler; /* "gcc 12.2.0" */
extern const char *const ks_build_flags;

/* The widest lanes that this processor can run: 8 with AVX-512, 4 with AVX2, else 2. */
int ks_build_info_widest_lanes(void);

#endif
