"""A snapshot whose bytes were changed and whose checksums were all made right again: what a fault of
memory writes. By docs/storage-format.md and the words at the head of Sources/Znodes/SnapshotFormat.swift."""

import struct

MASK = (1 << 64) - 1
DATA_KEY = (0x617669617279_2e7a, 0x6e6f6465732e_7631)
BODY_KEY = (0x736e6170, 0x73686f74)


def _table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = _table()


def crc32c(data, seed=0):
    crc = seed ^ 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


class SipHash:
    """SipHash-1-3 over words and strings of bytes."""

    def __init__(self, key):
        k0, k1 = key
        self.v = [k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
                  k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573]

    def _round(self):
        def rotated(word, by):
            return (word << by | word >> (64 - by)) & MASK
        a, b, c, d = self.v
        a = a + b & MASK
        b = rotated(b, 13) ^ a
        a = rotated(a, 32)
        c = c + d & MASK
        d = rotated(d, 16) ^ c
        a = a + d & MASK
        d = rotated(d, 21) ^ a
        c = c + b & MASK
        b = rotated(b, 17) ^ c
        c = rotated(c, 32)
        self.v = [a, b, c, d]

    def word(self, word):
        self.v[3] ^= word
        self._round()
        self.v[0] ^= word

    def bytes(self, data):
        whole = len(data) // 8 * 8
        for at in range(0, whole, 8):
            self.word(int.from_bytes(data[at:at + 8], "little"))
        self.word((len(data) & 0xFF) << 56 | int.from_bytes(data[whole:], "little"))

    def finished(self):
        self.v[2] ^= 0xFF
        for _ in range(3):
            self._round()
        a, b, c, d = self.v
        return a ^ b ^ c ^ d


def _digest(path, czxid, mzxid, ctime, mtime, version, aversion, mode, data):
    hash = SipHash(DATA_KEY)
    hash.bytes(path)
    for word in (czxid, mzxid, ctime, mtime):
        hash.word(word & MASK)
    hash.word((version & 0xFFFFFFFF) << 32 | aversion & 0xFFFFFFFF)
    hash.word(mode << 32 | len(data))
    hash.bytes(data)
    return hash.finished()


def _forge_tree(body, path):
    """The tree's frames with another first byte of the znode's data."""
    out, at, change, found = bytearray(body), 0, 0, False
    state_at, end_at = None, None
    while at < len(body):
        tag, count = body[at], int.from_bytes(body[at + 1:at + 5], "little")
        start, at = at + 5, at + 5 + count
        if tag == 1:
            state_at = start
        elif tag == 3:
            mode, fields, path_bytes = struct.unpack_from("<BBH", body, start)
            name = body[start + 4:start + 4 + path_bytes]
            if name != path:
                continue
            rest = start + 4 + path_bytes
            numbers = struct.unpack_from("<QQqqii", body, rest)
            data_at = rest + 40 + (12 if fields & 1 else 0)
            before = _digest(name, *numbers, mode, bytes(body[data_at:at]))
            out[data_at] ^= 0x01
            change = _digest(name, *numbers, mode, bytes(out[data_at:at])) - before
            found = True
        elif tag == 127:
            end_at = start
    assert found and state_at is not None and end_at is not None
    digest_at = state_at + 8 + 2 + 8 + 8 + 8 + 8
    digest = int.from_bytes(out[digest_at:digest_at + 8], "little")
    out[digest_at:digest_at + 8] = (digest + change & MASK).to_bytes(8, "little")
    # The checksum over all frames, each as a string of its own.
    hash, at = SipHash(BODY_KEY), 0
    while at < end_at - 5:
        count = int.from_bytes(out[at + 1:at + 5], "little")
        hash.bytes(bytes(out[at:at + 5 + count]))
        at += 5 + count
    out[end_at:end_at + 8] = hash.finished().to_bytes(8, "little")
    return bytes(out)


def forge(file, path):
    """Changes one byte of the data of the znode at `path`, and every checksum with it."""
    raw = file.read_bytes()
    head_bytes, block_bytes = struct.unpack_from("<I", raw, 12)[0], struct.unpack_from("<I", raw, 32)[0]
    foot = raw[-48:]
    body_bytes, blocks = struct.unpack_from("<QQ", foot, 8)
    body, at = bytearray(), head_bytes
    for _ in range(blocks):
        count = int.from_bytes(raw[at:at + 4], "little")
        body += raw[at + 8:at + 8 + count]
        at += 8 + count
    assert len(body) == body_bytes
    record = 4 + int.from_bytes(body[:4], "little")
    body = bytes(body[:record]) + _forge_tree(bytes(body[record:]), path)
    out = bytearray(raw[:head_bytes])
    for number in range(blocks):
        block = body[number * block_bytes:(number + 1) * block_bytes]
        seed = crc32c(struct.pack("<QI", number, len(block)))
        out += struct.pack("<II", len(block), crc32c(block, seed)) + block
    foot = bytearray(foot[:40]) + struct.pack("<I", crc32c(body))
    out += foot + struct.pack("<I", crc32c(bytes(foot)))
    assert len(out) == len(raw)
    file.write_bytes(out)
