// What a person who misspelt a name may have meant. For messages only: nothing is decided by it.

enum NearestName {
    /// The one of `known` that takes the fewest changed, added or left out letters; of several the
    /// first.
    static func of(_ name: String, in known: [String]) -> String {
        known.min { changes(from: name, to: $0) < changes(from: name, to: $1) } ?? ""
    }

    /// Wagner, Fischer 1974, with two rows.
    private static func changes(from one: String, to other: String) -> Int {
        let letters = Array(other.utf8)
        var row = Array(0...letters.count)
        for (line, letter) in one.utf8.enumerated() {
            var diagonal = row[0]
            row[0] = line + 1
            for column in letters.indices {
                let replaced = diagonal + (letters[column] == letter ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(replaced, min(row[column], row[column + 1]) + 1)
            }
        }
        return row[letters.count]
    }
}
