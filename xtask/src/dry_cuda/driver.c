// A CUDA driver without a device: takes memory, copies and launches, does nothing, and counts.
//
// Kernels are compiled by NVRTC as for a real device, so that what does not compile shows; what they compute does not.
//   DRIVER_ARCH    compute capability, 90 unless set
//   DRIVER_MEMORY  bytes of the device, 141 GB unless set
//   DRIVER_REPORT  file that the counts are written to at the end
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef int R;
enum { OK = 0, INVALID = 1, NO_MEMORY = 2 };
#define API __attribute__((visibility("default")))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long launches, syncs, allocs, modules, copies_in, copies_out;
static size_t in_use, peak, bytes_in, bytes_out;

// Device memory: address space that is never touched but for small copies.
struct block { uintptr_t at; size_t size; struct block *next; };
#define BUCKETS 65536
static struct block *blocks[BUCKETS];
static unsigned bucket(uintptr_t at) { return (at >> 12) % BUCKETS; }

struct kernel { char name[256]; unsigned long launches; struct kernel *next; };
static struct kernel *kernels;

static size_t total(void) {
    const char *set = getenv("DRIVER_MEMORY");
    return set ? strtoull(set, 0, 10) : 141000000000ull;
}
static int arch(void) {
    const char *set = getenv("DRIVER_ARCH");
    return set ? atoi(set) : 90;
}

static int by_count(const void *a, const void *b) {
    unsigned long x = (*(struct kernel **)a)->launches, y = (*(struct kernel **)b)->launches;
    return x < y ? 1 : x > y ? -1 : 0;
}
static void report(void) {
    const char *path = getenv("DRIVER_REPORT");
    FILE *out = path ? fopen(path, "w") : 0;
    if (!out) return;
    fprintf(out, "launches %lu\nsynchronizations %lu\nallocations %lu\nmodules %lu\npeak_bytes %zu\n",
        launches, syncs, allocs, modules, peak);
    fprintf(out, "copies_in %lu\nbytes_in %zu\ncopies_out %lu\nbytes_out %zu\n",
        copies_in, bytes_in, copies_out, bytes_out);
    int count = 0;
    for (struct kernel *k = kernels; k; k = k->next) count++;
    struct kernel **all = calloc(count + 1, sizeof *all);
    int i = 0;
    for (struct kernel *k = kernels; k; k = k->next) all[i++] = k;
    qsort(all, count, sizeof *all, by_count);
    for (i = 0; i < count; i++) fprintf(out, "kernel %lu %s\n", all[i]->launches, all[i]->name);
    fclose(out);
}
__attribute__((destructor)) static void at_end(void) { report(); }

