import BelfryCore
import BelfryPostgresClient
import BelfryPostgresProcess
import BelfryRecords
import BelfryTestSupport
import Foundation
import Synchronization
import Testing

/// Runs each test of a suite on every database that the records know: SQLite, then PostgreSQL.
struct EachDatabase: SuiteTrait, TestTrait, TestScoping {
    let isRecursive = true
    /// The PostgreSQL of the test that runs; `nil`: it runs on SQLite.
    @TaskLocal static var store: PostgresStore?

    @concurrent func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await function()
        let store = PostgresStore(try await SharedPostgres.shared.server())
        do { try await Self.$store.withValue(store) { try await function() } } catch {
            await store.close()
            throw error
        }
        await store.close()
    }
}

extension Trait where Self == EachDatabase {
    static var eachDatabase: Self { EachDatabase() }
}

/// What one test has in PostgreSQL: closed at its end, since connections are few.
final class PostgresStore: Sendable {
    private let server: PostgresProcess
    private let opened = Mutex<[Records]>([])
    private static let schemas = Atomic<Int>(0)

    init(_ server: PostgresProcess) { self.server = server }

    /// On the server of all suites.
    static func shared() async throws -> PostgresStore {
        PostgresStore(try await SharedPostgres.shared.server())
    }

    func place(_ schema: String) throws -> Records.Place {
        .postgres(try PostgresAddress(server.address()), schema: schema)
    }

    func newSchema() -> String {
        "records_\(Self.schemas.add(1, ordering: .relaxed).newValue)"
    }

    func open(_ schema: String, _ clock: any WallClock, _ key: [UInt8]) async throws -> Records {
        let records = try await Records.open(
            postgres: try PostgresAddress(server.address()),
            schema: schema,
            clock: clock,
            secretKey: key
        )
        opened.withLock { $0.append(records) }
        return records
    }

    func database(_ schema: String) throws -> any SQLDatabase {
        try PostgresDatabase(try PostgresAddress(server.address()), schema: schema)
    }

    func close() async {
        let records = opened.withLock { $0 }
        for records in records { await records.close() }
    }
}

/// One server for all suites, which goes with the test process.
private actor SharedPostgres {
    static let shared = SharedPostgres()
    private var starting: Task<PostgresProcess, any Error>?

    func server() async throws -> PostgresProcess {
        if let starting { return try await starting.value }
        let task = Task {
            let server = try await PostgresProcess()
            atExit { server.remove() }
            return server
        }
        starting = task
        return try await task.value
    }
}
