// A minority that is lost for good: when the faults end, some members never start again and their
// disks are gone. All others must come to rest and serve as if they had.

import Ensemble
import Raft

extension World {
    /// All but those that are lost for good.
    var membersThere: [Member] { members.filter { !$0.isLost } }

    /// As the faults end.
    func loseMinority() {
        guard lateRandom.chance(perMille: weather[.minorityLost]) else { return }
        let count = Int(lateRandom.draw(1...UInt64((members.count - 1) / 2)))
        let lost = members.shuffled(using: &lateRandom).prefix(count)
        guard canSpare(Array(lost)) else { return }
        marks.hit(.minorityLost)
        for member in lost {
            trace("\(member.id) is lost for good")
            member.isLost = true
            crash(member, .all, restartAfterNs: 0)
            member.shelf = nil
        }
    }

    /// The others have all that they ever acknowledged, and need no more than a majority.
    private func canSpare(_ lost: [Member]) -> Bool {
        // Where states differ, those left might be two against two.
        guard !flipped.areAny, areTakenIn(), oracle.storages.count == members.count else {
            return false
        }
        return members.allSatisfy { member in
            // A disk is not exchanged, nor about to be: in its member is the last that it has had.
            guard !isOut(member), member.diskNumber == member.lastDiskNumber else { return false }
            return lost.contains { $0 === member } || isWhole(member)
        }
    }
}
