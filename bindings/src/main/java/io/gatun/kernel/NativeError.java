package io.gatun.kernel;

import io.gatun.kernel.generated.gatun_h;
import io.gatun.kernel.generated.gt_error;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/** The struct into which a call writes why it failed. Used by one thread at a time. */
record NativeError(MemorySegment segment) {
    static NativeError allocate(SegmentAllocator allocator) {
        MemorySegment segment = gt_error.allocate(allocator);
        gt_error.struct_size(segment, (int) gt_error.sizeof());
        return new NativeError(segment);
    }

    /** Throws what the call that returned {@code status} wrote. */
    void check(int status) {
        if (status != gatun_h.GT_OK()) {
            throw new KernelException(
                    KernelException.Status.of(status), gt_error.message(segment).getString(0));
        }
    }
}
