import BelfryRecords
import Foundation
import Testing

@Suite("Portable SQL")
struct PortabilityTests {
    @Test("the schema in PostgreSQL's words has its types and none of SQLite's")
    func postgres() {
        for migration in Schema.migrations {
            for statement in migration.statements {
                let words = SQLDialect.postgres.translate(statement)
                    .split { !$0.isLetter && $0 != "_" }.map(String.init)
                for word in ["INTEGER", "BLOB", "IDENTITY_", "AUTOINCREMENT", "ROWID", "WITHOUT"] {
                    #expect(!words.contains(word), "\(word) in \(statement)")
                }
            }
        }
        #expect(
            SQLDialect.postgres.translate("CREATE TABLE t (id IDENTITY, n INTEGER, b BLOB, s TEXT)")
                == """
                CREATE TABLE t (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n BIGINT, b BYTEA, s TEXT COLLATE "C")
                """
        )
        #expect(
            SQLDialect.sqlite.translate("CREATE TABLE t (id IDENTITY, n INTEGER)")
                == "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER)"
        )
    }

    @Test(
        "no SQL outside the engines uses what one of them alone knows, nor does GRDB leave its own"
    )
    func sources() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Sources/Records")
        let files = try FileManager.default.subpathsOfDirectory(atPath: root.path())
            .filter {
                $0.hasSuffix(".swift") && !$0.hasPrefix("SQLite/") && !$0.hasPrefix("PostgreSQL/")
            }
        #expect(files.count > 20)
        let banned = [
            "import GRDB", "PRAGMA", "INSERT OR", "REPLACE INTO", "rowid", "GLOB", "ifnull(",
            "datetime(", "strftime(", "pg_", "ILIKE", "json_", "last_insert", "changes()",
            "typeof(", "NOCASE",
        ]
        for file in files {
            let text = try String(contentsOf: root.appending(path: file), encoding: .utf8)
            for word in banned { #expect(!text.contains(word), "\(file): \(word)") }
        }
    }
}
