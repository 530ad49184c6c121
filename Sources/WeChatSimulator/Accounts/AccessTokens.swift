/// The access tokens of one account: the classic one and the stable one, which do not void each other.
///
/// Rules: official pages "获取接口调用凭据" and "获取稳定版接口调用凭据".
struct AccessTokens: Sendable {
    struct Issued: Sendable, Hashable {
        var text: String
        /// Seconds that are left.
        var expiresIn: Int64
    }

    enum Standing: Sendable, Hashable {
        case alive
        case expired
        /// A newer one took its place.
        case voided
        case unknown
    }

    private struct Record: Sendable {
        /// Milliseconds since 1970 of its natural end.
        var expiresAt: Int64
        /// From then on another one has taken its place.
        var voidedAt: Int64 = .max
    }

    static let lifetime: Int64 = 7200 * 1000
    /// How long an old token still works beside the new one, and how early the stable one is renewed.
    static let overlap: Int64 = 300 * 1000
    static let forcesPerDay = 20
    static let forceSpacing: Int64 = 30 * 1000

    private var records: [String: Record] = [:]
    private var order: [String] = []
    private var classic: String?
    private var stable: String?
    private var forces = (day: Int64.min, count: 0, last: Int64.min)

    /// The classic call: always a new token; the one before it works for 5 more minutes.
    mutating func fetch(at now: Int64, named text: String) -> Issued {
        if let classic { void(classic, at: now + Self.overlap) }
        classic = text
        return issue(text, at: now)
    }

    /// The stable call in normal mode: the same token until its last 5 minutes, in which both work.
    mutating func fetchStable(at now: Int64, named text: String) -> Issued {
        if let current = currentStable(at: now) { return current }
        stable = text
        return issue(text, at: now)
    }

    enum ForceRefusal: Error { case dailyLimit }

    /// The stable call with `force_refresh`: the old token dies at once. Less than 30 s after the last one it changes nothing.
    mutating func forceStable(
        at now: Int64,
        named text: String
    ) throws(ForceRefusal) -> Issued {
        if forces.last != .min, now - forces.last < Self.forceSpacing, now >= forces.last,
            let current = currentStable(at: now)
        {
            return current
        }
        let today = CallBudget.day(of: now)
        if forces.day != today { forces = (today, 0, forces.last) }
        if forces.count >= Self.forcesPerDay { throw .dailyLimit }
        forces = (today, forces.count + 1, now)
        if let stable { void(stable, at: now) }
        stable = text
        return issue(text, at: now)
    }

    func standing(of text: String, at now: Int64) -> Standing {
        guard let record = records[text] else { return .unknown }
        if now >= record.expiresAt { return .expired }
        return now >= record.voidedAt ? .voided : .alive
    }

    /// Voids every token, as when the secret is reset.
    mutating func voidAll(at now: Int64) {
        for text in order { void(text, at: now) }
        classic = nil
        stable = nil
    }

    private func currentStable(at now: Int64) -> Issued? {
        guard let stable, let record = records[stable], record.voidedAt > now,
            record.expiresAt - now > Self.overlap
        else { return nil }
        return Issued(text: stable, expiresIn: (record.expiresAt - now) / 1000)
    }

    private mutating func issue(_ text: String, at now: Int64) -> Issued {
        records[text] = Record(expiresAt: now + Self.lifetime)
        order.append(text)
        // Old ones are only remembered for the wording of the refusal.
        if order.count > 256 {
            for old in order.prefix(128) { records[old] = nil }
            order.removeFirst(128)
        }
        return Issued(text: text, expiresIn: Self.lifetime / 1000)
    }

    private mutating func void(_ text: String, at moment: Int64) {
        guard let record = records[text] else { return }
        records[text]?.voidedAt = min(record.voidedAt, moment)
    }
}
