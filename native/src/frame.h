/*
 * frame.h - a small ggml graph in memory that is not its own: begin, add nodes, run, and begin again.
 *
 * ggml never allocates here: the context and the graph lie in the frame's memory, and every node is told where its
 * result goes. What must outlive a run is held as a plain pointer to floats, and enters the next graph as a leaf.
 * Node results lie where the caller places them, so two nodes share memory when the caller says so: nodes run in the
 * order in which they were placed. One thread at a time.
 */
#ifndef GTI_FRAME_H
#define GTI_FRAME_H

#include "cpu/cpu.h"
#include "model.h"

/* Most tensors, leaves included, between begin and run. */
#define GTI_FRAME_TENSORS 512

typedef struct gti_frame {
    const gti_ggml *cpu;
    struct ggml_context *context;
    struct ggml_threadpool *pool; /* of max_threads, the caller's among them */
    struct ggml_cgraph *graph;    /* of the current run */
    int threads;                  /* that compute the next run */
    void *work;                   /* ggml's own scratch */
    uint64_t work_size;
} gti_frame;

/* Bytes that gti_frame_open needs for the context and the graph. */
uint64_t gti_frame_bytes(void);

/* Opens a frame in memory of gti_frame_bytes(). false: the system has no memory for ggml's own small blocks. */
bool gti_frame_open(gti_frame *frame, void *memory, void *work, uint64_t work_size, uint32_t max_threads);
void gti_frame_close(gti_frame *frame);

void gti_frame_begin(gti_frame *frame);
/* Runs what was placed since begin. Status: OK, INTERNAL. */
int32_t gti_frame_run(gti_frame *frame, gt_error *error);
/* Whether count more tensors, leaves and views included, fit before the next run. */
bool gti_frame_fits(const gti_frame *frame, uint32_t count);

/* A leaf over rows of floats. [columns, rows] */
struct ggml_tensor *gti_frame_floats(gti_frame *frame, const float *data, uint64_t columns, uint64_t rows);
/* A leaf over numbers of rows. [count] */
struct ggml_tensor *gti_frame_indices(gti_frame *frame, const int32_t *data, uint64_t count);
/* A leaf over a matrix of the model. [columns, rows] */
struct ggml_tensor *gti_frame_matrix(gti_frame *frame, const gti_matrix *matrix);
/* Adds a node; its result goes to data, or where the node itself says (in place, a copy) when data is NULL. */
struct ggml_tensor *gti_frame_place(gti_frame *frame, struct ggml_tensor *node, float *data);

#endif
