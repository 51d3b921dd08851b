// The storage requests that a full disk has no room for, in their order. Appends that follow each
// other become one, so that it holds no more than the log in memory does. It must never put a later
// request before an earlier one: what an identity file or a reset says rests on what came before.

internal import Raft

struct StorageBacklog: Sendable {
    private var requests: [StorageRequest] = []

    var isEmpty: Bool { requests.isEmpty }
    var first: StorageRequest? { requests.first }

    mutating func removeFirst() { requests.removeFirst() }
    mutating func replaceFirst(_ rest: StorageRequest) { requests[0] = rest }

    mutating func add(_ request: StorageRequest) {
        guard case .append(let token, let hardState, let entries) = request,
            case .append(_, let earlierState, let earlier)? = requests.last
        else { return requests.append(request) }
        var merged = earlier
        if let first = entries.first { merged.removeAll { $0.index >= first.index } }
        requests[requests.count - 1] = .append(
            token: token, hardState: hardState ?? earlierState, entries: merged + entries)
    }

    /// The newest term and vote that are not written yet, with the last of the requests. None while it
    /// waits to be written that the disk is a newcomer's: a disk with a term and without that word
    /// passes for one that voted before.
    var newestVote: (token: StorageToken, hardState: HardState)? {
        let namesNewcomer = requests.contains {
            if case .identity(_, isNewcomer: true) = $0 { true } else { false }
        }
        if namesNewcomer { return nil }
        for request in requests.reversed() {
            guard case .append(let token, let hardState?, _) = request else { continue }
            return (token, hardState)
        }
        return nil
    }

    /// They are written.
    mutating func forgetVotes() {
        for position in requests.indices {
            guard case .append(let token, _, let entries) = requests[position] else { continue }
            requests[position] = .append(token: token, hardState: nil, entries: entries)
        }
    }

    /// Of the log, the first place that something waits to be written to; zero: all of it. nil when
    /// nothing waits.
    var firstIndex: LogIndex? {
        guard !isEmpty else { return nil }
        var least = LogIndex.max
        for request in requests {
            switch request {
            case .append(_, _, let entries): least = min(least, entries.first?.index ?? .max)
            case .resetLog: return .zero
            case .identity, .distrust, .startAnew, .prune: break
            }
        }
        return least
    }
}
