/// The results as people read them. Rows come minutes apart, so the widths are fixed.
enum ResultTable {
    static let header = row("benchmark", "value", "unit", "reference", "ratio")

    static func row(_ measurement: Measurement) -> String {
        row(
            measurement.name,
            Figure.text(measurement.value),
            measurement.unit,
            measurement.reference.map(Figure.text) ?? "",
            measurement.ratio.map(Figure.text) ?? ""
        )
    }

    private static func row(
        _ name: String,
        _ value: String,
        _ unit: String,
        _ reference: String,
        _ ratio: String
    ) -> String {
        left(name, 28) + right(value, 12) + " " + left(unit, 12) + right(reference, 12)
            + right(ratio, 9)
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    private static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

/// A number with a sensible count of digits and its thousands apart.
enum Figure {
    static func text(_ value: Double) -> String {
        if value < 1000 {
            let digits = value < 10 ? 1000.0 : 10.0
            return String((value * digits).rounded() / digits)
        }
        var result = ""
        for (index, digit) in String(Int64(value.rounded())).reversed().enumerated() {
            if index > 0, index % 3 == 0 { result.append(",") }
            result.append(digit)
        }
        return String(result.reversed())
    }
}
