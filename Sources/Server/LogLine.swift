// The two forms of a line of log: `time level member=1 message key=value` and one JSON object.
// Whatever the values hold, a line stays one line.

enum LogLine {
    static func format(
        _ format: LogFormat, wallMs: Int64, level: LogLevel, member: UInt64,
        message: String, fields: [(String, any LogValue)]
    ) -> String {
        var line = ""
        switch format {
        case .text:
            line += timestamp(wallMs) + " " + level.name + " member=\(member)"
            line += " msg=" + quoted(message)
            for (key, value) in fields { line += " " + key + "=" + quotedIfNeeded(value.logText) }
        case .json:
            line += "{\"time\":" + quoted(timestamp(wallMs)) + ",\"level\":" + quoted(level.name)
            line += ",\"member\":\(member),\"message\":" + quoted(message)
            for (key, value) in fields { line += "," + quoted(key) + ":" + value.logJSON }
            line += "}"
        }
        return line
    }

    private static func quotedIfNeeded(_ value: String) -> String {
        let isPlain = value.utf8.allSatisfy { byte in
            byte > 0x20 && byte < 0x7f && byte != 0x22 && byte != 0x5c && byte != 0x3d
        }
        return isPlain && !value.isEmpty ? value : quoted(value)
    }

    /// A JSON string.
    static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            default:
                if scalar.value < 0x20 || scalar.value == 0x7f {
                    let digits = String(scalar.value, radix: 16)
                    out += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
                } else {
                    out.unicodeScalars.append(scalar)
                }
            }
        }
        return out + "\""
    }

    /// RFC 3339 in UTC with milliseconds.
    static func timestamp(_ wallMs: Int64) -> String {
        let (days, msOfDay) = wallMs.flooredDivision(by: 86_400_000)
        let (year, month, day) = date(days)
        func padded(_ value: Int64, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
        }
        return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2) + "T"
            + padded(msOfDay / 3_600_000, 2) + ":" + padded(msOfDay / 60_000 % 60, 2) + ":"
            + padded(msOfDay / 1_000 % 60, 2) + "." + padded(msOfDay % 1_000, 3) + "Z"
    }

    /// Days since 1970-01-01 in the Gregorian calendar. (Hinnant, "chrono-Compatible Low-Level Date
    /// Algorithms", civil_from_days: years that begin in March, eras of 400 years.)
    private static func date(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = (days + 719_468).flooredDivision(by: 146_097)
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
    }
}

extension Int64 {
    fileprivate func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
