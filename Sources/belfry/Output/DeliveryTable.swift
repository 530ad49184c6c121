import BelfryClient

/// What became of pushes, with reasons.
enum DeliveryTable {
    static func print(_ deliveries: [JSON]) {
        var table = Table("AT", "STATE", "LATE", "TO", "WHAT", "CHANNEL", "REASON")
        for delivery in deliveries {
            let step = [delivery["flow"], delivery["step"]].map(\.cell).filter { !$0.isEmpty }
            table.add(
                delivery["at"].cell,
                delivery["state"].cell,
                lateness(delivery),
                "\(delivery["account"].cell)/\(delivery["to"].cell)",
                step.isEmpty ? delivery["push"].cell : step.joined(separator: "/"),
                delivery["channel"].cell,
                reason(delivery["reason"])
            )
        }
        table.print(whenEmpty: "nothing yet")
    }

    /// How late, and how much of that a hold took.
    private static func lateness(_ delivery: JSON) -> String {
        guard delivery["lateness_ms"] != .null else { return "" }
        let late = "\(delivery["lateness_ms"].cell) ms"
        guard delivery["held_for"] != .null else { return late }
        return "\(late), \(delivery["held_ms"].cell) of it \(delivery["held_for"].cell)"
    }

    static func reason(_ reason: JSON) -> String {
        let message = reason["message"].cell
        let code = reason["code"].cell
        return message.isEmpty ? code : code.isEmpty ? message : "\(message) (\(code))"
    }
}
