// Looks names of members up on a thread of its own: a resolver that takes seconds must not hold up
// heartbeats. One question for a member at a time; the answers go into the replica's mailbox.

internal import Raft
internal import System

final class PeerResolver: Sendable {
    private struct Question {
        let member: MemberID
        let name: HostAndPort
    }

    private struct State {
        var questions: [Question] = []
        var ended = false
    }

    private let state = PosixMutex(State())
    private let thread = PosixMutex<PosixThread?>(nil)
    private let answers: Mailbox<ReplicaNews>

    init(answers: Mailbox<ReplicaNews>) throws(SystemError) {
        self.answers = answers
        // The thread is joined by `close`, so it may hold on to this.
        try thread.withLock { thread throws(SystemError) in
            thread = try PosixThread(name: "resolver", stackBytes: 1 << 20) { self.run() }
        }
    }

    func ask(_ member: MemberID, _ name: HostAndPort) {
        state.withLock { $0.questions.append(Question(member: member, name: name)) }
        state.signal()
    }

    private func run() {
        while true {
            var questions: [Question] = []
            let ended = state.withLock(when: { $0.ended || !$0.questions.isEmpty }) {
                swap(&questions, &$0.questions)
                return $0.ended
            }
            if ended { return }
            for question in questions {
                let found: [SocketAddress]
                do { found = try question.name.resolve() } catch { found = [] }
                _ = answers.post(.resolved(question.member, found))
            }
        }
    }

    /// Waits for a question under way: some seconds, if a name server does not answer.
    func close() {
        state.withLock { $0.ended = true }
        state.signal()
        if let thread = thread.withLock({ $0.take() }) { thread.join() }
    }
}
