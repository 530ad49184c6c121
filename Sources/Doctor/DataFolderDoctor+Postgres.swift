import BelfryCore
import BelfryPostgres
import BelfryPostgresClient
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

    private static func diagnosis(_ finding: PostgresFinding) -> Diagnosis {
        Diagnosis(
            "timeline",
            finding.weight == .refused ? .damaged : .warning,
            "PostgreSQL: \(finding.description)"
        )
    }
}
