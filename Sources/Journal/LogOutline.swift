// Where the log begins and ends, and the term of each place, without the entries: what is needed
// to cut a suffix, to prune and to start anew. It must never be guessed, only replayed.

internal import Raft

struct LogOutline: Equatable {
    struct Run: Equatable {
        let first: LogIndex
        let term: Term
    }

    /// The entry before the first one; its term is unknown after a cut below what was pruned.
    private(set) var base: LogIndex = .zero
    private(set) var baseTerm: Term? = .zero
    private(set) var last: LogIndex = .zero
    /// Ascending; a run ends where the next one begins.
    private(set) var runs: [Run] = []

    func term(at index: LogIndex) -> Term? {
        if index == base { return baseTerm }
        guard index > base, index <= last else { return nil }
        return runs.last { $0.first <= index }?.term
    }

    var lastTerm: Term? { term(at: last) }
    /// Invariant: the last entry's term is known; only the base's may not be, and a base of unknown
    /// term always has an entry after it.
    var end: LogPosition { LogPosition(index: last, term: lastTerm ?? .zero) }

    /// Puts an entry at `index`, which is at most one after the last; what stood at and after it
    /// is gone.
    mutating func put(_ index: LogIndex, _ term: Term) {
        invariant(index > .zero && index <= last.next, "index \(index) after \(last)")
        if index <= last { cut(from: index) }
        if runs.last?.term != term { runs.append(Run(first: index, term: term)) }
        last = index
    }

    private mutating func cut(from index: LogIndex) {
        if index <= base {
            base = index.previous
            baseTerm = nil
            runs.removeAll()
        } else {
            while let run = runs.last, run.first >= index { runs.removeLast() }
        }
        last = index.previous
    }

    mutating func restart(after index: LogIndex, _ term: Term) {
        base = index
        baseTerm = term
        last = index
        runs.removeAll()
    }

    /// Forgets all up to `index`, which is in the log.
    mutating func forget(through index: LogIndex) {
        guard index > base else { return }
        invariant(index <= last, "index \(index) after \(last)")
        let term = term(at: index)
        let keep = runs.lastIndex { $0.first <= index.next } ?? 0
        runs.removeFirst(keep)
        if index == last {
            runs.removeAll()
        } else if let first = runs.first, first.first <= index {
            runs[0] = Run(first: index.next, term: first.term)
        }
        base = index
        baseTerm = term
    }
}
