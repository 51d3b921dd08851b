// Looks for one order of a znode's operations that explains all that clients saw of it and puts no
// operation before one that had been answered when it was asked for. Wing and Gong's search with
// Lowe's cache of places that lead nowhere, as in Porcupine. It must never take "I gave up" for yes.

package enum Linearizability: Sendable, Equatable {
    case linearizable
    case notLinearizable
    /// The bound on steps or operations was reached: the workload is at fault.
    case tooHard
}

package struct LinearizabilitySearch {
    package static let operationsMax = 256

    /// Which operations are in the order so far.
    private struct Placed: Hashable {
        private var words = SIMD4<UInt64>()

        mutating func flip(_ operation: Int) {
            words[operation >> 6] ^= 1 << UInt64(operation & 63)
        }
        func contains(_ operation: Int) -> Bool {
            words[operation >> 6] >> UInt64(operation & 63) & 1 == 1
        }
    }
    private struct Place: Hashable {
        let placed: Placed
        let state: ZnodeState
    }

    private let operations: [ZnodeOperation]
    private let rules: ZnodeRules
    /// Calls and answers in order, as a list that operations are lifted out of. Node 0 is its head;
    /// an operation without an answer has only a call, so that nobody waits for it.
    private var next: [Int]
    private var previous: [Int]
    /// Of each node but the head.
    private var operationOf = [0]
    private var isCall = [false]
    /// The answer's node by operation; 0: none.
    private var answerNode: [Int]
    private var answeredLeft = 0
    /// By operation: the one before it that is like it and goes first, if any does.
    private var precursors: [Int?]

    private init(_ operations: [ZnodeOperation]) {
        self.operations = operations
        let rules = ZnodeRules(of: operations)
        self.rules = rules
        answerNode = Array(repeating: 0, count: operations.count)
        var precursors: [Int?] = Array(repeating: nil, count: operations.count)
        let lost = operations.indices.filter { operations[$0].answer == nil }
            .sorted { operations[$0].calledAt < operations[$1].calledAt }
        for (position, operation) in lost.enumerated() {
            precursors[operation] = lost[..<position].last {
                rules.areAlike(operations[$0], operations[operation])
            }
        }
        self.precursors = precursors
        var moments: [(at: UInt64, operation: Int, isCall: Bool)] = []
        for (position, operation) in operations.enumerated() {
            moments.append((operation.calledAt, position, true))
            if let answer = operation.answer { moments.append((answer.at, position, false)) }
        }
        moments.sort { $0.at < $1.at }
        for moment in moments {
            if !moment.isCall {
                answerNode[moment.operation] = operationOf.count
                answeredLeft += 1
            }
            operationOf.append(moment.operation)
            isCall.append(moment.isCall)
        }
        let count = operationOf.count
        next = (0..<count).map { ($0 + 1) % count }
        previous = (0..<count).map { ($0 + count - 1) % count }
    }

    /// The znode is absent at first.
    package static func judge(_ operations: [ZnodeOperation], stepsMax: Int = 500_000)
        -> Linearizability
    {
        guard operations.count <= operationsMax else { return .tooHard }
        var search = LinearizabilitySearch(operations)
        guard search.rules.areConsistent else { return .notLinearizable }
        return search.run(stepsMax: stepsMax)
    }

    private mutating func run(stepsMax: Int) -> Linearizability {
        var state = ZnodeState()
        var placed = Placed()
        var seen: Set<Place> = []
        var path: [(call: Int, before: ZnodeState)] = []
        var node = next[0]
        var steps = 0
        while answeredLeft > 0 {
            steps += 1
            if steps > stepsMax { return .tooHard }
            if isCall[node] {
                let operation = operationOf[node]
                if let precursor = precursors[operation], !placed.contains(precursor) {
                    node = next[node]
                    continue
                }
                guard let after = rules.after(operations[operation], in: state) else {
                    node = next[node]
                    continue
                }
                placed.flip(operation)
                guard seen.insert(Place(placed: placed, state: after)).inserted else {
                    placed.flip(operation)
                    node = next[node]
                    continue
                }
                path.append((node, state))
                state = after
                lift(node)
                node = next[0]
            } else {
                // This one was answered before all that follows was asked for, and has no place.
                guard let (call, before) = path.popLast() else { return .notLinearizable }
                state = before
                placed.flip(operationOf[call])
                putBack(call)
                node = next[call]
            }
        }
        return .linearizable
    }

    private mutating func lift(_ call: Int) {
        unlink(call)
        let answer = answerNode[operationOf[call]]
        guard answer > 0 else { return }
        unlink(answer)
        answeredLeft -= 1
    }

    private mutating func unlink(_ node: Int) {
        next[previous[node]] = next[node]
        previous[next[node]] = previous[node]
    }

    /// In the opposite order of `lift`: each node still knows its neighbours.
    private mutating func putBack(_ call: Int) {
        let answer = answerNode[operationOf[call]]
        if answer > 0 {
            link(answer)
            answeredLeft += 1
        }
        link(call)
    }

    private mutating func link(_ node: Int) {
        next[previous[node]] = node
        previous[next[node]] = node
    }
}
