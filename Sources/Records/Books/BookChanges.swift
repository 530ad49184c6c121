import BelfryCore

/// An entry of a book that servers hold in memory, and when it was last written.
package struct BookChange: Sendable, Hashable {
    package enum Book: String, Sendable, Hashable {
        /// An account, or one of its flows.
        case accounts
        case topics
    }

    package var book: Book
    /// The key of the account or the topic, which may be gone.
    package var entry: String
    /// The changes of all books are counted together.
    package var number: Int

    package init(book: Book, entry: String, number: Int) {
        self.book = book
        self.entry = entry
        self.number = number
    }
}

extension Records {
    package var bookChanges: BookChanges { BookChanges(records: self) }
}

/// What was written to accounts, flows and topics, by whichever server. Every such write takes the next number in its own transaction, and writers
/// wait for each other: whoever has seen a number finds all that was written up to it.
package struct BookChanges: Sendable {
    /// At most so many come at once.
    package static let page = 1000

    let records: Records

    /// The number of the newest change; 0: there was none.
    package func newest() async throws(RecordsError) -> Int {
        try await records.database.read { session throws(RecordsError) in
            try session.row("SELECT coalesce(max(number), 0) FROM book_changes", [])?.integer(0)
                ?? 0
        }
    }

    /// What was changed after a number, in order; a full ``page``: there may be more.
    package func after(_ number: Int) async throws(RecordsError) -> [BookChange] {
        let rows = try await records.database.read { session throws(RecordsError) in
            try session.rows(
                """
                SELECT book, entry, number FROM book_changes
                WHERE number > ? ORDER BY number LIMIT ?
                """,
                [.integer(number), .integer(Self.page)]
            )
        }
        return try rows.map { row throws(RecordsError) in
            guard let book = BookChange.Book(rawValue: row.text(0)) else {
                throw RecordsError(.corrupt, "book: the stored word \(row.text(0)) is not known")
            }
            return BookChange(book: book, entry: row.text(1), number: row.integer(2))
        }
    }

    /// Notes, in the transaction of the write itself, that an entry is another than before.
    static func note(_ book: BookChange.Book, _ entry: String, _ session: any SQLSession)
        throws(RecordsError)
    {
        try session.run(
            """
            INSERT INTO book_changes (book, entry, number)
            VALUES (?, ?, (SELECT coalesce(max(number), 0) + 1 FROM book_changes))
            ON CONFLICT (book, entry) DO UPDATE SET number = excluded.number
            """,
            [.text(book.rawValue), .text(entry)]
        )
    }
}
