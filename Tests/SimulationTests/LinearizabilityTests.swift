// The search for linearizations on histories whose verdict is known, and on random small ones beside
// a checker that tries every order.

import Raft
import Simulation
import Testing
import Znodes

private typealias Operation = ZnodeOperation

/// `calledAt` and the answer's place.
private func put(
    _ tag: UInt64, _ condition: Condition = .none, _ calledAt: UInt64,
    _ answer: (Operation.Result, UInt64)? = nil
) -> Operation {
    Operation(.put(tag: tag, condition), calledAt: calledAt, answer: answer)
}

private func delete(
    _ condition: Condition = .none, _ calledAt: UInt64, _ answer: (Operation.Result, UInt64)? = nil
) -> Operation {
    Operation(.delete(condition), calledAt: calledAt, answer: answer)
}

/// Tag 0: nothing was there. The mzxid is the tag's.
private func read(_ tag: UInt64, version: Int32 = 0, _ calledAt: UInt64, _ at: UInt64) -> Operation
{
    let seen =
        tag == 0
        ? nil : Operation.Seen(tag: tag, version: version, mzxid: Zxid(tag * 10))
    return Operation(.read, calledAt: calledAt, answer: (.seen(seen), at))
}

private func created(_ tag: UInt64) -> Operation.Result { .created(mzxid: Zxid(tag * 10)) }
private func set(_ tag: UInt64, _ version: Int32) -> Operation.Result {
    .set(version: version, mzxid: Zxid(tag * 10))
}

private func judge(_ operations: [Operation]) -> Linearizability {
    LinearizabilitySearch.judge(operations)
}

@Suite("The search for linearizations")
struct LinearizabilityTests {
    @Test("Operations one after the other do what they say")
    func sequential() {
        let history = [
            put(1, .absent, 1, (created(1), 2)), put(2, .version(0), 3, (set(2, 1), 4)),
            put(3, .mzxidAny([Zxid(10)]), 5, (.failed(.otherVersion), 6)),
            put(4, .absent, 7, (.failed(.exists), 8)), read(2, version: 1, 9, 10),
            delete(.exists, 11, (.deleted, 12)), read(0, 13, 14),
            delete(.none, 15, (.failed(.absent), 16)),
            put(5, .exists, 17, (.failed(.absentForCondition), 18)),
            put(6, .none, 19, (.failed(.noRoom), 20)), read(0, 21, 22),
        ]
        #expect(judge(history) == .linearizable)
        for position in [0, 1, 5] {
            var without = history
            without.remove(at: position)
            #expect(judge(without) == .notLinearizable, "without \(position)")
        }
    }

    @Test("A read may not miss a write that was acknowledged before it was asked for")
    func staleRead() {
        let first = put(1, .none, 1, (created(1), 2))
        let second = put(2, .none, 3, (set(2, 1), 6))
        #expect(judge([first, second, read(1, 4, 5)]) == .linearizable)
        #expect(judge([first, second, read(1, 7, 8)]) == .notLinearizable)
        #expect(judge([first, read(0, 3, 4)]) == .notLinearizable)
    }

    @Test("Two reads in a row may not go back, though each alone could be")
    func readsGoBack() {
        let writes = [put(1, .none, 1, (created(1), 2)), put(2, .none, 3, (set(2, 1), 9))]
        let new = read(2, version: 1, 4, 5)
        #expect(judge(writes + [new, read(2, version: 1, 6, 7)]) == .linearizable)
        #expect(judge(writes + [new, read(1, 6, 7)]) == .notLinearizable)
    }

