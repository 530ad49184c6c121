/// What of a move PostgreSQL says in its own words.
struct PostgresMoving: MovingWords {
    let tables = """
        SELECT CAST(c.relname AS text), CAST(a.attname AS text), format_type(a.atttypid, NULL),
            coalesce(array_position(CAST(i.indkey AS int2[]), a.attnum) + 1, 0),
            a.attidentity <> ''
        FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
        WHERE c.relkind = 'r' AND c.relnamespace = to_regnamespace(current_schema())
        ORDER BY c.relname COLLATE "C", a.attnum
        """

    func watch(_ table: SQLTable) -> [String] {
        func note(_ version: String) -> String {
            let key = table.key.map { "\(version).\($0.name)" }.joined(separator: ", ")
            return "INSERT INTO \(table.changes) (\(table.keyNames)) VALUES (\(key));"
        }
        return [
            SQLDialect.postgres.translate(table.changesTable),
            """
            CREATE FUNCTION changed_\(table.name)() RETURNS trigger LANGUAGE plpgsql
            SET search_path FROM CURRENT AS '
            BEGIN
                IF TG_OP <> ''INSERT'' THEN \(note("OLD")) END IF;
                IF TG_OP <> ''DELETE'' THEN \(note("NEW")) END IF;
                RETURN NULL;
            END'
            """,
            """
            CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON \(table.name)
            FOR EACH ROW EXECUTE FUNCTION changed_\(table.name)()
            """,
        ]
    }

    func unwatch(_ table: SQLTable) -> [String] {
        [
            "DROP FUNCTION IF EXISTS changed_\(table.name)() CASCADE",
            "DROP TABLE IF EXISTS \(table.changes)",
        ]
    }

    func unfence(_ table: SQLTable) -> [String] {
        ["DROP FUNCTION IF EXISTS moved_\(table.name)() CASCADE"]
    }

    func fence(_ table: SQLTable) -> [String] {
        [
            """
            CREATE FUNCTION moved_\(table.name)() RETURNS trigger LANGUAGE plpgsql AS '
            BEGIN RAISE EXCEPTION ''the records have moved''; END'
            """,
            """
            CREATE TRIGGER moved BEFORE INSERT OR UPDATE OR DELETE ON \(table.name)
            FOR EACH STATEMENT EXECUTE FUNCTION moved_\(table.name)()
            """,
        ]
    }

    func insertion(into table: SQLTable) -> String {
        let overriding = table.counted == nil ? "" : " OVERRIDING SYSTEM VALUE"
        return "INSERT INTO \(table.name) (\(table.names))\(overriding) VALUES"
    }

    /// A counter that never counted has a last value of 1 that was not given out.
    func counter(of table: SQLTable, column: String) -> (read: String, set: [String]) {
        let sequence = "\(table.name)_\(column)_seq"
        return (
            "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM \(sequence)",
            [
                """
                SELECT setval('\(sequence)', greatest(CAST(? AS bigint), 1), CAST(? AS bigint) > 0)
                """
            ]
        )
    }
}
