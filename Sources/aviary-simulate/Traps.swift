// A replica that breaks one of its own invariants ends the process. The last word is then the seed
// that led there, since nothing else knows it.

import Glibc

enum Traps {
    private static let textBytesMax = 512

    /// Written in the handler with `write` alone, which is safe there.
    nonisolated(unsafe) private static var text = UnsafeMutablePointer<UInt8>.allocate(
        capacity: textBytesMax)
    nonisolated(unsafe) private static var count = 0

    static func name(seed: UInt64) {
        let line = "trapped in seed \(seed); replay with the same arguments and --seed \(seed)\n"
        if unsafe count == 0 {
            for number in [SIGILL, SIGTRAP, SIGABRT, SIGSEGV] {
                signal(number) { number in
                    unsafe _ = write(2, Traps.text, Traps.count)
                    _ = signal(number, SIG_DFL)
                    raise(number)
                }
            }
        }
        unsafe count = 0
        for byte in line.utf8.prefix(textBytesMax) {
            unsafe text[count] = byte
            unsafe count += 1
        }
    }
}
