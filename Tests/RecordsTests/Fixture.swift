import BelfryCore
import BelfryRecords
import BelfrySimulation
import Foundation

/// Records in a folder of their own, which goes when the fixture goes.
final class Fixture: Sendable {
    let folder: String
    let clock = ManualClock()
    let records: Records

    static let secretKey: [UInt8] = Array(0..<32)

    var path: String { folder + "/records.sqlite" }

    init(bytesLimit: Int? = nil) async throws {
        folder = Self.newFolder()
        records = try await Records.open(
            path: folder + "/records.sqlite",
            clock: clock,
            secretKey: Self.secretKey,
            bytesLimit: bytesLimit
        )
    }

    /// Another opening of the same file, as after a restart.
    func reopen() async throws -> Records {
        try await Records.open(path: path, clock: clock, secretKey: Self.secretKey)
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
