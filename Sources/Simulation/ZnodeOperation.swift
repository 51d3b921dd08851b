// One znode as a register: the operations on it, as the clients that asked for them saw them, and
// the plain rules of what each does to it. A zxid is only a name for a value here (as an entity tag
// is): nothing is concluded from its size.

package import Znodes

package struct ZnodeOperation: Sendable {
    package enum Action: Sendable, Equatable {
        /// `tag` names the value; no two puts have the same, none has 0.
        case put(tag: UInt64, Condition)
        case delete(Condition)
        case read
    }

    package struct Seen: Sendable, Equatable {
        package let tag: UInt64
        package let version: Int32
        package let mzxid: Zxid
        package init(tag: UInt64, version: Int32, mzxid: Zxid) {
            self.tag = tag
            self.version = version
            self.mzxid = mzxid
        }
    }

    package enum Complaint: Sendable, Equatable {
        case exists
        case absent
        /// The condition wanted a znode, and there is none.
        case absentForCondition
        case otherVersion
        /// Of the whole store, not of this znode: always possible.
        case noRoom
    }

    package enum Result: Sendable, Equatable {
        case created(mzxid: Zxid)
        case set(version: Int32, mzxid: Zxid)
        case deleted
        case seen(Seen?)
        case failed(Complaint)
    }

    package let action: Action
    /// Places in one order of all calls and answers.
    package let calledAt: UInt64
    /// Nil: no answer came, or none that says anything. It may take effect at any later time, or never.
    package private(set) var answer: (result: Result, at: UInt64)?

    package init(_ action: Action, calledAt: UInt64, answer: (result: Result, at: UInt64)? = nil) {
        self.action = action
        self.calledAt = calledAt
        self.answer = answer
    }

    package mutating func end(_ result: Result, at: UInt64) { answer = (result, at) }

    /// What the answer tells of the znode as it was then; nil: nothing, or that there was none.
    var told: Seen? {
        switch (answer?.result, action) {
        case (.seen(let seen)?, _): seen
        case (.created(let mzxid)?, .put(let tag, _)): Seen(tag: tag, version: 0, mzxid: mzxid)
        case (.set(let version, let mzxid)?, .put(let tag, _)):
            Seen(tag: tag, version: version, mzxid: mzxid)
        case (.created?, _), (.set?, _), (.deleted?, _), (.failed?, _), (nil, _): nil
        }
    }
}

package struct ZnodeState: Hashable, Sendable {
    /// 0: absent.
    package var tag: UInt64 = 0
    package var version: Int32 = 0

    package init() {}

    init(tag: UInt64, version: Int32) {
        self.tag = tag
        self.version = version
    }
}

/// What a history tells of the names of its values, before any order is looked for.
package struct ZnodeRules {
    /// Never iterated.
    private var mzxids: [UInt64: Zxid] = [:]
    /// False: two values had one name, or one value had two.
    package private(set) var areConsistent = true

    package init(of operations: [ZnodeOperation]) {
        var tags: [Zxid: UInt64] = [:]
        for operation in operations {
            guard let told = operation.told else { continue }
            if let known = mzxids[told.tag], known != told.mzxid { areConsistent = false }
            if let known = tags[told.mzxid], known != told.tag { areConsistent = false }
            mzxids[told.tag] = told.mzxid
            tags[told.mzxid] = told.tag
        }
    }

    /// All values that nobody ever saw are one: nothing tells them apart.
    static let unseen = UInt64.max

    func isSeen(_ tag: UInt64) -> Bool { mzxids[tag] != nil }

    /// Neither had an answer, and whatever one of them did the other could have done. The first of the
    /// two could have done it at more times.
    func areAlike(_ a: ZnodeOperation, _ b: ZnodeOperation) -> Bool {
        guard a.answer == nil, b.answer == nil else { return false }
        switch (a.action, b.action) {
        case (.delete(let one), .delete(let other)): return one == other
        case (.put(let tag, let one), .put(let tag2, let other)):
            return one == other && !isSeen(tag) && !isSeen(tag2)
        case (.put, _), (.delete, _), (.read, _): return false
        }
    }

    private enum Judgement {
        case holds
        case fails(ZnodeOperation.Complaint)
        /// It names mzxids, and nobody ever learned the one that is there.
        case either
    }

    private func judge(_ condition: Condition, _ state: ZnodeState) -> Judgement {
        let isThere = state.tag != 0
        switch condition {
        case .none: return .holds
        case .absent: return isThere ? .fails(.exists) : .holds
        case .exists: return isThere ? .holds : .fails(.absentForCondition)
        case .mzxidAny(let named):
            guard isThere else { return .fails(.absentForCondition) }
            guard let mzxid = mzxids[state.tag] else { return .either }
            return named.contains(mzxid) ? .holds : .fails(.otherVersion)
        case .version(let version):
            guard isThere else { return .fails(.absent) }
            return version == -1 || version == state.version ? .holds : .fails(.otherVersion)
        }
    }

    /// The state after the operation, if it can have had its result in `state`. Nil also for one of
    /// unknown result that would change nothing: it might as well never have happened.
    package func after(_ operation: ZnodeOperation, in state: ZnodeState) -> ZnodeState? {
        let result = operation.answer?.result
        if case .failed(.noRoom)? = result { return state }
        switch operation.action {
        case .read:
            guard case .seen(let seen)? = result else { return nil }
            return (seen?.tag ?? 0) == state.tag && (seen?.version ?? 0) == state.version
                ? state : nil
        case .put(let tag, let condition):
            let isThere = state.tag != 0
            let new = ZnodeState(
                tag: isSeen(tag) ? tag : Self.unseen, version: isThere ? state.version &+ 1 : 0)
            return outcome(result, judge(condition, state), from: state, to: new) { result in
                switch result {
                case .created: !isThere
                case .set(let version, _): isThere && version == new.version
                case .deleted, .seen, .failed: false
                }
            }
        case .delete(let condition):
            var judgement = judge(condition, state)
            if case .holds = judgement, state.tag == 0 { judgement = .fails(.absent) }
            return outcome(result, judgement, from: state, to: ZnodeState()) { $0 == .deleted }
        }
    }

    private func outcome(
        _ result: ZnodeOperation.Result?, _ judgement: Judgement, from old: ZnodeState,
        to new: ZnodeState, _ fits: (ZnodeOperation.Result) -> Bool
    ) -> ZnodeState? {
        switch (judgement, result) {
        case (.holds, nil), (.either, nil): return new
        case (.fails, nil): return nil
        case (.fails(let complaint), let result?):
            return result == .failed(complaint) ? old : nil
        case (.holds, let result?): return fits(result) ? new : nil
        case (.either, let result?):
            if result == .failed(.otherVersion) { return old }
            return fits(result) ? new : nil
        }
    }
}
