import BelfryPostgresClient
import BelfryPostgresProcess
import BelfrySimulation
import Synchronization
import Testing

@testable import BelfryPostgres

/// One server for all tests of a suite, each of which uses a schema of its own.
struct PostgresServer: SuiteTrait, TestScoping {
    @TaskLocal static var current: PostgresProcess?

    @concurrent func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let server = try await PostgresProcess()
        defer { server.remove() }
        try await Self.$current.withValue(server) { try await function() }
    }
}

extension Trait where Self == PostgresServer {
    static var postgres: Self { PostgresServer() }
}

/// A schema name that no test has had before.
func freshSchema() -> String {
    struct Count { static let made = Atomic<Int>(0) }
    return "case_\(Count.made.add(1, ordering: .relaxed).newValue)"
}

extension PostgresTimeline {
    static func on(
        _ server: PostgresProcess,
        _ clock: PostgresClock = .server,
        schema: String,
        owner: String = "test",
        seed: UInt64 = 1,
        change: (inout PostgresConfiguration) -> Void = { _ in }
    ) async throws -> PostgresTimeline {
        var configuration = PostgresConfiguration(owner: owner)
        configuration.schema = schema
        // Others may use the machine, too.
        configuration.commandTimeout = .seconds(60)
        configuration.patience = .seconds(120)
        change(&configuration)
        return try await open(
            try PostgresAddress(server.address()),
            configuration: configuration,
            clock: clock,
            seed: seed
        )
    }
}