static R alloc(uintptr_t *out, size_t size) {
    pthread_mutex_lock(&lock);
    R result = OK;
    if (in_use + size > total()) {
        result = NO_MEMORY;
    } else {
        void *at = mmap(0, size ? size : 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (at == MAP_FAILED) {
            result = NO_MEMORY;
        } else {
            struct block *b = malloc(sizeof *b);
            *b = (struct block){ (uintptr_t)at, size, blocks[bucket((uintptr_t)at)] };
            blocks[bucket((uintptr_t)at)] = b;
            *out = (uintptr_t)at;
            allocs++;
            in_use += size;
            if (in_use > peak) peak = in_use;
        }
    }
    pthread_mutex_unlock(&lock);
    return result;
}
static R release(uintptr_t at) {
    pthread_mutex_lock(&lock);
    R result = INVALID;
    for (struct block **p = &blocks[bucket(at)]; *p; p = &(*p)->next) {
        if ((*p)->at == at) {
            struct block *b = *p;
            *p = b->next;
            munmap((void *)b->at, b->size ? b->size : 1);
            in_use -= b->size;
            free(b);
            result = OK;
            break;
        }
    }
    pthread_mutex_unlock(&lock);
    return result;
}

// NVRTC looks for a table of functions here, and is content with one that is too short.
API R cuGetExportTable(const void **table, const void *id) { static size_t size = sizeof size; *table = &size; return OK; }
API R cuInit(unsigned f) { return OK; }
API R cuDriverGetVersion(int *v) { *v = 13050; return OK; }
API R cuDeviceGetCount(int *n) { *n = 1; return OK; }
API R cuDeviceGet(int *d, int i) { *d = i; return i == 0 ? OK : 101; }
API R cuDeviceGetName(char *n, int len, int d) { snprintf(n, len, "no device"); return OK; }
API R cuDeviceGetUuid_v2(void *u, int d) { memset(u, 0, 16); return OK; }
API R cuDeviceTotalMem_v2(size_t *n, int d) { *n = total(); return OK; }
API R cuDeviceGetAttribute(int *v, int a, int d) {
    switch (a) {
    case 1: *v = 1024; break;                    // threads per block
    case 2: case 3: *v = 1024; break;
    case 4: *v = 64; break;
    case 5: *v = 2147483647; break;
    case 6: case 7: *v = 65535; break;
    case 8: *v = 49152; break;
    case 10: *v = 32; break;                     // warp
    case 16: *v = 132; break;                    // multiprocessors
    case 75: *v = arch() / 10; break;
    case 76: *v = arch() % 10; break;
    case 97: *v = 232448; break;                 // shared memory a block may ask for
    case 115: *v = 1; break;                     // memory pools
    default: *v = 1;
    }
    return OK;
}
API R cuDevicePrimaryCtxRetain(void **c, int d) { *c = (void *)8; return OK; }
API R cuDevicePrimaryCtxRelease_v2(int d) { return OK; }
API R cuCtxSetCurrent(void *c) { return OK; }
API R cuCtxGetCurrent(void **c) { *c = (void *)8; return OK; }
API R cuCtxSynchronize(void) { __sync_fetch_and_add(&syncs, 1); return OK; }
API R cuMemGetInfo_v2(size_t *f, size_t *t) { *t = total(); *f = *t - in_use; return OK; }
API R cuStreamCreate(void **s, unsigned f) { static uintptr_t n = 16; *s = (void *)__sync_fetch_and_add(&n, 8); return OK; }
API R cuStreamDestroy_v2(void *s) { return OK; }
API R cuStreamSynchronize(void *s) { __sync_fetch_and_add(&syncs, 1); return OK; }
API R cuStreamWaitEvent(void *s, void *e, unsigned f) { return OK; }
API R cuEventCreate(void **e, unsigned f) { *e = (void *)8; return OK; }
API R cuEventRecord(void *e, void *s) { return OK; }
API R cuEventQuery(void *e) { return OK; }
API R cuEventSynchronize(void *e) { __sync_fetch_and_add(&syncs, 1); return OK; }
API R cuEventDestroy_v2(void *e) { return OK; }
API R cuEventElapsedTime(float *ms, void *a, void *b) { *ms = 1; return OK; }
API R cuMemAlloc_v2(uintptr_t *p, size_t n) { return alloc(p, n); }
API R cuMemAllocAsync(uintptr_t *p, size_t n, void *s) { return alloc(p, n); }
API R cuMemFree_v2(uintptr_t p) { return release(p); }
API R cuMemFreeAsync(uintptr_t p, void *s) { return release(p); }
API R cuMemAllocHost_v2(void **p, size_t n) { *p = malloc(n ? n : 1); return *p ? OK : NO_MEMORY; }
API R cuMemFreeHost(void *p) { free(p); return OK; }
API R cuMemcpyHtoDAsync_v2(uintptr_t to, const void *from, size_t n, void *s) {
    __sync_fetch_and_add(&copies_in, 1); __sync_fetch_and_add(&bytes_in, n); return OK;
}
// What comes back is zero: a token that was left in memory from before need not be one of the vocabulary.
API R cuMemcpyDtoHAsync_v2(void *to, uintptr_t from, size_t n, void *s) {
    __sync_fetch_and_add(&copies_out, 1); __sync_fetch_and_add(&bytes_out, n); memset(to, 0, n);
    return OK;
}
API R cuMemcpyDtoDAsync_v2(uintptr_t to, uintptr_t from, size_t n, void *s) { return OK; }
// Rows and pitches: counted by what is asked for.
struct copy2d {
    size_t sx, sy; int st; const void *sh; uintptr_t sd; void *sa; size_t sp;
    size_t dx, dy; int dt; void *dh; uintptr_t dd; void *da; size_t dp;
    size_t width, height;
};
API R cuMemcpy2DAsync_v2(const struct copy2d *c, void *s) {
    size_t n = c->width * c->height;
    int in = c->st == 1;
    if (in) { __sync_fetch_and_add(&copies_in, 1); __sync_fetch_and_add(&bytes_in, n); }
    else { __sync_fetch_and_add(&copies_out, 1); __sync_fetch_and_add(&bytes_out, n); }
    if (!in) for (size_t row = 0; row < c->height; row++) memset((char *)c->dh + row * c->dp, 0, c->width);
    return OK;
}
API R cuMemsetD8Async(uintptr_t p, unsigned char v, size_t n, void *s) { return OK; }
API R cuModuleLoadData(void **m, const void *image) { __sync_fetch_and_add(&modules, 1); *m = (void *)8; return OK; }
API R cuModuleGetFunction(void **f, void *m, const char *name) {
    struct kernel *k = calloc(1, sizeof *k);
    snprintf(k->name, sizeof k->name, "%s", name);
    pthread_mutex_lock(&lock);
    k->next = kernels;
    kernels = k;
    pthread_mutex_unlock(&lock);
    *f = k;
    return OK;
}
API R cuFuncSetAttribute(void *f, int a, int v) { return OK; }
API R cuLaunchKernel(void *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
    unsigned shared, void *s, void **params, void **extra) {
    if (!gx || !gy || !gz || !bx || !by || !bz || bx * by * bz > 1024 || gy > 65535 || gz > 65535 || shared > 232448)
        return INVALID;
    __sync_fetch_and_add(&launches, 1);
    __sync_fetch_and_add(&((struct kernel *)f)->launches, 1);
    return OK;
}
API R cuLaunchKernelEx(const void *config, void *f, void **params, void **extra) {
    __sync_fetch_and_add(&launches, 1);
    __sync_fetch_and_add(&((struct kernel *)f)->launches, 1);
    return OK;
}
API R cuTensorMapEncodeTiled(void *map, ...) { memset(map, 0, 128); return OK; }
API R cuTensorMapEncodeIm2col(void *map, ...) { memset(map, 0, 128); return OK; }
API R cuGetErrorName(R e, const char **s) { *s = e == NO_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR"; return OK; }
API R cuGetErrorString(R e, const char **s) { *s = e == NO_MEMORY ? "out of memory" : "no such call"; return OK; }
