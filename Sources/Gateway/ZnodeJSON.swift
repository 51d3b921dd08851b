// Znodes as JSON, and their stat as header fields. Bytes in, bytes out: no String, no tree of
// values. Paths and names are valid UTF-8 by the path rule; data is text when it is, else base64.

import HTTP
import Znodes

enum ZnodeJSON {
    /// `{"path","data","encoding","stat"}`
    static func appendZnode(
        path: Span<UInt8>, data: Span<UInt8>, stat: Stat, forceBase64: Bool,
        into out: inout ByteWriter
    ) {
        out.append("{\"path\":\"")
        out.appendJSONEscaped(path)
        out.append("\",\"data\":\"")
        if !forceBase64, Octets.isPlainText(data) {
            out.append(data)
            out.append("\",\"encoding\":\"utf-8\",\"stat\":")
        } else if !forceBase64, isUTF8(data) {
            out.appendJSONEscaped(data)
            out.append("\",\"encoding\":\"utf-8\",\"stat\":")
        } else {
            out.appendBase64(data)
            out.append("\",\"encoding\":\"base64\",\"stat\":")
        }
        appendStat(stat, into: &out)
        out.append("}\n")
    }

    /// `{"path","created","stat"}`, the answer to a write.
    static func appendWritten(
        path: Span<UInt8>, created: Bool, stat: Stat, into out: inout ByteWriter
    ) {
        out.append("{\"path\":\"")
        out.appendJSONEscaped(path)
        out.append(created ? "\",\"created\":true,\"stat\":" : "\",\"created\":false,\"stat\":")
        appendStat(stat, into: &out)
        out.append("}\n")
    }

    /// Names as in org.apache.zookeeper.data.Stat.
    static func appendStat(_ stat: Stat, into out: inout ByteWriter) {
        // Once for all of it: what follows finds its room.
        out.reserve(512)
        out.append("{\"czxid\":")
        out.append(decimal: stat.czxid.rawValue)
        out.append(",\"mzxid\":")
        out.append(decimal: stat.mzxid.rawValue)
        out.append(",\"pzxid\":")
        out.append(decimal: stat.pzxid.rawValue)
        out.append(",\"ctime\":")
        out.append(decimal: stat.ctimeMs)
        out.append(",\"mtime\":")
        out.append(decimal: stat.mtimeMs)
        out.append(",\"version\":")
        out.append(decimal: Int64(stat.version))
        out.append(",\"cversion\":")
        out.append(decimal: Int64(stat.cversion))
        out.append(",\"aversion\":")
        out.append(decimal: Int64(stat.aversion))
        if let owner = stat.ephemeralOwner {
            // A string: session ids use all 64 bits.
            out.append(",\"ephemeralOwner\":\"")
            out.append(decimal: owner.rawValue)
            out.append("\",\"dataLength\":")
        } else {
            out.append(",\"ephemeralOwner\":null,\"dataLength\":")
        }
        out.append(decimal: Int64(stat.dataLength))
        out.append(",\"numChildren\":")
        out.append(decimal: Int64(stat.numChildren))
        out.append("}")
    }

    /// The stat beside raw bytes.
    static func appendStatFields(
        _ stat: Stat, _ answer: borrowing ResponseSerializer, into out: inout ByteWriter
    ) {
        answer.field("Aviary-Czxid", number: stat.czxid.rawValue, into: &out)
        answer.field("Aviary-Mzxid", number: stat.mzxid.rawValue, into: &out)
        answer.field("Aviary-Pzxid", number: stat.pzxid.rawValue, into: &out)
        answer.field("Aviary-Ctime", signed: stat.ctimeMs, into: &out)
        answer.field("Aviary-Mtime", signed: stat.mtimeMs, into: &out)
        answer.field("Aviary-Version", signed: Int64(stat.version), into: &out)
        answer.field("Aviary-Cversion", signed: Int64(stat.cversion), into: &out)
        answer.field("Aviary-Aversion", signed: Int64(stat.aversion), into: &out)
        if let owner = stat.ephemeralOwner {
            answer.field("Aviary-Ephemeral-Owner", number: owner.rawValue, into: &out)
        }
        answer.field("Aviary-Data-Length", signed: Int64(stat.dataLength), into: &out)
        answer.field("Aviary-Num-Children", signed: Int64(stat.numChildren), into: &out)
    }

    /// Strict (Unicode 16, table 3-7).
    static func isUTF8(_ bytes: Span<UInt8>) -> Bool {
        do {
            _ = try UTF8Span(validating: bytes)
            return true
        } catch {
            return false
        }
    }
}
