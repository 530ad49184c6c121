import BelfryCore
import BelfryRecords
import BelfryServer
import BelfrySimulation
import BelfryTestSupport
import Foundation
import Logging
import Testing

@Suite("The look at the records after the start")
struct RecordsCheckTests {
    private func look(_ path: String, limit: Int = 1 << 30) async throws -> Check {
        let clock = ManualClock()
        let records = try await Records.open(
            path: path,
            clock: clock,
            secretKey: Array(repeating: 7, count: 32)
        )
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let check = RecordsCheck(
            records: records,
            clock: clock,
            logger: logger,
            limit: limit
        )
        #expect(check.check.problem == nil)
        await check.look()
        await records.close()
        return check.check
    }

    @Test("finds nothing in sound ones, and damage in a page that nobody needs yet")
    func damage() async throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/records.sqlite"
        #expect(try await look(path).problem == nil)
        // The last leaf of an index (SQLite's page type 10) is one that opening does not read.
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        let bytes = try Data(contentsOf: URL(filePath: path))
        let pages = Array(stride(from: 4096, to: bytes.count, by: 4096))
        let page = try #require(pages.last { bytes[$0] == 10 })
        try file.seek(toOffset: UInt64(page))
        try file.write(contentsOf: Data(repeating: 0xA5, count: 4096))
        try file.close()
        let damaged = try await look(path)
        #expect(damaged.name == "records-file" && damaged.problem != nil)
        // Too large to be read through beside the work: left to the doctor.
        #expect(try await look(path, limit: bytes.count - 1).problem == nil)
    }
}
