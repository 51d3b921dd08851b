// How a member's process ends, for supervisors: one number for each kind of reason, none used twice.
// `aviary serve --help` and docs/operations.md list them.

package enum ExitCode: Int32, Sendable, CaseIterable {
    case ok = 0
    /// Something failed while running, or an address could not be listened on.
    case failure = 1
    case usage = 64
    /// Files of the data directory are damaged, missing or of an unknown version.
    case corruptData = 65
    /// The disk failed to take or keep what the log must keep: a retry could lie.
    case diskFailed = 69
    /// The data directory cannot be made, opened or locked.
    case dataUnavailable = 73
    /// This member's state differs from that of a majority, and the next start fetches it anew; or
    /// its memory does not hold what was applied, and the next start reads it again.
    case stateDiffers = 75
    /// The data directory belongs to another member.
    case otherMember = 77

    /// What a person reads in `--help`.
    package var meaning: String {
        switch self {
        case .ok: "ended as asked"
        case .failure: "failed while starting or running; the last line says why"
        case .usage: "wrong flags, arguments or environment variables"
        case .corruptData: "files in the data directory are damaged or missing"
        case .diskFailed: "the disk failed to write or sync; see the kernel's log"
        case .dataUnavailable: "the data directory cannot be created, opened or locked"
        case .stateDiffers:
            "the state in memory is not that of the ensemble; start it again"
        case .otherMember: "the data directory belongs to another member"
        }
    }

    package static var table: String {
        allCases.map { code in
            let number = String(code.rawValue)
            return "  " + number + String(repeating: " ", count: 4 - number.utf8.count)
                + code.meaning
        }.joined(separator: "\n")
    }
}

/// A member that cannot start or go on.
package struct MemberFailure: Error, Sendable, CustomStringConvertible {
    package let code: ExitCode
    /// What was found, and what to do.
    package let description: String

    package init(_ code: ExitCode, _ description: String) {
        self.code = code
        self.description = description
    }
}
