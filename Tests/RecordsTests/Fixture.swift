import BelfryCore
import BelfryRecords
import BelfrySimulation
import Foundation

/// Records of their own: in a folder that goes when the fixture goes, or in a schema of a PostgreSQL (``EachDatabase``).
final class Fixture: Sendable {
    let folder: String
    let clock = ManualClock()
    let records: Records
    /// Where they lie in PostgreSQL; `nil`: in the folder.
    private let schema: String?

    static let secretKey: [UInt8] = Array(0..<32)

    var path: String { folder + "/records.sqlite" }
    var isPostgres: Bool { schema != nil }

    init(bytesLimit: Int? = nil) async throws {
        folder = Self.newFolder()
        if let store = EachDatabase.store {
            let name = store.newSchema()
            schema = name
            records = try await store.open(name, clock, Self.secretKey)
            return
        }
        schema = nil
        records = try await Records.open(
            path: folder + "/records.sqlite",
            clock: clock,
            secretKey: Self.secretKey,
            bytesLimit: bytesLimit
        )
    }

    /// Another opening of the same records, as after a restart.
    func reopen(secretKey: [UInt8] = Fixture.secretKey) async throws -> Records {
        if let schema, let store = EachDatabase.store {
            return try await store.open(schema, clock, secretKey)
        }
        return try await Records.open(path: path, clock: clock, secretKey: secretKey)
    }

    /// The database alone, to look behind the records.
    func database() throws -> any SQLDatabase {
        if let schema, let store = EachDatabase.store { return try store.database(schema) }
        return try SQLiteDatabase(path: path)
    }

    /// All that is stored, to look for what must not be there.
    func stored() async throws -> Data {
        guard isPostgres else {
            var bytes = Data()
            for file in try FileManager.default.contentsOfDirectory(atPath: folder) {
                bytes += try Data(contentsOf: URL(filePath: folder + "/" + file))
            }
            return bytes
        }
        let database = try database()
        let values = try await database.read { session throws(RecordsError) in
            let tables = try session.rows(
                "SELECT CAST(relname AS text) FROM pg_class WHERE relkind = 'r' AND relnamespace = to_regnamespace(current_schema())",
                []
            )
            var values: [SQLValue] = []
            for table in tables {
                guard case .text(let name) = table.values[0] else { continue }
                values += try session.rows("SELECT * FROM \(name)", []).flatMap(\.values)
            }
            return values
        }
        await database.close()
        return values.reduce(into: Data()) { bytes, value in
            switch value {
            case .text(let text): bytes += Data(text.utf8)
            case .blob(let blob): bytes += Data(blob)
            case .null, .integer: break
            }
        }
    }

    static func newFolder() -> String {
        FileManager.default.temporaryDirectory.path + "/belfry-records-\(UUID().uuidString)"
    }

    deinit {
        // A folder that stays behind in the temporary directory harms nobody.
        try? FileManager.default.removeItem(atPath: folder)
    }
}

/// The error that `body` throws; `nil` if it throws none.
func failure(_ body: () async throws -> Void) async -> RecordsError? {
    do {
        try await body()
        return nil
    } catch { return error as? RecordsError }
}

extension Recipient {
    static let anna = Recipient(account: "shop", person: "oAnna")
    static let bert = Recipient(account: "shop", person: "oBert")
}

extension Grant {
    static func follow(at time: Timestamp, used: Int = 0) -> Grant {
        Grant(
            source: "follow",
            granted: time,
            expires: time + .minutes(1),
            quota: 3,
            used: used,
            rule: "wechat-2023"
        )
    }
}