    @Test("Two conditional writes on one version do not both succeed")
    func lostUpdate() {
        let first = put(1, .none, 1, (created(1), 2))
        let both = [
            put(2, .version(0), 3, (set(2, 1), 6)), put(3, .version(0), 4, (set(3, 1), 5)),
        ]
        #expect(judge([first] + both) == .notLinearizable)
        let one = put(3, .version(0), 4, (.failed(.otherVersion), 5))
        #expect(judge([first, both[0], one]) == .linearizable)
        #expect(
            judge([put(1, .absent, 1, (created(1), 4)), put(2, .absent, 2, (created(2), 3))])
                == .notLinearizable)
    }

    @Test("A write without an answer may take effect at any later time, once, or never")
    func unknown() {
        let lost = put(2, .none, 3)
        let first = put(1, .none, 1, (created(1), 2))
        #expect(judge([first, lost, read(1, 4, 5), read(1, 6, 7)]) == .linearizable)
        #expect(judge([first, lost, read(1, 4, 5), read(2, version: 1, 6, 7)]) == .linearizable)
        #expect(judge([first, read(2, version: 1, 4, 5), put(2, .none, 6)]) == .notLinearizable)
        #expect(
            judge([first, lost, read(2, version: 1, 4, 5), read(1, 6, 7)]) == .notLinearizable)
        // Only a second effect could explain the last read.
        let again = put(3, .none, 8, (set(3, 2), 9))
        #expect(
            judge([first, lost, read(2, version: 1, 4, 5), again, read(2, version: 3, 10, 11)])
                == .notLinearizable)
    }

    @Test("A lost write that nobody ever saw is known by the versions after it")
    func unseen() {
        let first = put(1, .none, 1, (created(1), 2))
        let third = put(3, .none, 5, (set(3, 2), 6))
        #expect(judge([first, put(2, .none, 3), third]) == .linearizable)
        #expect(judge([first, third]) == .notLinearizable)
        // Nobody learned its mzxid: a condition may or may not have named it.
        let named = put(4, .mzxidAny([Zxid(77)]), 5, (set(4, 2), 6))
        #expect(judge([first, put(2, .none, 3), named]) == .linearizable)
        #expect(judge([first, named]) == .notLinearizable)
    }

    @Test("A value has one mzxid, and an mzxid one value")
    func names() {
        let first = put(1, .none, 1, (created(1), 2))
        let other = Operation.Seen(tag: 1, version: 0, mzxid: Zxid(11))
        #expect(
            judge([first, Operation(.read, calledAt: 3, answer: (.seen(other), 4))])
                == .notLinearizable)
        let same = put(2, .none, 3, (.set(version: 1, mzxid: Zxid(10)), 4))
        #expect(judge([first, same]) == .notLinearizable)
    }

    @Test("What is too hard is said to be, and is no pass")
    func tooHard() {
        let many = (1...300).map { put(UInt64($0), .none, UInt64($0)) }
        #expect(judge(many) == .tooHard)
        // Thirty writes at once, each of which may have named what nobody saw, and a read that no
        // order of any of them explains.
        var history = (1...30).map { put(UInt64($0), .mzxidAny([Zxid(UInt64($0) + 100)]), $0) }
        history.append(put(31, .none, 31))
        history.append(read(99, version: 3, 40, 41))
        #expect(LinearizabilitySearch.judge(history, stepsMax: 20_000) == .tooHard)
    }

    /// In the simulated world one in forty is never answered.
    @Test("Two hundred operations of eight clients, one in thirty lost, are not too hard")
    func long() {
        var random = RandomGenerator(seed: 5)
        var lost = 0
        for _ in 0..<20 {
            let history = History.random(&random, operations: 200, clients: 8)
            lost += history.count { $0.answer == nil }
            #expect(judge(history) == .linearizable)
        }
        #expect(lost > 50)
    }

    @Test("It agrees with a checker that tries every order")
    func bruteForce() {
        var random = RandomGenerator(seed: 1)
        var verdicts = [0, 0]
        for round in 0..<4_000 {
            var history = History.random(
                &random, operations: 2 + Int(random.next(below: 5)), clients: 3)
            if round % 4 != 0 { History.spoil(&history, &random) }
            let isLinearizable = History.triesEveryOrder(history)
            verdicts[isLinearizable ? 1 : 0] += 1
            #expect(
                judge(history) == (isLinearizable ? .linearizable : .notLinearizable),
                "\(history)")
        }
        #expect(verdicts[0] > 500 && verdicts[1] > 1_000)
    }
}

/// Random histories, made by running a znode.
private enum History {
    /// What clients of one znode see; a few never hear what became of theirs.
    static func random(
        _ random: inout RandomGenerator, operations: Int, clients: Int
    ) -> [Operation] {
        var history: [Operation] = []
        var open: [Int: (action: Operation.Action, result: Operation.Result?, at: UInt64)] = [:]
        var tag: UInt64 = 0
        var version: Int32 = 0
        var moment: UInt64 = 0
        var tags: UInt64 = 0
        while history.count < operations {
            moment += 1
            let client = Int(random.next(below: UInt64(clients)))
            guard let under = open[client] else {
                tags += 1
                open[client] = (action(tags, tag, version, &random), nil, moment)
                continue
            }
            guard let result = under.result else {
                if random.next(below: 30) == 0, under.action != .read {
                    // Lost; half of them take effect.
                    history.append(Operation(under.action, calledAt: under.at))
                    if random.next(below: 2) == 0 { _ = carryOut(under.action, &tag, &version) }
                    open[client] = nil
                } else {
                    open[client]?.result = carryOut(under.action, &tag, &version)
                }
                continue
            }
            history.append(
                Operation(under.action, calledAt: under.at, answer: (result, moment)))
            open[client] = nil
        }
        for client in 0..<clients {
            guard let under = open[client], under.action != .read else { continue }
            history.append(Operation(under.action, calledAt: under.at))
        }
        return history
    }

