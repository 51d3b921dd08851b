// CRC32C by SSE4.2 where the processor has it, else by slicing eight bytes at a time through
// tables (Kounavis and Berry, 2005). It must never read past `count` or assume alignment.

#include "CChecksum.h"

#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

// The Castagnoli polynomial, bits reversed.
#define POLYNOMIAL 0x82f63b78u

static uint32_t tables[8][256];

// Runs once before main, so that no lock is needed where the tables are read.
__attribute__((constructor)) static void fill_tables(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t value = byte;
        for (int bit = 0; bit < 8; bit++) {
            value = (value >> 1) ^ ((value & 1u) ? POLYNOMIAL : 0u);
        }
        tables[0][byte] = value;
    }
    for (int slice = 1; slice < 8; slice++) {
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t before = tables[slice - 1][byte];
            tables[slice][byte] = (before >> 8) ^ tables[0][before & 0xffu];
        }
    }
}

static uint32_t load_little32(const unsigned char *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint32_t cchecksum_crc32c_portable(uint32_t seed, const void *bytes, size_t count) {
    const unsigned char *p = bytes;
    uint32_t crc = ~seed;
    while (count >= 8) {
        uint32_t low = load_little32(p) ^ crc;
        uint32_t high = load_little32(p + 4);
        crc = tables[7][low & 0xffu] ^ tables[6][(low >> 8) & 0xffu] ^
              tables[5][(low >> 16) & 0xffu] ^ tables[4][low >> 24] ^
              tables[3][high & 0xffu] ^ tables[2][(high >> 8) & 0xffu] ^
              tables[1][(high >> 16) & 0xffu] ^ tables[0][high >> 24];
        p += 8;
        count -= 8;
    }
    while (count > 0) {
        crc = (crc >> 8) ^ tables[0][(crc ^ *p) & 0xffu];
        p++;
        count--;
    }
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t
crc32c_sse42(uint32_t seed, const void *bytes, size_t count) {
    const unsigned char *p = bytes;
    uint64_t crc = (uint32_t)~seed;
    while (count >= 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        crc = _mm_crc32_u64(crc, word);
        p += 8;
        count -= 8;
    }
    while (count > 0) {
        crc = _mm_crc32_u8((uint32_t)crc, *p);
        p++;
        count--;
    }
    return ~(uint32_t)crc;
}
#endif

uint32_t cchecksum_crc32c(uint32_t seed, const void *bytes, size_t count) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) {
        return crc32c_sse42(seed, bytes, count);
    }
#endif
    return cchecksum_crc32c_portable(seed, bytes, count);
}

int cchecksum_all_zero(const void *bytes, size_t count) {
    const unsigned char *p = bytes;
    // Equal to itself one byte on, and zero at the start: zero throughout.
    return count == 0 || (p[0] == 0 && memcmp(p, p + 1, count - 1) == 0);
}
