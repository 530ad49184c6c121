import BelfryCore
import BelfryPostgresClient
package import BelfryRecords

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension BelfryNode {
    /// Opens the records where the configuration says that they lie.
    ///
    /// - Throws: `RecordsError`, or ``StartFailure`` where settings and what lies in the folder do not fit.
    static func records(
        _ configuration: ServerConfiguration,
        _ folder: DataFolder,
        _ clock: any WallClock
    ) async throws -> Records {
        let key = try folder.secretKey(configuration)
        switch try recordsPlace(configuration) {
        case .file(let path):
            return try await Records.open(path: path, clock: clock, secretKey: key)
        case .postgres(let address, let schema):
            try await requireUnused(folder.records)
            return try await Records.open(
                postgres: address,
                schema: schema,
                clock: clock,
                secretKey: key
            )
        }
    }

    /// Where the configuration says that the records lie.
    package static func recordsPlace(_ configuration: ServerConfiguration) throws(StartFailure)
        -> Records.Place
    {
        guard !configuration.records.url.isEmpty else {
            return .file("\(configuration.data.folder)/records.sqlite")
        }
        do throws(PostgresFailure) {
            return .postgres(
                try PostgresAddress(configuration.records.url),
                schema: configuration.recordsSchema
            )
        } catch { throw StartFailure(.misconfigured, "records.url: \(error.message)") }
    }

    /// Records in the folder may stay beside others only where they were moved from there, or were to be moved to there and were not.
    private static func requireUnused(_ path: String) async throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        guard try await Records.areInUse(inFile: path) else { return }
        throw StartFailure(
            .misconfigured,
            "records.url names a PostgreSQL, but accounts and people are in \(path). Start without "
                + "records.url; `belfry records move` takes them to PostgreSQL. Or use another data.folder."
        )
    }
}

extension ServerConfiguration {
    /// Where the records lie in PostgreSQL, beside the schema of the timeline.
    package var recordsSchema: String { timeline.prefix + "_records" }
}
