/// The band a due push waits in; within a band the earlier due time goes first (promise T7).
package enum Priority: UInt8, Sendable, Hashable, Comparable, CaseIterable {
    case urgent = 0
    case high = 1
    case normal = 2
    case low = 3

    package static func < (a: Priority, b: Priority) -> Bool { a.rawValue < b.rawValue }

    package var name: String {
        switch self {
        case .urgent: "urgent"
        case .high: "high"
        case .normal: "normal"
        case .low: "low"
        }
    }

    package init?(name: String) {
        guard let match = Priority.allCases.first(where: { $0.name == name }) else { return nil }
        self = match
    }
}

extension Priority: Codable {
    package init(from decoder: any Decoder) throws {
        let name = try decoder.singleValueContainer().decode(String.self)
        guard let priority = Priority(name: name) else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "'\(name)' is not one of urgent, high, normal, low"
                )
            )
        }
        self = priority
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }
}
