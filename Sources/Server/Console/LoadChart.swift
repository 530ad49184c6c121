import BelfryCore

/// The load of the time ahead as inline SVG: one bar a bucket, the capacity as a dashed line, what lies above it in red.
struct LoadChart {
    let from: Timestamp
    let bucket: Duration
    let counts: [Int]
    /// What can be sent in one bucket; `nil`: no limit.
    let capacity: Int?

    private static let width = 1000
    private static let height = 190
    private static let left = 46
    private static let top = 10
    private static let bottom = 24

    /// Only numbers go in, so nothing need be escaped.
    func svg(title: String) -> String {
        let most = Self.rounded(max(counts.max() ?? 0, 1))
        let plotHeight = Self.height - Self.top - Self.bottom
        func y(_ value: Int) -> Double {
            let share = min(1, Double(value) / Double(most))
            return Double(Self.top) + Double(plotHeight) * (1 - share)
        }
        var parts = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" role=\"img\" aria-label=\""
                + HTMLText.escape(title)
                + "\" viewBox=\"0 0 \(Self.width) \(Self.height)\">"
        ]
        for value in [0, most / 2, most] where value == 0 || value != most / 2 || most > 1 {
            let line = Self.text(y(value))
            parts.append(
                "<line class=\"axis\" x1=\"\(Self.left)\" x2=\"\(Self.width)\" y1=\"\(line)\" "
                    + "y2=\"\(line)\"/><text x=\"\(Self.left - 6)\" y=\"\(line)\" "
                    + "text-anchor=\"end\" dominant-baseline=\"middle\">\(value)</text>"
            )
        }
        let step = Double(Self.width - Self.left) / Double(max(1, counts.count))
        for (index, count) in counts.enumerated() where count > 0 {
            let x = Double(Self.left) + Double(index) * step
            let height = max(1.5, y(0) - y(count))
            let over = capacity.map { count > $0 } ?? false
            let start = from + .milliseconds(bucket.milliseconds * Int64(index))
            parts.append(
                "<rect class=\"bar\(over ? " over" : "")\" x=\"\(Self.text(x + 0.5))\" "
                    + "y=\"\(Self.text(y(0) - height))\" width=\"\(Self.text(max(1, step - 1.5)))\" "
                    + "height=\"\(Self.text(height))\"><title>\(TimeText.render(start)): \(count)"
                    + "</title></rect>"
            )
        }
        if let capacity, capacity <= most {
            let line = Self.text(y(capacity))
            parts.append(
                "<line class=\"capacity\" x1=\"\(Self.left)\" x2=\"\(Self.width)\" y1=\"\(line)\" "
                    + "y2=\"\(line)\"/>"
            )
        }
        parts += labels(step)
        return parts.joined() + "</svg>"
    }

    /// A time every six hours; the browser writes it in its own zone.
    private func labels(_ step: Double) -> [String] {
        let every = max(1, Int(Duration.hours(6).milliseconds / max(1, bucket.milliseconds)))
        return stride(from: 0, to: counts.count, by: every).map { index in
            let time = from + .milliseconds(bucket.milliseconds * Int64(index))
            let x = Self.text(Double(Self.left) + Double(index) * step)
            return "<text x=\"\(x)\" y=\"\(Self.height - 7)\" data-time=\"\(time.milliseconds)\">"
                + "\(TimeText.render(time).dropFirst(11).prefix(5))</text>"
        }
    }

    /// The next of 1, 2, 5, 10, 20, 50 …
    static func rounded(_ value: Int) -> Int {
        var scale = 1
        while true {
            for factor in [1, 2, 5] where factor * scale >= value { return factor * scale }
            let (next, overflow) = scale.multipliedReportingOverflow(by: 10)
            if overflow { return value }
            scale = next
        }
    }

    private static func text(_ value: Double) -> String { String((value * 10).rounded() / 10) }
}
