import BelfryCore
import BelfryJournal
import BelfryRecords
import HTTPTypes
import Hummingbird

/// Copies of the data folder, made while the server runs.
extension API {
    var backups: [Route] {
        [
            Route(
                method: .post,
                path: "/v1/backups",
                access: .scope(.admin),
                operation: Operation(
                    id: "createBackup",
                    summary:
                        "Writes a copy of the data folder on the server's machine, on which a server can be started.",
                    tag: "config",
                    body: .init("NewBackup"),
                    answer: "Backup",
                    status: 201
                )
            ) { call in try await createBackup(call) }
        ]
    }

    private func createBackup(_ call: Call) async throws -> Response {
        var fields = try await call.fields()
        let destination = fields.text("destination", 1...4096)
        try fields.finish()
        let report: Backup.Report
        do { report = try await server.backup(destination) } catch let failure as BackupFailure {
            switch failure.kind {
            case .refused: throw Problem.invalid("/destination", failure.description)
            case .full: throw Problem(.full, failure.description)
            case .io: throw Problem(.unavailable, failure.description)
            }
        }
        try await audit(call, "backup.create", "backup/\(report.destination)")
        return .json(
            [
                "destination": .string(report.destination), "bytes": .integer(Int64(report.bytes)),
                "contains": .array(report.contains.map { .string($0) }),
                "lacks": .array(report.lacks.map { .string($0) }),
                "damaged": .array(
                    report.damaged.map { block in
                        [
                            "file": .string(block.file), "offset": .count(block.offset),
                            "bytes": .count(block.length), "pushes": .count(block.pushes),
                        ]
                    }
                ),
            ],
            status: .created
        )
    }
}
