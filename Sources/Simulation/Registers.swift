// A few znodes that only single operations touch, with the history of each: no parents made or
// deleted, no children. So each can be judged alone (linearizability is a local property), by a
// search that knows nothing of zxids. One that has seen enough is left for a new one.

import Znodes

package struct Registers {
    /// Names an operation that is under way.
    package struct Handle {
        let register: Int
        let position: Int
    }

    private struct Register {
        let path: ZnodePath
        var operations: [ZnodeOperation] = []
        /// They have had no effect, and never will.
        var refused: [Int] = []
        /// Writes of which nobody knows what became of them. Each may double the work of the search.
        var unanswered = 0
        /// The newest that anyone saw, for conditions.
        var seen: ZnodeOperation.Seen?
    }

    /// With those that are still open, far below what the search takes.
    static let operationsMax = 160
    static let unansweredMax = 14
    static let inUse = 3

    private var registers: [Register] = []
    private var current: [Int] = []
    private var moment: UInt64 = 0
    /// Operations that the search has put in order.
    private(set) var judged = 0

    package init() { for _ in 0..<Self.inUse { current.append(add()) } }

    private mutating func add() -> Int {
        registers.append(
            Register(path: ZnodePath(trusted: [UInt8]("/register-\(registers.count)".utf8))))
        return registers.count - 1
    }

    /// The register to use next in place `slot`.
    mutating func register(_ slot: Int) -> Int {
        let register = registers[current[slot]]
        if register.operations.count >= Self.operationsMax
            || register.unanswered >= Self.unansweredMax
        {
            current[slot] = add()
        }
        return current[slot]
    }

    func path(_ register: Int) -> ZnodePath { registers[register].path }
    func seen(_ register: Int) -> ZnodeOperation.Seen? { registers[register].seen }

    package mutating func begin(_ action: ZnodeOperation.Action, at register: Int) -> Handle {
        moment += 1
        registers[register].operations.append(ZnodeOperation(action, calledAt: moment))
        if action != .read { registers[register].unanswered += 1 }
        return Handle(register: register, position: registers[register].operations.count - 1)
    }

    package mutating func end(_ handle: Handle, _ result: ZnodeOperation.Result) {
        // What a client was told first is what it goes by.
        guard registers[handle.register].operations[handle.position].answer == nil else { return }
        moment += 1
        registers[handle.register].operations[handle.position].end(result, at: moment)
        settle(handle)
        let told = registers[handle.register].operations[handle.position].told
        if told != nil || result == .seen(nil) { registers[handle.register].seen = told }
    }

    mutating func refused(_ handle: Handle) {
        registers[handle.register].refused.append(handle.position)
        settle(handle)
    }

    private mutating func settle(_ handle: Handle) {
        let isRead = registers[handle.register].operations[handle.position].action == .read
        if !isRead { registers[handle.register].unanswered -= 1 }
    }

    package mutating func check() throws(Violation) {
        for register in registers {
            let operations = register.operations.indices.compactMap { position in
                let operation = register.operations[position]
                // A read without an answer says nothing.
                let isEmpty = operation.action == .read && operation.answer == nil
                return isEmpty || register.refused.contains(position) ? nil : operation
            }
            judged += operations.count
            switch LinearizabilitySearch.judge(operations) {
            case .linearizable: break
            case .notLinearizable:
                throw Violation(
                    .linearizability,
                    "no order explains the \(operations.count) operations on \(register.path)")
            case .tooHard:
                throw Violation(
                    .searchTooHard,
                    "\(operations.count) operations on \(register.path), "
                        + "\(operations.count { $0.answer == nil }) of them unanswered")
            }
        }
    }
}

extension ZnodeOperation.Result {
    /// What the answer to a write on a register says; nil: no such answer is possible.
    init?(_ outcome: Outcome) {
        switch outcome {
        case .created(_, let stat): self = .created(mzxid: stat.mzxid)
        case .set(_, let stat): self = .set(version: stat.version, mzxid: stat.mzxid)
        case .deleted(let count):
            if count != 1 { return nil }
            self = .deleted
        case .failed(.noNode): self = .failed(.absent)
        case .failed(.nodeExists): self = .failed(.exists)
        case .failed(.badVersion(_, let absent)):
            self = .failed(absent ? .absentForCondition : .otherVersion)
        case .failed(.storeFull): self = .failed(.noRoom)
        case .failed(.notEmpty), .failed(.noChildrenForEphemerals), .failed(.tooManyZnodes),
            .failed(.invalidPath), .failed(.dataTooLarge), .failed(.unknownCommand):
            return nil
        }
    }
}
