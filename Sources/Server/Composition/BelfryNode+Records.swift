import BelfryCore
import BelfryPostgresClient
import BelfryRecords

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
        guard !configuration.records.url.isEmpty else {
            return try await Records.open(path: folder.records, clock: clock, secretKey: key)
        }
        guard !FileManager.default.fileExists(atPath: folder.records) else {
            throw StartFailure(
                .misconfigured,
                "records.url names a PostgreSQL, but accounts and people are in \(folder.records). Start without "
                    + "records.url, or use another data.folder."
            )
        }
        let address: PostgresAddress
        do throws(PostgresFailure) {
            address = try PostgresAddress(configuration.records.url)
        } catch {
            throw StartFailure(.misconfigured, "records.url: \(error.message)")
        }
        return try await Records.open(
            postgres: address,
            schema: configuration.recordsSchema,
            clock: clock,
            secretKey: key
        )
    }
}

extension ServerConfiguration {
    /// Where the records lie in PostgreSQL, beside the schema of the timeline.
    package var recordsSchema: String { timeline.prefix + "_records" }
}
