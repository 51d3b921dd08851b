// The answers to reads, byte by byte: a znode as JSON or raw, a page of children, 304. What they
// show was found in one state of the tree before; here it is only written.

import HTTP
import Znodes

extension RESTGateway {
    func writeZnode(
        _ found: FoundZnode, _ shape: ReadPlan.Shape, _ zxid: Zxid, _ stalenessMs: UInt64?,
        _ response: borrowing ResponseContext, _ out: inout ByteWriter
    ) {
        var answer = ResponseSerializer(status: 200, context: response, into: &out)
        writeState(zxid, stalenessMs, answer, &out)
        answer.entityTag(found.stat.mzxid.rawValue, into: &out)
        if shape == .raw {
            ZnodeJSON.appendStatFields(found.stat, answer, into: &out)
            answer.finish(
                contentType: "application/octet-stream", body: found.view.data, into: &out)
            return
        }
        answer.beginBody(contentType: "application/json", into: &out)
        ZnodeJSON.appendZnode(
            path: found.view.path, data: found.view.data, stat: found.stat,
            forceBase64: shape == .base64, into: &out)
        answer.endBody(into: &out)
    }

    /// The names are those in `page`.
    func writeChildren(
        _ read: PendingRead, _ stat: Stat, _ more: Bool, _ zxid: Zxid, _ stalenessMs: UInt64?,
        _ response: borrowing ResponseContext, _ out: inout ByteWriter
    ) {
        var answer = ResponseSerializer(status: 200, context: response, into: &out)
        writeState(zxid, stalenessMs, answer, &out)
        answer.childrenTag(stat, into: &out)
        answer.beginBody(contentType: "application/json", into: &out)
        out.append("{\"path\":\"")
        out.appendJSONEscaped(read.path.bytes.span)
        out.append("\",\"zxid\":")
        out.append(decimal: zxid.rawValue)
        out.append(",\"children\":[")
        for index in page.indices {
            out.append(index == 0 ? "\"" : ",\"")
            out.appendJSONEscaped(page[index].name)
            out.append("\"")
        }
        if more, let last = page.last {
            out.append("],\"next\":\"")
            out.appendJSONEscaped(last.name)
            out.append("\"}\n")
        } else {
            out.append("],\"next\":null}\n")
        }
        answer.endBody(into: &out)
    }

    /// `stat` is nil when the znode is absent, or another one by now.
    func writeNotModified(
        _ read: PendingRead, _ stat: Stat?, _ zxid: Zxid, _ stalenessMs: UInt64?,
        _ response: borrowing ResponseContext, _ out: inout ByteWriter
    ) {
        let answer = ResponseSerializer(status: 304, context: response, into: &out)
        writeState(zxid, stalenessMs, answer, &out)
        if let stat {
            if read.plan.shape == .children {
                answer.childrenTag(stat, into: &out)
            } else {
                answer.entityTag(stat.mzxid.rawValue, into: &out)
            }
        }
        answer.finishEmpty(into: &out)
    }

    func writeState(
        _ zxid: Zxid, _ stalenessMs: UInt64?, _ answer: borrowing ResponseSerializer,
        _ out: inout ByteWriter
    ) {
        answer.field("Aviary-Zxid", number: zxid.rawValue, into: &out)
        if let stalenessMs {
            answer.field("Aviary-Staleness-Ms", number: stalenessMs, into: &out)
        }
    }
}
