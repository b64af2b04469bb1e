#include "guarded.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MOST 256

int gtt_guarded_in_front;

static struct {
    void *start;
    size_t size;
} mappings[MOST];
static int mapping_count;

void *gtt_guarded(size_t bytes) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t inner = (bytes + page - 1) / page * page;
    uint8_t *start =
        mapping_count == MOST ? MAP_FAILED
                              : mmap(NULL, inner + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED || (inner > 0 && mprotect(start + page, inner, PROT_READ | PROT_WRITE) != 0)) {
        fprintf(stderr, "no guarded memory\n");
        exit(1);
    }
    mappings[mapping_count].start = start;
    mappings[mapping_count++].size = inner + 2 * page;
    memset(start + page, 0xff, inner);
    return start + page + (gtt_guarded_in_front ? 0 : inner - bytes);
}

void gtt_free_guarded(void) {
    while (mapping_count > 0) {
        mapping_count--;
        munmap(mappings[mapping_count].start, mappings[mapping_count].size);
    }
}
