// An HTTP answer as a small client reads it: status, fields, a body by its length. What is not as
// RFC 9112 has it is told, never repaired.

import Raft
import Znodes

struct HeardAnswer {
    private(set) var status = 0
    /// Names in lower case.
    private var fields: [(name: String, value: String)] = []
    private(set) var body: [UInt8] = []

    /// The answer at the front of `bytes`, which is taken off; nil: not whole yet. `isHead`: it is to
    /// a HEAD, and has no body.
    static func take(
        from bytes: inout [UInt8], isHead: Bool
    ) throws(Violation) -> HeardAnswer? {
        guard let end = endOfHead(bytes) else { return nil }
        var answer = HeardAnswer()
        let lines = bytes[..<(end - 4)].split(
            separator: 0x0A, omittingEmptySubsequences: false
        ).map { $0.last == 0x0D ? $0.dropLast() : $0 }
        answer.status = try statusLine(lines[0])
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: 0x3A), colon != line.startIndex else {
                throw Violation(.answer, "no field: \(String(decoding: line, as: UTF8.self))")
            }
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            let value = line[(colon + 1)...].drop { $0 == 0x20 }
            if answer[name] != nil { throw Violation(.answer, "twice: \(name)") }
            answer.fields.append((name, String(decoding: value, as: UTF8.self)))
        }
        let status = answer.status
        let hasBody = !isHead && status >= 200 && status != 204 && status != 304
        var length = 0
        if hasBody {
            guard let announced = answer["content-length"].flatMap({ Int($0) }) else {
                throw answer.wrong("no length")
            }
            length = announced
        }
        guard bytes.count >= end + length else { return nil }
        answer.body = Array(bytes[end..<(end + length)])
        bytes.removeFirst(end + length)
        return answer
    }

    private static func statusLine(_ line: ArraySlice<UInt8>) throws(Violation) -> Int {
        let words = line.split(separator: 0x20)
        guard words.count > 2, words[0].elementsEqual("HTTP/1.1".utf8),
            let status = Int(String(decoding: words[1], as: UTF8.self)),
            (100...599).contains(status)
        else {
            throw Violation(.answer, "no status line: \(String(decoding: line, as: UTF8.self))")
        }
        return status
    }

    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        for end in 4...bytes.count
        where bytes[end - 1] == 0x0A && bytes[end - 2] == 0x0D && bytes[end - 3] == 0x0A
            && bytes[end - 4] == 0x0D
        { return end }
        return nil
    }

    subscript(name: String) -> String? { fields.first { $0.name == name }?.value }

    private func number(_ name: String) -> UInt64? { self[name].flatMap { UInt64($0) } }

    var isLast: Bool { self["connection"] == "close" }
    var zxid: Zxid? { number("aviary-zxid").map { Zxid($0) } }

    func wrong(_ what: String) -> Violation {
        Violation(
            .answer, "\(what): \(status) \(fields) \(String(decoding: body, as: UTF8.self))")
    }

    func json() throws(Violation) -> NaiveJSON {
        guard let json = NaiveJSON(body) else { throw wrong("no JSON") }
        return json
    }

    // MARK: what it says

    /// The word for what went wrong; nil: nothing did.
    func code() throws(Violation) -> String? {
        if status < 400 { return nil }
        let json = try json()
        guard self["content-type"] == "application/problem+json", let code = json["code"]?.bytes,
            json["status"]?.unsigned == UInt64(status), json["detail"]?.bytes?.isEmpty == false,
            json["zxid"]?.unsigned == zxid?.rawValue
        else { throw wrong("no problem of RFC 9457") }
        return String(decoding: code, as: UTF8.self)
    }

    /// The znode that a problem is about.
    func problemPath() throws(Violation) -> ZnodePath {
        guard let path = try json()["path"]?.bytes else { throw wrong("no path") }
        return ZnodePath(trusted: path)
    }

    /// The number in what a problem says to people.
    func numberInDetail() throws(Violation) -> UInt64 {
        let text = try json()["detail"]?.bytes ?? []
        let digits = text.drop { !(0x30...0x39).contains($0) }.prefix { (0x30...0x39).contains($0) }
        guard let number = UInt64(String(decoding: digits, as: UTF8.self)) else {
            throw wrong("no number")
        }
        return number
    }

    static func stat(_ json: NaiveJSON?) -> Stat? {
        guard let json, let czxid = json["czxid"]?.unsigned, let mzxid = json["mzxid"]?.unsigned,
            let pzxid = json["pzxid"]?.unsigned, let ctime = json["ctime"]?.signed,
            let mtime = json["mtime"]?.signed, let version = json["version"]?.signed,
            let cversion = json["cversion"]?.signed, let aversion = json["aversion"]?.signed,
            json["ephemeralOwner"] == .null, let length = json["dataLength"]?.signed,
            let children = json["numChildren"]?.signed
        else { return nil }
        return Stat(
            czxid: Zxid(czxid), mzxid: Zxid(mzxid), pzxid: Zxid(pzxid), ctimeMs: ctime,
            mtimeMs: mtime, version: Int32(truncatingIfNeeded: version),
            cversion: Int32(truncatingIfNeeded: cversion),
            aversion: Int32(truncatingIfNeeded: aversion), ephemeralOwner: nil,
            dataLength: Int32(truncatingIfNeeded: length),
            numChildren: Int32(truncatingIfNeeded: children))
    }

    /// Beside raw bytes.
    var statInFields: Stat? {
        func signed(_ name: String) -> Int32? { self[name].flatMap { Int32($0) } }
        guard let czxid = number("aviary-czxid"), let mzxid = number("aviary-mzxid"),
            let pzxid = number("aviary-pzxid"),
            let ctime = self["aviary-ctime"].flatMap({ Int64($0) }),
            let mtime = self["aviary-mtime"].flatMap({ Int64($0) }),
            let version = signed("aviary-version"), let cversion = signed("aviary-cversion"),
            let aversion = signed("aviary-aversion"), let length = signed("aviary-data-length"),
            let children = signed("aviary-num-children")
        else { return nil }
        return Stat(
            czxid: Zxid(czxid), mzxid: Zxid(mzxid), pzxid: Zxid(pzxid), ctimeMs: ctime,
            mtimeMs: mtime, version: version, cversion: cversion, aversion: aversion,
            ephemeralOwner: nil, dataLength: length, numChildren: children)
    }

    /// A znode in any shape but that of a list, with the path of JSON.
    func znode(_ shape: SentShape, _ path: ZnodePath) throws(Violation) -> (Stat, [UInt8]) {
        let stat: Stat
        let data: [UInt8]
        if shape == .raw {
            guard let found = statInFields else { throw wrong("no stat") }
            (stat, data) = (found, body)
        } else {
            let json = try json()
            guard let found = Self.stat(json["stat"]), json["path"]?.bytes == path.bytes,
                let text = json["data"]?.bytes, let encoding = json["encoding"]?.bytes
            else { throw wrong("no znode at \(path)") }
            stat = found
            switch String(decoding: encoding, as: UTF8.self) {
            case "utf-8" where shape == .json: data = text
            case "base64":
                guard let decoded = NaiveBase64.decode(text) else { throw wrong("no base64") }
                data = decoded
            default: throw wrong("an unknown encoding")
            }
        }
        guard self["etag"] == "\"\(stat.mzxid.rawValue)\"" else { throw wrong("another ETag") }
        return (stat, data)
    }
}
