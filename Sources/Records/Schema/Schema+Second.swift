extension Schema {
    static let second = SQLMigration(
        version: 2,
        name: "dead letters, keys, audit, settings, media, retention",
        statements: [
            """
            CREATE TABLE dead_letters (
                id IDENTITY, push TEXT NOT NULL, sequence INTEGER NOT NULL,
                account TEXT NOT NULL, person TEXT NOT NULL,
                packed BLOB NOT NULL, attempts INTEGER NOT NULL, at INTEGER NOT NULL,
                code TEXT NOT NULL, message TEXT NOT NULL, remedy TEXT NOT NULL,
                state TEXT NOT NULL, ended INTEGER,
                UNIQUE (push, sequence))
            """,
            "CREATE INDEX dead_letters_by_code ON dead_letters (state, account, code, id)",
            "CREATE INDEX dead_letters_by_person ON dead_letters (account, person)",
            "CREATE INDEX dead_letters_by_end ON dead_letters (ended) WHERE ended IS NOT NULL",
            """
            CREATE TABLE api_keys (
                id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, hash BLOB NOT NULL UNIQUE,
                scopes TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER,
                revoked INTEGER, last_used INTEGER)
            """,
            """
            CREATE TABLE idempotency (
                dedupe_key TEXT NOT NULL PRIMARY KEY, fingerprint BLOB NOT NULL,
                begun INTEGER NOT NULL, status INTEGER, body BLOB)
            """,
            "CREATE INDEX idempotency_by_age ON idempotency (begun)",
            """
            CREATE TABLE audit (
                id IDENTITY, at INTEGER NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL,
                subject TEXT NOT NULL, before_state TEXT, after_state TEXT)
            """,
            "CREATE INDEX audit_by_time ON audit (at, id)",
            "CREATE INDEX audit_by_subject ON audit (subject, at, id)",
            """
            CREATE TABLE settings (
                name TEXT NOT NULL, version INTEGER NOT NULL, value TEXT NOT NULL,
                at INTEGER NOT NULL, who TEXT NOT NULL,
                PRIMARY KEY (name, version))
            """,
            """
            CREATE TABLE media (
                app_id TEXT NOT NULL, hash BLOB NOT NULL, kind TEXT NOT NULL,
                media_id TEXT NOT NULL, created INTEGER NOT NULL,
                PRIMARY KEY (app_id, hash, kind))
            """,
            "CREATE INDEX media_by_age ON media (created)",
            "CREATE INDEX counters_by_age ON counters (span, start)",
            """
            CREATE INDEX people_by_unsubscription ON people (unsubscribed_at)
                WHERE subscribed = 0
            """,
        ]
    )
}
