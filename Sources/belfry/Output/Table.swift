import BelfryClient

/// Columns for people to read.
struct Table {
    private var rows: [[String]]

    init(_ header: String...) { rows = [header] }

    mutating func add(_ cells: String...) { rows.append(cells) }

    var isEmpty: Bool { rows.count == 1 }

    /// - Parameter nothing: what is said of a table without rows.
    func print(whenEmpty nothing: String) {
        if isEmpty { return Swift.print(nothing) }
        let widths = rows[0].indices.map { column in
            rows.map { TextWidth.of($0[column]) }.max() ?? 0
        }
        for row in rows {
            var line = ""
            for (column, cell) in row.enumerated() {
                let shown = TextWidth.printable(cell)
                let rest = max(0, widths[column] - TextWidth.of(cell))
                line +=
                    column == row.count - 1
                    ? shown : shown + String(repeating: " ", count: rest + 2)
            }
            while line.last == " " { line.removeLast() }
            Swift.print(line)
        }
    }
}

/// How many columns of a terminal a text takes.
enum TextWidth {
    /// Chinese, Japanese and Korean letters and most emoji take two; marks that combine take none.
    static func of(_ text: String) -> Int {
        printable(text).reduce(0) { $0 + of($1) }
    }

    /// Without what would move the cursor or colour the screen: names come from strangers.
    static func printable(_ text: String) -> String { TerminalText.escaped(text) }

    private static func of(_ character: Character) -> Int {
        guard let first = character.unicodeScalars.first else { return 0 }
        if first.properties.isEmojiPresentation { return 2 }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        return wide.contains { $0.contains(first.value) } ? 2 : 1
    }

    /// The blocks of Unicode whose letters are wide or full-width (UAX #11), coarsely.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
        0xA000...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE4F, 0xFF00...0xFF60,
        0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD,
    ]
}
