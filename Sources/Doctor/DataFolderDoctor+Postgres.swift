import BelfryCore
import BelfryPostgres
import BelfryPostgresClient
import BelfryRecords
import BelfryServer

/// The PostgreSQL that keeps the pushes, where the configuration names one: whether it can be reached, and whether it keeps what it accepts.
extension DataFolderDoctor {
    func postgres() async -> [Diagnosis] {
        let url = configuration.timeline.url
        guard PostgresAddress.isOne(url) else { return [] }
        do {
            let address = try PostgresAddress(url)
            let findings = try await PostgresAudit.findings(of: address)
            guard findings.isEmpty else { return findings.map(Self.diagnosis) }
            return [Diagnosis("timeline", .well, "\(address) keeps what it accepts")]
        } catch {
            return [
                Diagnosis(
                    "timeline",
                    .damaged,
                    (error as? TimelineError)?.message ?? "\(error)",
                    remedy:
                        "See to it that the server runs, and that timeline.url names it and a user who may log in."
                )
            ]
        }
    }

    /// The records, where they lie in PostgreSQL: every row is read, nothing is changed.
    func recordsInPostgres() async -> [Diagnosis] {
        do {
            let address = try PostgresAddress(configuration.records.url)
            let database = try PostgresDatabase(address, schema: configuration.recordsSchema)
            let faults: [String]
            do { faults = try await database.verify() } catch {
                await database.close()
                throw error
            }
            await database.close()
            guard faults.isEmpty else {
                return faults.map {
                    Diagnosis("records", .damaged, $0, remedy: "Put the schema back from a copy.")
                }
            }
            let well = Diagnosis(
                "records",
                .well,
                "\(address) holds them, and every row can be read"
            )
            return try await [well] + movedFrom(address)
        } catch {
            return [
                Diagnosis(
                    "records",
                    .damaged,
                    (error as? RecordsError)?.message ?? "\(error)",
                    remedy:
                        "See to it that the server runs, and that records.url names it and a user who may log in."
                )
            ]
        }
    }

    /// What the records say of moves: their own, and that of the pushes. Without the key, of which others tell, nothing.
    private func movedFrom(_ address: PostgresAddress) async throws(RecordsError) -> [Diagnosis] {
        guard let key = secretKey() else { return [] }
        do throws(RecordsError) {
            let records = try await Records.inspect(
                postgres: address,
                schema: configuration.recordsSchema,
                clock: clock,
                secretKey: key
            )
            guard let records else { return [] }
            let moved = await movedTo(records)
            await records.close()
            return moved
        } catch {
            let place = "\(address) (schema \(configuration.recordsSchema))"
            switch error.code {
            case .elsewhere:
                return [
                    Diagnosis(
                        "records",
                        .warning,
                        "\(place): \(error.message)",
                        remedy: Self.elsewhere
                    )
                ]
            case .invalid:
                return [
                    Diagnosis(
                        "records",
                        .damaged,
                        "\(place): \(error.message)",
                        remedy: Self.otherKey
                    )
                ]
            default: throw error
            }
        }
    }

    private static func diagnosis(_ finding: PostgresFinding) -> Diagnosis {
        Diagnosis(
            "timeline",
            finding.weight == .refused ? .damaged : .warning,
            "PostgreSQL: \(finding.description)"
        )
    }
}
