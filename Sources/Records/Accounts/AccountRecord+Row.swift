extension AccountRecord {
    private static let columns = [
        "account", "kind", "name", "app_id", "original_id", "mode", "secret", "token", "aes_key",
        "previous_aes_key", "webhook_secret", "time_zone", "rules", "rules_table", "combine",
        "base_url", "webhook_url", "public_url", "rate", "concurrency", "daily_quota",
        "unknown_policy", "paused", "quiet_hours", "updated", "created",
    ]

    static let select = "SELECT " + columns.joined(separator: ", ") + " FROM accounts"

    /// Replaces everything but the key and when it was made.
    static let upsert: String = {
        let marks = columns.map { _ in "?" }.joined(separator: ", ")
        let sets = columns.dropFirst().dropLast().map { "\($0) = excluded.\($0)" }
        return """
            INSERT INTO accounts (\(columns.joined(separator: ", "))) VALUES (\(marks))
            ON CONFLICT (account) DO UPDATE SET \(sets.joined(separator: ", "))
            RETURNING created
            """
    }()

    func values(sealedBy seal: SecretSeal) throws(RecordsError) -> [SQLValue] {
        var sealed: [SQLValue] = []
        for (field, secret) in secrets {
            guard let secret else {
                sealed.append(.null)
                continue
            }
            sealed.append(.blob(try seal.seal(secret, place: "accounts/\(key)/\(field)")))
        }
        var preset = "own"
        var table: String?
        switch rules {
        case .preset(let name): preset = name
        case .table(let json): table = json
        }
        return [
            .text(key), .text(kind.rawValue), .text(name), .text(appID), .text(originalID),
            .text(mode.rawValue),
        ] + sealed + [
            .text(timeZone), .text(preset), .text(table), .text(combine.rawValue),
            .text(baseURL), .text(webhookURL), .text(publicURL), .integer(rate ?? 0),
            .integer(concurrency), .integer(dailyQuota), .text(unknownPolicy.rawValue),
            .text(paused), .text(quietHours), .time(updated), .time(created),
        ]
    }

    init(_ row: SQLRow, sealedBy seal: SecretSeal) throws(RecordsError) {
        let key = row.text(0)
        func opened(_ column: Int, _ field: String) throws(RecordsError) -> Secret? {
            guard let sealed = row.optionalBlob(column) else { return nil }
            return try seal.open(sealed, place: "accounts/\(key)/\(field)")
        }
        self.init(key: key, kind: try value(row.text(1), "kind"))
        name = row.text(2)
        appID = row.text(3)
        originalID = row.text(4)
        mode = try value(row.text(5), "mode")
        secret = try opened(6, "secret")
        token = try opened(7, "token")
        encodingAESKey = try opened(8, "aes_key")
        previousEncodingAESKey = try opened(9, "previous_aes_key")
        webhookSecret = try opened(10, "webhook_secret")
        timeZone = row.text(11)
        rules = row.optionalText(13).map { .table($0) } ?? .preset(row.text(12))
        combine = try value(row.text(14), "combine")
        baseURL = row.optionalText(15)
        webhookURL = row.optionalText(16)
        publicURL = row.optionalText(17)
        // The column takes no null, and nobody sends at a rate of zero.
        rate = row.integer(18) == 0 ? nil : row.integer(18)
        concurrency = row.integer(19)
        dailyQuota = row.optionalInteger(20)
        unknownPolicy = try value(row.text(21), "unknown_policy")
        paused = row.optionalText(22)
        quietHours = row.optionalText(23)
        updated = row.time(24)
        created = row.time(25)
    }
}

/// A word of a closed list, as it was stored.
///
/// - Throws: `corrupt` where the list has no such word.
func value<Word: RawRepresentable>(_ text: String, _ field: String) throws(RecordsError) -> Word
where Word.RawValue == String {
    guard let word = Word(rawValue: text) else {
        throw RecordsError(.corrupt, "\(field): the stored word \(text) is not known")
    }
    return word
}
