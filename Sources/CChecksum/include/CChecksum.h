// CRC32C (Castagnoli, RFC 3720 appendix B.4) over plain bytes: the one checksum of the journal's
// files and of the messages between members. It must never allocate, block or read past `count`.

#ifndef CCHECKSUM_H
#define CCHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/// Goes on from `seed`, the checksum of what came before (0 at the start). Uses the processor's
/// instruction where there is one.
uint32_t cchecksum_crc32c(uint32_t seed, const void *bytes, size_t count);

/// The same value from tables alone, for other processors and for comparing the two.
uint32_t cchecksum_crc32c_portable(uint32_t seed, const void *bytes, size_t count);

/// 1 if all bytes are zero: recovery looks through megabytes of preallocated zeros.
int cchecksum_all_zero(const void *bytes, size_t count);

#endif
