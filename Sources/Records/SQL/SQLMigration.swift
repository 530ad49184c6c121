/// One step of the schema's history. Published steps never change; a new need is a new step.
package struct SQLMigration: Sendable {
    /// 1, 2, 3 … without gaps.
    package var version: Int
    package var name: String
    /// Statements in portable words: the types `INTEGER` (64 bits), `TEXT`, `BLOB`, and `IDENTITY` for a primary key that the database
    /// counts up and never gives out twice.
    package var statements: [String]

    package init(version: Int, name: String, statements: [String]) {
        self.version = version
        self.name = name
        self.statements = statements
    }
}

/// How an engine says the portable words of a migration.
package enum SQLDialect: Sendable {
    case sqlite
    case postgres

    /// Upper case in migrations is for words of SQL alone, so whole words can be replaced without parsing.
    package func translate(_ statement: String) -> String {
        let words: [String: String] =
            switch self {
            case .sqlite: ["IDENTITY": "INTEGER PRIMARY KEY AUTOINCREMENT"]
            case .postgres:
                [
                    "IDENTITY": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
                    "INTEGER": "BIGINT", "BLOB": "BYTEA",
                    // Bytewise, as SQLite compares: pages and prefixes rely on it.
                    "TEXT": "TEXT COLLATE \"C\"",
                ]
            }
        var result = ""
        var word = ""
        for character in statement + " " {
            if character.isLetter || character == "_" {
                word.append(character)
            } else {
                result += words[word] ?? word
                result.append(character)
                word = ""
            }
        }
        result.removeLast()
        return result
    }
}