    private static func action(
        _ new: UInt64, _ tag: UInt64, _ version: Int32, _ random: inout RandomGenerator
    ) -> Operation.Action {
        let conditions: [Condition] = [
            .none, .none, .absent, .exists, .version(version), .version(-1),
            .mzxidAny([Zxid(tag * 10)]),
        ]
        let condition = conditions[Int(random.next(below: 7))]
        switch random.next(below: 10) {
        case 0..<4: return .put(tag: new, condition)
        case 4..<6: return .delete(condition)
        default: return .read
        }
    }

    private static func complaint(_ condition: Condition, _ tag: UInt64, _ version: Int32)
        -> Operation.Complaint?
    {
        switch condition {
        case .none: nil
        case .absent: tag == 0 ? nil : .exists
        case .exists: tag == 0 ? .absentForCondition : nil
        case .version(let wanted):
            tag == 0 ? .absent : wanted == -1 || wanted == version ? nil : .otherVersion
        case .mzxidAny(let named):
            tag == 0
                ? .absentForCondition : named.contains(Zxid(tag * 10)) ? nil : .otherVersion
        }
    }

    static func carryOut(_ action: Operation.Action, _ tag: inout UInt64, _ version: inout Int32)
        -> Operation.Result
    {
        switch action {
        case .read:
            return .seen(
                tag == 0
                    ? nil : Operation.Seen(tag: tag, version: version, mzxid: Zxid(tag * 10)))
        case .put(let new, let condition):
            if let complaint = complaint(condition, tag, version) { return .failed(complaint) }
            let isThere = tag != 0
            tag = new
            version = isThere ? version + 1 : 0
            return isThere ? set(new, version) : created(new)
        case .delete(let condition):
            if let complaint = complaint(condition, tag, version) { return .failed(complaint) }
            if tag == 0 { return .failed(.absent) }
            tag = 0
            version = 0
            return .deleted
        }
    }

    /// One answer becomes that of another operation of its kind, or another one.
    static func spoil(_ history: inout [Operation], _ random: inout RandomGenerator) {
        let position = Int(random.next(below: UInt64(history.count)))
        let other = Int(random.next(below: UInt64(history.count)))
        guard let answer = history[position].answer else { return }
        switch (history[position].action, history[other].answer?.result) {
        case (.read, .seen(let seen)?): history[position].end(.seen(seen), at: answer.at)
        case (.put, .failed?), (.delete, .failed?):
            history[position].end(.failed(.otherVersion), at: answer.at)
        case (.put(let tag, _), _): history[position].end(set(tag, 1), at: answer.at)
        case (.delete, _): history[position].end(.deleted, at: answer.at)
        case (.read, _): history[position].end(.seen(nil), at: answer.at)
        }
    }

    /// Of a value that nobody saw, nobody can say whether a condition named it.
    private static func mayBeEither(_ action: Operation.Action, _ tag: UInt64, _ seen: Set<UInt64>)
        -> Bool
    {
        guard tag != 0, !seen.contains(tag) else { return false }
        switch action {
        case .put(_, .mzxidAny), .delete(.mzxidAny): return true
        case .put, .delete, .read: return false
        }
    }

    private static func bare(_ action: Operation.Action) -> Operation.Action {
        switch action {
        case .put(let tag, _): .put(tag: tag, .none)
        case .delete: .delete(.none)
        case .read: .read
        }
    }

    private static func tagsSeen(_ history: [Operation]) -> Set<UInt64> {
        var seen: Set<UInt64> = []
        for operation in history {
            switch (operation.answer?.result, operation.action) {
            case (.seen(let value?)?, _): seen.insert(value.tag)
            case (.created?, .put(let tag, _)), (.set?, .put(let tag, _)): seen.insert(tag)
            default: break
            }
        }
        return seen
    }

    /// All orders of all sets of those that must and those that may have happened.
    static func triesEveryOrder(_ history: [Operation]) -> Bool {
        let seen = tagsSeen(history)
        func extend(_ used: Set<Int>, _ tag: UInt64, _ version: Int32) -> Bool {
            if history.indices.allSatisfy({ used.contains($0) || history[$0].answer == nil }) {
                return true
            }
            for next in history.indices where !used.contains(next) {
                let isFree = history.indices.allSatisfy { other in
                    guard !used.contains(other), let answer = history[other].answer else {
                        return true
                    }
                    return answer.at > history[next].calledAt
                }
                guard isFree else { continue }
                for otherwise in [false, true] {
                    var (newTag, newVersion) = (tag, version)
                    var action = history[next].action
                    var result = Operation.Result.failed(.otherVersion)
                    if otherwise, !mayBeEither(action, tag, seen) { continue }
                    if !otherwise, mayBeEither(action, tag, seen) { action = bare(action) }
                    if !otherwise { result = carryOut(action, &newTag, &newVersion) }
                    if let answer = history[next].answer, answer.result != result { continue }
                    if extend(used.union([next]), newTag, newVersion) { return true }
                }
            }
            return false
        }
        return extend([], 0, 0)
    }
}
