import BelfryCore
import BelfryPostgresClient
import BelfryRedis
import BelfryRedisClient
import BelfryServer

/// The Redis that keeps the pushes, where the configuration names one: whether it can be reached, and whether it keeps what it accepts.
extension DataFolderDoctor {
    func redis() async -> [Diagnosis] {
        let url = configuration.timeline.url
        guard !url.isEmpty, !PostgresAddress.isOne(url) else { return [] }
        do throws(TimelineError) {
            let address = try RedisAddress(url)
            let findings = try await RedisTimeline.audit(of: address)
            guard findings.isEmpty else { return findings.map(Self.diagnosis) }
            return [Diagnosis("timeline", .well, "\(address) keeps what it accepts")]
        } catch {
            return [
                Diagnosis(
                    "timeline",
                    .damaged,
                    error.message,
                    remedy:
                        "See to it that the server runs, and that timeline.url names it and a user who may log in."
                )
            ]
        }
    }

    private static func diagnosis(_ finding: RedisFinding) -> Diagnosis {
        Diagnosis(
            "timeline",
            finding.weight == .refused ? .damaged : .warning,
            "Redis: \(finding.description)"
        )
    }
}
