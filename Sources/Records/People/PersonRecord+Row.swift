import BelfryCore
import Foundation

extension PersonRecord {
    private static let columns = [
        "account", "person", "subscribed", "subscription_at", "followed_at", "unsubscribed_at",
        "scene", "nickname", "tags", "attributes", "last_message_at", "last_event_at", "grants",
        "updated", "created",
    ]

    static let select = "SELECT " + columns.joined(separator: ", ") + " FROM people"
    private static let byPerson = ManyPairs(columns, of: "people", by: ("account", "person"))
    private static let upsert = MultiRow(
        "INSERT INTO people (\(columns.joined(separator: ", "))) VALUES",
        columns: columns.count,
        "ON CONFLICT (account, person) DO UPDATE SET "
            + columns.dropFirst(2).dropLast().map { "\($0) = excluded.\($0)" }
            .joined(separator: ", ")
    )

    /// The people among `recipients` that are known.
    static func load(_ recipients: [Recipient], _ session: any SQLSession) throws(RecordsError)
        -> [Recipient: PersonRecord]
    {
        var people: [Recipient: PersonRecord] = [:]
        let keys = Set(recipients).map { ($0.account, $0.person) }
        for row in try byPerson.rows(session, keys) {
            let person = try PersonRecord(row)
            people[person.recipient] = person
        }
        return people
    }

    static func save(_ people: [PersonRecord], _ session: any SQLSession) throws(RecordsError) {
        var values: [SQLValue] = []
        values.reserveCapacity(people.count * columns.count)
        for person in people {
            try person.validate()
            values += person.values
        }
        try upsert.run(session, values)
    }

    private var values: [SQLValue] {
        [
            .text(recipient.account), .text(recipient.person), .flag(subscribed),
            .time(subscriptionAt), .time(followedAt), .time(unsubscribedAt), .text(scene),
            .text(nickname), .text(tags.isEmpty ? "[]" : json(tags)),
            .text(attributes.isEmpty ? "{}" : json(attributes)), .time(lastMessageAt),
            .time(lastEventAt),
            .blob(grants.isEmpty && uses.isEmpty ? nil : GrantCode.pack(grants, uses)),
            .time(updated), .time(created),
        ]
    }

    init(_ row: SQLRow) throws(RecordsError) {
        self.init(
            recipient: Recipient(account: row.text(0), person: row.text(1)),
            created: row.time(14)
        )
        subscribed = row.flag(2)
        subscriptionAt = row.optionalTime(3)
        followedAt = row.optionalTime(4)
        unsubscribedAt = row.optionalTime(5)
        scene = row.optionalText(6)
        nickname = row.optionalText(7)
        if row.text(8) != "[]" { tags = try decoded(row.text(8), "tags") }
        if row.text(9) != "{}" { attributes = try decoded(row.text(9), "attributes") }
        lastMessageAt = row.optionalTime(10)
        lastEventAt = row.optionalTime(11)
        if let packed = row.optionalBlob(12) { (grants, uses) = try GrantCode.unpack(packed) }
        updated = row.time(13)
    }
}

/// Small JSON documents with their keys in order, so that equal values are equal texts.
func json(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Texts and lists of texts, nothing else, are encoded here: that cannot fail.
    guard let data = try? encoder.encode(value) else { return "null" }
    return String(decoding: data, as: UTF8.self)
}

func decoded<Value: Decodable>(_ text: String, _ field: String) throws(RecordsError) -> Value {
    do { return try JSONDecoder().decode(Value.self, from: Data(text.utf8)) } catch {
        throw RecordsError(.corrupt, "\(field): the stored JSON cannot be read")
    }
}
