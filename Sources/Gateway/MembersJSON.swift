// `GET /v1/members`: who belongs to the ensemble, as this member sees it. Always 200; what is not
// known is null. Ids are strings, zxids numbers.

import Ensemble
import HTTP
import Znodes

enum MembersJSON {
    static func append(_ context: borrowing RequestContext, into out: inout ByteWriter) {
        let status = context.status
        out.append("{\"ensemble\":")
        if let ensemble = status.ensemble {
            out.append("\"")
            out.append(Array("\(ensemble)".utf8))
            out.append("\"")
        } else {
            out.append("null")
        }
        out.append(",\"leader\":")
        if let leader = status.leaderNumber {
            out.append("\"")
            out.append(decimal: leader)
            out.append("\"")
        } else {
            out.append("null")
        }
        out.append(",\"term\":")
        out.append(decimal: status.termNumber)
        out.append(",\"failure_tolerance\":")
        out.append(decimal: status.failureTolerance)
        out.append(",\"members\":[")
        for index in status.members.indices {
            if index > 0 { out.append(",") }
            append(status.members[index], context, into: &out)
        }
        out.append("]}\n")
    }

    private static func append(
        _ member: MemberStatus, _ context: borrowing RequestContext, into out: inout ByteWriter
    ) {
        out.append("{\"id\":\"")
        out.append(decimal: member.number)
        out.append("\",\"role\":")
        if let role = member.roleName {
            out.append("\"")
            out.append(role)
            out.append("\"")
        } else {
            out.append("null")
        }
        out.append(member.voter ? ",\"voter\":true,\"http\":" : ",\"voter\":false,\"http\":")
        appendText(member.httpAddress, into: &out)
        out.append(",\"peer\":")
        appendText(member.peerAddress, into: &out)
        out.append(",\"zxid\":")
        appendNumber(member.report?.applied.rawValue, into: &out)
        out.append(",\"lag\":")
        let commit = context.status.commit.rawValue
        appendNumber(
            member.report.map { $0.applied.rawValue < commit ? commit - $0.applied.rawValue : 0 },
            into: &out)
        out.append(",\"lag_age_ms\":")
        let nowMs = context.nowMs
        appendNumber(member.report.map { $0.atMs < nowMs ? nowMs - $0.atMs : 0 }, into: &out)
        out.append(",\"disk_full\":")
        if let report = member.report {
            out.append(report.isFull ? "true" : "false")
        } else {
            out.append("null")
        }
        out.append(",\"last_contact_ms\":")
        appendNumber(member.lastContactMs.map { $0 < nowMs ? nowMs - $0 : 0 }, into: &out)
        out.append(",\"version\":")
        appendText(member.version, into: &out)
        let isSelf = member.number == context.status.number
        out.append(isSelf ? ",\"self\":true}" : ",\"self\":false}")
    }

    private static func appendNumber(_ number: UInt64?, into out: inout ByteWriter) {
        if let number { out.append(decimal: number) } else { out.append("null") }
    }

    /// Null when empty. Another member said it: what is not printable ASCII becomes a question
    /// mark.
    static func appendText(_ text: [UInt8], into out: inout ByteWriter) {
        if text.isEmpty {
            out.append("null")
            return
        }
        out.append("\"")
        let printable = text.map { $0 >= 0x20 && $0 < 0x7F ? $0 : 0x3F }
        out.appendJSONEscaped(printable.span)
        out.append("\"")
    }
}
