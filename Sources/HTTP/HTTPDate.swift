// The IMF-fixdate form of an instant (RFC 9110 5.6.7), as `Date: ` carries it. Pure: the caller
// tells the time. An event loop makes one a second and hands it to every answer of that second.

@usableFromInline
package struct HTTPDate: Sendable {
    @usableFromInline package var text: InlineArray<29, UInt8>

    /// Years 1970 to 9999; what lies outside is taken as the nearest of them.
    package init(unixSeconds: Int64) {
        let seconds = min(max(unixSeconds, 0), 253_402_300_799)
        let (days, secondOfDay) = seconds.quotientAndRemainder(dividingBy: 86_400)
        let (year, month, day) = HTTPDate.civil(daysSince1970: days)
        text = InlineArray(repeating: 0x20)
        // 1 January 1970 was a Thursday.
        put("SunMonTueWedThuFriSat", from: Int((days + 4) % 7) * 3, count: 3, at: 0)
        text[3] = 0x2C
        putPair(day, at: 5)
        put("JanFebMarAprMayJunJulAugSepOctNovDec", from: (month - 1) * 3, count: 3, at: 8)
        putPair(year / 100, at: 12)
        putPair(year % 100, at: 14)
        putPair(Int(secondOfDay / 3600), at: 17)
        text[19] = 0x3A
        putPair(Int(secondOfDay / 60 % 60), at: 20)
        text[22] = 0x3A
        putPair(Int(secondOfDay % 60), at: 23)
        put("GMT", from: 0, count: 3, at: 26)
    }

    @inlinable
    package var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        get { text.span }
    }

    private mutating func put(_ words: StaticString, from: Int, count: Int, at place: Int) {
        for step in 0..<count { text[place + step] = unsafe words.utf8Start[from + step] }
    }

    private mutating func putPair(_ value: Int, at place: Int) {
        text[place] = UInt8(value / 10 % 10) + 0x30
        text[place + 1] = UInt8(value % 10) + 0x30
    }

    /// The proleptic Gregorian date, by eras of 400 years that begin on 1 March, so that the leap
    /// day is the last of its year.
    private static func civil(daysSince1970 days: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = Int(days) + 719_468
        let (era, dayOfEra) = shifted.quotientAndRemainder(dividingBy: 146_097)
        let leapDays = dayOfEra / 1460 - dayOfEra / 36_524 + dayOfEra / 146_096
        let yearOfEra = (dayOfEra - leapDays) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
    }
}
