import Synchronization

/// Holds every series there is and writes them in Prometheus' text format (version 0.0.4).
///
/// A label set comes from callers, so their number is bounded: a family that has ``seriesMax`` of them counts all further ones in
/// one series whose labels say `other`.
package final class PrometheusRegistry: Sendable {
    /// Enough for every route and status class; a bound on what a scrape costs.
    package static let seriesMax = 500
    static let familiesMax = 500

    enum Kind: String, Sendable {
        case counter
        case gauge
        case histogram
    }

    typealias Labels = [(name: String, value: String)]

    private struct Family {
        var kind: Kind
        var series: [String: any Series] = [:]
    }

    private let families = Mutex<[String: Family]>([:])

    package init() {}

    /// The series of that name and these labels; the same one each time.
    func series<S: Series>(_ name: String, _ labels: Labels, _ kind: Kind, _ make: () -> S) -> S {
        let name = PrometheusText.name(name)
        let key = PrometheusText.labels(labels)
        return families.withLock { families in
            guard families[name] != nil || families.count < Self.familiesMax else { return make() }
            var family = families[name] ?? Family(kind: kind)
            if let known = family.series[key] as? S { return known }
            var place = key
            if family.series.count >= Self.seriesMax {
                place = PrometheusText.labels(labels.map { ($0.name, "other") })
                if let other = family.series[place] as? S { return other }
            }
            // A name that was made as another kind before: the newcomer counts for itself.
            guard family.kind == kind else { return make() }
            let series = make()
            family.series[place] = series
            families[name] = family
            return series
        }
    }

    /// All of it, sorted, as one text.
    package func exposition() -> String {
        let families = families.withLock { $0 }
        var text = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            if let meaning = MetricName.meanings[name] { text += "# HELP \(name) \(meaning)\n" }
            text += "# TYPE \(name) \(family.kind.rawValue)\n"
            for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
                series.write(name, labels, to: &text)
            }
        }
        return text
    }
}

/// One line, or for a histogram some lines, of the exposition.
protocol Series: Sendable, AnyObject {
    func write(_ name: String, _ labels: String, to text: inout String)
}

enum PrometheusText {
    /// Only what the format allows in a name.
    static func name(_ text: String) -> String {
        let cleaned = text.unicodeScalars.map { scalar -> Character in
            let isPlain =
                ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
                || ("0"..."9").contains(scalar) || scalar == "_" || scalar == ":"
            return isPlain ? Character(scalar) : "_"
        }
        return (cleaned.first?.isNumber ?? true ? "_" : "") + String(cleaned)
    }

    /// `a="x",b="y"`, sorted by name, escaped; empty without labels.
    static func labels(_ labels: PrometheusRegistry.Labels) -> String {
        labels.sorted { $0.name < $1.name }
            .map { name($0.name) + "=\"" + escape($0.value) + "\"" }
            .joined(separator: ",")
    }

    static func line(_ name: String, _ labels: String, _ value: String) -> String {
        labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    private static func escape(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars.prefix(200) {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
