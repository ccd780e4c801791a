/* Given-data methods. */
#include "analysis/frame_impl.h"
int ks_given_run(struct ks_frame *frame) {
    (void)frame;
    return ks_error_raise(KS_ERR_USAGE, __FILE__, __LINE__, "given-data methods are not there yet");
}
