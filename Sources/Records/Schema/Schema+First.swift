extension Schema {
    static let first = SQLMigration(
        version: 1,
        name: "accounts, people, intake, flows, deliveries",
        statements: [
            """
            CREATE TABLE seals (name TEXT NOT NULL PRIMARY KEY, sealed BLOB NOT NULL)
            """,
            """
            CREATE TABLE accounts (
                account TEXT NOT NULL PRIMARY KEY,
                kind TEXT NOT NULL, name TEXT NOT NULL, app_id TEXT NOT NULL,
                original_id TEXT NOT NULL, mode TEXT NOT NULL,
                secret BLOB, token BLOB, aes_key BLOB, previous_aes_key BLOB, webhook_secret BLOB,
                time_zone TEXT NOT NULL, rules TEXT NOT NULL, rules_table TEXT,
                combine TEXT NOT NULL, base_url TEXT, webhook_url TEXT, public_url TEXT,
                rate INTEGER NOT NULL, concurrency INTEGER NOT NULL, daily_quota INTEGER,
                unknown_policy TEXT NOT NULL, paused TEXT, quiet_hours TEXT,
                created INTEGER NOT NULL, updated INTEGER NOT NULL)
            """,
            """
            CREATE TABLE people (
                account TEXT NOT NULL, person TEXT NOT NULL,
                subscribed INTEGER NOT NULL, subscription_at INTEGER,
                followed_at INTEGER, unsubscribed_at INTEGER, scene TEXT,
                nickname TEXT, tags TEXT NOT NULL, attributes TEXT NOT NULL,
                last_message_at INTEGER, last_event_at INTEGER, grants BLOB,
                created INTEGER NOT NULL, updated INTEGER NOT NULL,
                PRIMARY KEY (account, person))
            """,
            """
            CREATE TABLE reservations (
                push TEXT NOT NULL, sequence INTEGER NOT NULL,
                account TEXT NOT NULL, person TEXT NOT NULL,
                source TEXT NOT NULL, granted INTEGER NOT NULL, made INTEGER NOT NULL,
                PRIMARY KEY (push, sequence))
            """,
            "CREATE INDEX reservations_by_person ON reservations (account, person)",
            "CREATE INDEX reservations_by_age ON reservations (made)",
            // The time leads: new callbacks touch the newest page alone, and a purge takes the oldest pages whole.
            """
            CREATE TABLE inbound (
                at INTEGER NOT NULL, dedupe_key TEXT NOT NULL,
                first_seen INTEGER NOT NULL, answer BLOB,
                PRIMARY KEY (at, dedupe_key))
            """,
            """
            CREATE TABLE flows (
                account TEXT NOT NULL, flow TEXT NOT NULL, state TEXT NOT NULL,
                newest INTEGER NOT NULL, published INTEGER, updated INTEGER NOT NULL,
                PRIMARY KEY (account, flow))
            """,
            """
            CREATE TABLE flow_versions (
                account TEXT NOT NULL, flow TEXT NOT NULL, version INTEGER NOT NULL,
                yaml TEXT NOT NULL, policy TEXT NOT NULL, note TEXT NOT NULL,
                created INTEGER NOT NULL, published_at INTEGER, published_by TEXT,
                PRIMARY KEY (account, flow, version))
            """,
            """
            CREATE TABLE links (
                code TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL, person TEXT NOT NULL,
                url TEXT NOT NULL, push TEXT NOT NULL, flow TEXT, step TEXT,
                created INTEGER NOT NULL, clicks INTEGER NOT NULL, last_click INTEGER)
            """,
            "CREATE INDEX links_by_person ON links (account, person)",
            "CREATE INDEX links_by_age ON links (created)",
            """
            CREATE TABLE deliveries (
                id IDENTITY, push TEXT NOT NULL, sequence INTEGER NOT NULL,
                attempt INTEGER NOT NULL, state TEXT NOT NULL,
                account TEXT NOT NULL, person TEXT NOT NULL, flow TEXT, step TEXT,
                channel TEXT NOT NULL, due INTEGER NOT NULL, at INTEGER NOT NULL,
                code TEXT NOT NULL, message TEXT NOT NULL, remedy TEXT NOT NULL,
                lateness INTEGER, reference TEXT,
                UNIQUE (push, sequence, attempt, state))
            """,
            "CREATE INDEX deliveries_by_time ON deliveries (at, id)",
            "CREATE INDEX deliveries_by_person ON deliveries (account, person, at, id)",
            "CREATE INDEX deliveries_by_state ON deliveries (account, state, at, id)",
            """
            CREATE INDEX deliveries_by_flow ON deliveries (account, flow, at, id)
                WHERE flow IS NOT NULL
            """,
            """
            CREATE TABLE counters (
                account TEXT NOT NULL, span INTEGER NOT NULL, start INTEGER NOT NULL,
                name TEXT NOT NULL, value INTEGER NOT NULL,
                PRIMARY KEY (account, span, start, name))
            """,
        ]
    )
}
