/// One number, and what it is held against in the same run on the same machine: a raw limit, or for a peer, Belfry.
package struct Measurement: Sendable, Hashable, Codable {
    package var name: String
    package var value: Double
    /// `pushes/s`, `callbacks/s`, `ms`, `s`, `bytes`, `wake-ups`.
    package var unit: String
    /// In the same unit; `nil` where there is nothing to measure against.
    package var reference: Double?

    package init(_ name: String, _ value: Double, _ unit: String, reference: Double? = nil) {
        self.name = name
        self.value = value
        self.unit = unit
        self.reference = reference
    }

    /// The value against the reference; `nil` without one.
    package var ratio: Double? {
        reference.flatMap { $0 == 0 ? nil : value / $0 }
    }

    /// One line of JSON with the members in the order `name`, `value`, `unit`, `reference`, `ratio`.
    package var json: String {
        """
        {"name":"\(name)","value":\(number(value)),"unit":"\(unit)",\
        "reference":\(number(reference)),"ratio":\(number(ratio))}
        """
    }
}

/// Six significant digits are more than any run repeats.
private func number(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "null" }
    if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
    let digits = abs(value) >= 1000 ? 1.0 : abs(value) >= 1 ? 1000.0 : 1_000_000.0
    return String((value * digits).rounded() / digits)
}
