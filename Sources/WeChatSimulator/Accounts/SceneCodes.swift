/// The QR codes with a scene of one account.
struct SceneCodes: Sendable {
    struct Code: Sendable, Hashable {
        var scene: String
        /// Milliseconds since 1970; nil for a permanent code.
        var expiresAt: Int64?
    }

    static let capacity = 100_000

    private var codes: [String: Code] = [:]
    private var order: [String] = []

    mutating func add(_ code: Code, ticket: String) {
        codes[ticket] = code
        order.append(ticket)
        if order.count > Self.capacity * 2 {
            for old in order.prefix(Self.capacity) { codes[old] = nil }
            order.removeFirst(Self.capacity)
        }
    }

    func code(_ ticket: String, at now: Int64) -> Code? {
        guard let code = codes[ticket], code.expiresAt.map({ now < $0 }) ?? true else {
            return nil
        }
        return code
    }
}
